import FunctionGraph
import Testing

@testable import TraceDat

/// Pages of which every record is left out, one behind the other, and one among them that has to be looked at.
@Suite struct PageRowTests {
  enum Middle: CaseIterable, Sendable {
    case plain
    /// Its header tells of a loss.
    case loss, countedLoss
    case empty
    /// Behind its records only padding.
    case padded
    /// Its first record, at its own time, has its length behind the first word, which is 0.
    case longFirst
    /// Records of other events alone, and at its end.
    case others, otherLast
    /// Its own time goes back, its records' do not; theirs do.
    case stampBack, timeBack
    /// Its first record goes over the end of what 64 bits hold.
    case wrapped
    case tooLong
    /// The last record does not fit in.
    case brokenEnd
    case anotherTask
    case wanted

    /// Whether functions can be picked out of such a trace.
    var isComplete: Bool {
      switch self {
      case .timeBack, .wrapped, .tooLong, .brokenEnd: false
      default: true
      }
    }
  }

  static func trace(_ middle: Middle, pageSize: Int, offset: Int = 0) -> [UInt8] {
    let bytes = SyntheticTrace.Bytes(isBigEndian: false, longSize: 8)
    let formats = SyntheticFormats(variant: SyntheticFormats.Variant.allCases[0], bytes: bytes)
    var trace = SyntheticTrace(version: 7, bytes: bytes, pageSize: pageSize)
    trace.compression = .none
    trace.formats = formats.texts
    if offset != 0 { trace.options.append((7, Array("\(offset)".utf8) + [0])) }
    var time: UInt64 = 1_000_000
    var pages: [[UInt8]] = []
    /// By depth.
    var starts: [UInt64] = [0, 0]
    func entry(_ page: inout SyntheticPage, _ number: Int, _ depth: Int16, pid: Int32 = 42) {
      time += 100
      starts[Int(depth)] = time
      page.record(time, formats.entry(SieveTests.addresses[number], depth: depth, pid: pid))
    }
    func exit(_ page: inout SyntheticPage, _ number: Int, _ depth: Int16, pid: Int32 = 42) {
      time += 100
      let payload = formats.exit(
        SieveTests.addresses[number], depth: depth, pid: pid, from: starts[Int(depth)], to: time)
      page.record(time, payload)
    }
    func other(_ page: inout SyntheticPage) {
      time += 100
      page.record(time, bytes.u16(77) + Array(repeating: 1, count: 22))
    }
    for number in 0..<9 {
      let isMiddle = number == 4
      let back: UInt64 = isMiddle && middle == .stampBack ? 50 : 0
      if isMiddle, middle == .timeBack { time -= 250 }
      if isMiddle, middle == .wrapped { time = .max - 50 }
      var page = SyntheticPage(bytes, size: pageSize, timestamp: time - back)
      if number == 0 { entry(&page, 0, 0) }
      if isMiddle {
        if middle == .loss || middle == .countedLoss { page.missed = 7 }
        page.storesCount = middle == .countedLoss
        if middle == .empty || middle == .others {
          if middle == .others { for _ in 0..<5 { other(&page) } }
          pages.append(page.written())
          continue
        }
        if middle == .wrapped {
          let payload = formats.entry(SieveTests.addresses[1], depth: 1, pid: 42)
          page.raw(bytes.u32(100 << 5 | UInt32(payload.count / 4)) + payload)
          pages.append(page.written())
          time = 2_000_000
          continue
        }
      }
      if isMiddle, middle == .longFirst {
        page.record(time, formats.entry(SieveTests.addresses[1], depth: 1, pid: 42), isLong: true)
        exit(&page, 1, 1)
      }
      for _ in 0..<12 {
        entry(&page, 1, 1)
        exit(&page, 1, 1)
      }
      if isMiddle {
        switch middle {
        case .padded: page.raw(bytes.u32(29) + Array(repeating: 0xee, count: 60))
        case .otherLast: other(&page)
        case .brokenEnd: page.raw(bytes.u32(28) + Array(repeating: 0, count: 8))
        case .anotherTask:
          entry(&page, 2, 0, pid: 44)
          exit(&page, 2, 0, pid: 44)
        case .wanted:
          exit(&page, 0, 0)
          entry(&page, 0, 0)
        default: break
        }
      }
      if number == 8 { exit(&page, 0, 0) }
      var written = page.written()
      if isMiddle, middle == .tooLong {
        written.replaceSubrange(8..<12, with: bytes.u32(UInt32(pageSize - 16 + 4)))
      }
      pages.append(written)
    }
    trace.buffers.append(.init(name: "", cpus: [.init(number: 0, pages: pages)]))
    return trace.written()
  }

  @Test(arguments: Middle.allCases, [false, true])
  func sameAsOneByOne(_ middle: Middle, searching: Bool) throws {
    for pageSize in [4096, 16384] {
      let bytes = Self.trace(middle, pageSize: pageSize)
      let plain = try #require(try SieveTests.outcome(bytes, of: ["outer"], bySieve: false))
      #expect(plain.ended.count + plain.unfinished.count == (middle == .wanted ? 2 : 1))
      let fast = try SieveTests.outcome(bytes, of: ["outer"], bySieve: true, searching: searching)
      #expect(fast == (middle.isComplete ? plain : nil), "pages of \(pageSize)")
    }
  }

  /// All functions, of which each record is as usual but those of the page in the middle.
  ///
  /// - Parameter offset: of the trace's time, nanoseconds.
  @Test(arguments: Middle.allCases, [0, 1_234_567])
  func summedUpAsOneByOne(_ middle: Middle, offset: Int) throws {
    for pageSize in [4096, 16384] {
      let bytes = Self.trace(middle, pageSize: pageSize, offset: offset)
      let plain = try TallyTests.added(bytes, nil)
      #expect(plain.calls > 90)
      let fast = try TallyTests.tallied(bytes, nil, jobs: 1)
      if middle.isComplete {
        #expect(try #require(fast).differences(from: plain) == [], "pages of \(pageSize)")
      } else {
        #expect(fast == nil, "pages of \(pageSize)")
      }
    }
  }

  /// No others are looked through so that have their length or their data elsewhere.
  @Test func onlyUsualHeaders() {
    func step(_ layout: SubBufferLayout, isBigEndian: Bool = false) -> Int {
      let file = FileBytes(size: 0) { (_, _) throws(TraceError) -> Int in 0 }
      return PageContext(
        file: file, order: ByteOrder(isBigEndian: isBigEndian), layout: layout, pageSize: 4096,
        decompressor: Decompressor(.none), memory: MemoryBudget(), conversion: TimestampConversion(),
        formats: nil
      ).pageStep
    }
    var layout = SubBufferLayout(longSize: 8)
    #expect(step(layout) == 4096)
    #expect(step(layout, isBigEndian: true) == 0)
    layout.dataOffset = 24
    #expect(step(layout) == 0)
    #expect(step(SubBufferLayout(longSize: 4)) == 0)
  }

  /// A row goes as far as the block does.
  @Test func entersWholePlainPages() throws {
    var block = [UInt8](repeating: 0, count: 3 * 4096 + 100)
    func write(_ page: Int, _ time: UInt64, _ commit: UInt64) {
      for byte in 0..<8 {
        block[page * 4096 + byte] = UInt8(truncatingIfNeeded: time >> (8 * UInt64(byte)))
        block[page * 4096 + 8 + byte] = UInt8(truncatingIfNeeded: commit >> (8 * UInt64(byte)))
      }
    }
    /// The places of the records, the ends and the times of the pages that can be entered behind the first.
    func entered(latest: UInt64 = 0, behind: UInt64 = 100, size: Int = 4096, gap: UInt64 = Turn.noGap)
      -> [[UInt64]]
    {
      block.withUnsafeBytes { bytes in
        let start = bytes.baseAddress!
        var row = PageRow(next: start + 4096, end: start + bytes.count, size: size, latest: latest)
        var result: [[UInt64]] = []
        var time = behind
        while let page = row.enterNext(behind: time, 5, gap: gap) {
          #expect(row.latest == time)
          result.append([UInt64(page.record - start), UInt64(page.end - start), page.time])
          time = page.time + 5
        }
        return result
      }
    }
    write(1, 100, 4080)
    write(2, 200, 8)
    #expect(entered() == [[4112, 8192, 100], [8208, 8216, 200]])
    #expect(entered(latest: 101).isEmpty)
    #expect(entered(behind: 105) == [[4112, 8192, 100], [8208, 8216, 200]])
    #expect(entered(behind: 106).isEmpty)
    #expect(entered(size: 0).isEmpty)
    #expect(entered(gap: 101) == entered())
    #expect(entered(gap: 100) == [[4112, 8192, 100]])
    #expect(entered(gap: 5).isEmpty)
    for commit: UInt64 in [0, 4081, 1 << 31 | 8, 1 << 30 | 8, 1 << 32 | 8, .max] {
      write(1, 100, commit)
      #expect(entered().isEmpty)
    }
    write(1, .max - 2, 8)
    #expect(entered().isEmpty)
  }
}
