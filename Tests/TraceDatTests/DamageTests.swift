import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// Files that are cut, lie or are noise: no crash, no hang, and what is whole is read.
@Suite struct DamageTests {
  static func fixture(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: fixtures.appendingPathComponent(name)))
  }

  static let cutFixtures = [
    "6.18-fmt-v6-stripped.dat", "6.18-fmt-v7-nocomp-stripped.dat", "6.17-err-enomem-d3-stripped.dat",
    "6.18-fmt-multicpu-stripped.dat", "6.18-fmt-multicpu-zlib-stripped.dat",
  ]

  /// A file cut anywhere gives events that are the first ones of each CPU in the whole file, more of them the later the
  /// cut, and says that it was cut; or nothing, where the cut is before the trace data.
  @Test(arguments: cutFixtures)
  func cut(name: String) throws {
    let bytes = try Self.fixture(name)
    let whole = try Reading(bytes)
    func perCPU(_ reading: Reading) -> [[TraceCmd.Line]] {
      let lines = reading.lines(buffer: 0)
      return Dictionary(grouping: lines, by: \.cpu).values.map { lines in
        lines.map { line in
          var line = line
          // Without the table of CPUs they are numbered anew.
          line.cpu = 0
          return line
        }
      }
    }
    let all = perCPU(whole)
    var best = 0
    for step in stride(from: 1, through: 60, by: 1) {
      let size = bytes.count * step / 60 - (step == 60 ? 1 : 0)
      guard let reading = try? Reading(Array(bytes[..<size])) else {
        #expect(best == 0, "\(name) cut to \(size): read nothing after a shorter one could be read")
        continue
      }
      #expect(
        reading.diagnostics.counts[.truncated] ?? 0 > 0, "\(name) cut to \(size): \(reading.diagnostics.kept)"
      )
      #expect(
        reading.diagnostics.counts[.damagedPage] == nil && reading.diagnostics.counts[.damagedChunk] == nil)
      for lines in perCPU(reading) {
        #expect(all.contains { $0.starts(with: lines) }, "\(name) cut to \(size)")
      }
      let count = reading.lines(buffer: 0).count
      #expect(count >= best, "\(name) cut to \(size)")
      best = count
    }
    #expect(best > 0)
  }

  /// Pages in front of a cut are all there: each that ends before it.
  @Test func cutKeepsWholePages() throws {
    let name = "6.18-fmt-v6-stripped.dat"
    let bytes = try Self.fixture(name)
    let whole = try Reading(bytes).lines(buffer: 0)
    let pages = 6
    // In this file the data of CPU 1 are the last 24576 bytes.
    var counts: [Int] = []
    for kept in 0...pages {
      let size = bytes.count - (pages - kept) * 4096
      let reading = try Reading(Array(bytes[..<size]))
      counts.append(reading.lines(buffer: 0).count)
      #expect(reading.lines(buffer: 0) == Array(whole.prefix(counts[kept])))
      let cut = reading.diagnostics.kept.first { $0.kind == .truncated }
      if kept < pages {
        #expect(cut?.place == .byte(UInt64(size)))
        #expect(cut?.detail.contains("\((pages - kept) * 4096) of them are missing") == true, "\(cut as Any)")
      } else {
        #expect(cut == nil)
      }
    }
    #expect(
      counts == counts.sorted() && Set(counts).count == pages + 1 && counts.last == whole.count, "\(counts)")
  }

  /// Of a chunk that was cut, the pages in front of the cut are there: each page is a call of its own here.
  @Test func cutChunkKeepsWholePages() throws {
    let shape = SyntheticTests.Shape(
      version: 7, isBigEndian: false, longSize: 8, pageSize: 4096, compression: .zlib, variant: .today)
    var trace = SyntheticTests.trace(shape)
    let formats = SyntheticFormats(variant: .today, bytes: trace.bytes)
    trace.pagesPerChunk = 5
    trace.hasOptionsInFront = true
    let pages = (0..<5).map { number in
      let time = SyntheticTests.start + UInt64(number) * 1000
      var page = SyntheticPage(trace.bytes, size: 4096, timestamp: time)
      page.record(time, formats.entry(0x8100_0104, depth: 0, pid: 41))
      page.record(time + 10, formats.exit(0x8100_0104, depth: 0, pid: 41, from: time, to: time + 10))
      return page.written()
    }
    trace.buffers = [SyntheticTrace.Buffer(cpus: [.init(number: 0, pages: pages)])]
    let bytes = trace.written()
    // The stored block of zlib holds the pages as they are.
    let start = try #require(bytes.firstRange(of: pages[0])).lowerBound
    for whole in 0...4 {
      for extra in [0, 1, 4095] {
        let reading = try? Reading(Array(bytes[..<(start + whole * 4096 + extra)]))
        #expect(reading?.events.count { $0.kind == .exit } ?? 0 == whole, "\(whole) pages and \(extra) bytes")
      }
    }
    #expect(try Reading(bytes).events.count { $0.kind == .exit } == 5)
  }

  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      // SplitMix64.
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }

  static let noisy = [
    "6.18-fmt-v6-stripped.dat", "6.18-fmt-v7-nocomp-stripped.dat", "6.18-fmt-clock-x86-tsc-stripped.dat",
    "6.18-fmt-multicpu-zlib-stripped.dat", "6.18-fmt-instance-events-v6-stripped.dat",
  ]

  /// Bytes changed at random. The number of events stays within what the bytes could hold.
  @Test(arguments: noisy)
  func noise(name: String) throws {
    let original = try Self.fixture(name)
    var random = Generator(state: 42)
    var read = 0
    for round in 0..<150 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...(round % 3 == 0 ? 200 : 4), using: &random) {
        // Half of the changes hit the head, where the lengths are.
        let limit = Bool.random(using: &random) ? bytes.count : min(bytes.count, 6000)
        let place = Int.random(in: 0..<limit, using: &random)
        bytes[place] =
          Bool.random(using: &random)
          ? .random(in: 0...255, using: &random) : [0, 0xff, 0x7f, 0x80].randomElement(using: &random)!
      }
      if let reading = try? Reading(bytes) {
        read += 1
        #expect(reading.events.count < 200_000)
      }
    }
    #expect(read > 30)
  }

  /// Every 64-bit and 32-bit number in the head of a file, set to what breaks arithmetic.
  @Test(arguments: ["6.18-fmt-v6-stripped.dat", "6.18-fmt-v7-nocomp-stripped.dat"])
  func extremeNumbers(name: String) throws {
    let original = try Self.fixture(name)
    let reading = try Reading(original)
    #expect(reading.events.count == 616)
    let tail = max(0, original.count - 1200)
    for pageSize: [UInt8] in [
      [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80], [1, 0, 0, 0], [16, 0, 0, 0],
    ] {
      var bytes = original
      bytes.replaceSubrange(14..<18, with: pageSize)
      // Version 7 has the size in the buffer's option too.
      #expect(try Reading(bytes).events.count == (name.contains("v7") ? 616 : 0))
    }
    for place in Array(stride(from: 10, to: 700, by: 3))
      + Array(stride(from: tail, to: original.count - 8, by: 5))
    {
      for value: UInt64 in [.max, 1 << 63, UInt64(original.count), 0xffff_ffff] {
        var bytes = original
        for byte in 0..<8 { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
        if let reading = try? Reading(bytes) { #expect(reading.events.count < 10_000) }
      }
    }
  }

  @Test func noTrace() {
    func code(_ bytes: [UInt8]) -> TraceError.Code? {
      do throws(TraceError) {
        _ = try Reading(bytes)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code([]) == .empty)
    #expect(code(Array("# tracer: function_graph\n".utf8)) == .notATrace)
    #expect(code([0x17, 0x08]) == .notATrace)
    #expect(code([0x17, 0x08, 0x44] + Array("tracing8\0\0".utf8)) == .unsupported)
    #expect(code([0x17, 0x08, 0x44] + Array("tracing7\0\0\u{8}\0\u{10}\0\0lz4\01\0".utf8)) == .unsupported)
    #expect(code([0x17, 0x08, 0x44] + Array("tracing7\0\0\u{8}".utf8)) == .corrupt)
    let prefixes: [(String, Bool)] = [
      ("\u{17}\u{8}Dtracing", true), ("\u{17}\u{8}Dtracing6", true), ("\u{17}\u{8}Dtr", false),
    ]
    for (prefix, isTrace) in prefixes {
      #expect(Array(prefix.utf8).withUnsafeBytes { DatReader.isTraceDat($0) } == isTrace)
    }
  }

  /// A small file of version 7 whose parts can be bent.
  static func small(_ change: (inout SyntheticTrace) -> Void = { _ in }) -> SyntheticTrace {
    var trace = SyntheticTests.trace(
      .init(
        version: 7, isBigEndian: false, longSize: 8, pageSize: 4096, compression: .none, variant: .today))
    change(&trace)
    return trace
  }

  @Test func optionsThatComeBack() throws {
    var bytes = Self.small().written()
    // The first options section is the last thing in the file, its DONE option the last 8 bytes of it.
    let start = bytes.count
    let first = bytes[(17 + 8)..<(17 + 16)]
    bytes.replaceSubrange(start - 8..<start, with: first)
    let offset = bytes.firstRange(of: Array("none\0".utf8))!.upperBound + 2
    bytes.replaceSubrange(start - 8..<start, with: bytes[offset..<offset + 8])
    let reading = try Reading(bytes)
    #expect(reading.diagnostics.counts[.damagedSection] == 1, "\(reading.diagnostics.kept)")
    #expect(reading.events.isEmpty)
  }

  static let version7Fixtures = [
    "6.18-fmt-v7-nocomp-stripped.dat", "6.17-err-enomem-d3-stripped.dat",
    "6.18-fmt-multicpu-zlib-stripped.dat",
  ]

  /// The way to the options is what everything else in the file hangs on: without it the sections are still there.
  @Test(arguments: version7Fixtures)
  func lostOptions(name: String) throws {
    let bytes = try Self.fixture(name)
    let whole = try Reading(bytes)
    // The compression's name stands at byte 18, behind it its version, then the offset.
    let version = try #require(bytes[18...].firstIndex(of: 0)) + 1
    let place = try #require(bytes[version...].firstIndex(of: 0)) + 1
    let first = bytes[place..<place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(first < bytes.count)
    func spoiled(_ offset: Int) -> [UInt8] {
      var copy = bytes
      for index in 0..<8 { copy[place + index] = UInt8(truncatingIfNeeded: offset >> (8 * index)) }
      return copy
    }
    var scrambled = bytes
    // The first option's size.
    for index in 2..<6 { scrambled[first + 16 + index] = 0xff }
    let damaged = [
      spoiled(0), spoiled(.max), spoiled(bytes.count), spoiled(bytes.count - 3), spoiled(place + 8),
      spoiled(first + 1), scrambled,
    ]
    for (number, input) in damaged.enumerated() {
      let reading = try Reading(input)
      #expect(reading.lines(buffer: 0) == whole.lines(buffer: 0), "\(name), damage \(number)")
      #expect(reading.diagnostics.counts[.damagedSection] ?? 0 > 0, "\(name), damage \(number)")
    }
    // Where nothing of the trace data is there, nothing can be made of the rest.
    for size in [place + 8, place + 30, first] {
      let error = #expect(throws: TraceError.self) { try Reading(Array(bytes[..<size])) }
      #expect(error?.place == .byte(UInt64(size)), "\(name) cut to \(size)")
    }
  }

  @Test func cpuNumberAboveTheCount() throws {
    let trace = Self.small { trace in
      trace.buffers[0].cpus[1].number = 300
      trace.cpuCount = 2
    }
    let reading = try Reading(trace.written())
    #expect(Set(reading.events.map(\.cpu)) == [0, 300])
    #expect(reading.lines(buffer: 0).count == 8)
  }

  @Test func noSymbols() throws {
    for kallsyms in [nil, "", "0000000000000000 T outer\n0000000000000000 t inner\n"] as [String?] {
      let reading = try Reading(Self.small { $0.kallsyms = kallsyms }.written())
      #expect(reading.lines(buffer: 0).map(\.function).first == "0x81000104")
      #expect(reading.diagnostics.counts == [.missingSymbols: 1])
    }
  }

  @Test func noGraphFormats() throws {
    let reading = try Reading(Self.small { $0.formats = [] }.written())
    #expect(reading.events.isEmpty)
    #expect(reading.diagnostics.counts == [.missingFormat: 1])
  }

  @Test func malformedFormats() throws {
    let good = SyntheticFormats(variant: .today, bytes: .init()).texts
    // The exit's format is spoilt in ways that the grammar has to notice; entries are still read.
    let changes: [(String, String)] = [
      ("offset:24", "offset:4090"), ("size:8;\tsigned:0;\n\n", "size:-8;\tsigned:0;\n\n"),
      ("ID: 10", "ID: 70000"),
      ("unsigned long func", "unsigned long func[8][8]"), ("format:", "farmat:"),
      ("field:int common_pid", "field:int other"),
      ("unsigned int depth", "unsigned int (*depth)(void)"), ("print fmt:", "print:"),
    ]
    for (old, new) in changes {
      let spoilt = good.map {
        $0.hasPrefix("name: funcgraph_exit") ? $0.replacingOccurrences(of: old, with: new) : $0
      }
      #expect(spoilt != good, "\(old)")
      let reading = try Reading(Self.small { $0.formats = spoilt }.written())
      #expect(reading.diagnostics.counts[.missingFormat] ?? 0 >= 1, "\(new): \(reading.diagnostics.kept)")
      #expect(reading.events.count { $0.kind == .entry } == 5, "\(new)")
      #expect(reading.events.count { $0.kind == .exit } == 0, "\(new)")
    }
  }

  static let lies: [(offset: Int, value: [UInt8], trouble: Int, before: Int)] = [
    // Offset in the page, bytes put there, where the trouble is, and how many records come before it.
    (9, [0xff], 0, 0),
    (12, [1], 0, 0),
    (16 + 24, [0, 0, 0, 0, 0xff, 0xff], 40, 1),
    (16 + 24, [0, 0, 0, 0, 3, 0], 40, 1),
    (16 + 24, [29 + 32, 0, 0, 0, 0xff, 0xff], 40, 1),
    (16 + 24, [29 + 32, 0, 0, 0, 2, 0], 40, 1),
  ]

  /// A page that lies about its length, about a record's length, or ends inside a record: its place is told, its CPU
  /// goes on with the next page, the other CPU is whole.
  @Test(arguments: lies)
  func damagedPage(_ lie: (offset: Int, value: [UInt8], trouble: Int, before: Int)) throws {
    let (offset, value, trouble, before) = lie
    var page: [UInt8] = []
    let trace = Self.small { trace in
      trace.buffers[0].cpus[0].pages[0].replaceSubrange(offset..<offset + value.count, with: value)
      page = trace.buffers[0].cpus[0].pages[0]
    }
    let bytes = trace.written()
    let start = try #require(bytes.firstRange(of: page)).lowerBound
    let reading = try Reading(bytes)
    #expect(reading.diagnostics.counts == [.damagedPage: 1], "\(reading.diagnostics.kept)")
    #expect(reading.diagnostics.kept.first?.place == .byte(UInt64(start + trouble)))
    let lines = reading.lines(buffer: 0)
    #expect(lines.contains { $0.timestamp == SyntheticTests.start + 40_000_000_002 })
    #expect(lines.count { $0.cpu == 1 } == 4)
    #expect(lines.count { $0.cpu == 0 } == 1 + before)
    let lost = reading.events.filter { $0.kind == .lost && $0.cpu == 0 }
    #expect(lost.map(\.lostEvents) == [0, 1234])
    #expect(lost.allSatisfy { $0.timestamp.value >= SyntheticTests.start })
  }

  @Test func decompressionBombsAreRefused() {
    #expect(Decompressor.objection(compressed: 400, decompressed: 40_960) == nil)
    #expect(Decompressor.objection(compressed: 1_600_000, decompressed: 9_100_000) == nil)
    let objection = Decompressor.objection(compressed: 1000, decompressed: 40 << 20)
    #expect(objection?.contains("ratio of 41943") == true, "\(objection ?? "")")
    #expect(Decompressor.objection(compressed: 60 << 20, decompressed: 65 << 20) != nil)
  }

  /// Chunks of many CPUs that would each become large: what does not fit is left out, and said.
  @Test func manyLargeChunks() throws {
    let budget = MemoryBudget()
    #expect(budget.take(500 << 20))
    #expect(!budget.take(13 << 20))
    #expect(budget.take(12 << 20))
    #expect(!budget.take(1))
  }

  @Test(arguments: [6, 7])
  func tenThousandCPUs(_ version: Int) throws {
    var trace = SyntheticTests.trace(
      .init(
        version: version, isBigEndian: false, longSize: 8, pageSize: 4096, compression: .none, variant: .today
      ))
    let cpus = trace.buffers[0].cpus
    trace.buffers[0].cpus = (0..<10_000).map {
      .init(number: UInt32($0), pages: $0 < cpus.count ? cpus[$0].pages : [])
    }
    trace.cpuCount = 10_000
    let reading = try Reading(trace.written())
    #expect(reading.lines(buffer: 0).count == 8)
  }

  /// A damaged record may hold any depth. What is less than nothing is not known.
  @Test(arguments: [
    ("negative-depth.dat", nil), ("negative-depth-left-out.dat", ["iommu_map"] as Set<String>),
  ])
  func negativeDepth(name: String, of functions: Set<String>?) throws {
    let path = fixtures.deletingLastPathComponent().appendingPathComponent("broken/\(name)")
    let reading = try Reading([UInt8](try Data(contentsOf: path)), of: functions)
    // Where functions are left out, the reader may give nothing and ask for all.
    #expect(functions != nil || reading.events.contains { $0.depth == -1 && $0.kind != .lost })
    #expect(reading.events.allSatisfy { $0.depth >= -1 })
  }

  /// Many CPUs that all claim the same data may not multiply the work.
  @Test func sharedData() throws {
    let trace = Self.small { trace in
      let cpu = trace.buffers[0].cpus[0]
      trace.buffers[0].cpus = (0..<3000).map { .init(number: $0, pages: $0 == 0 ? cpu.pages : []) }
    }
    var bytes = trace.written()
    let size = UInt64(bytes.count)
    // Every CPU's offset and size in the option, 20 bytes each: the whole file.
    let entry = Array("local\0".utf8) + trace.bytes.u32(4096) + trace.bytes.u32(3000)
    let start = bytes.firstRange(of: entry)!.upperBound
    for cpu in 0..<3000 {
      let place = start + cpu * 20 + 4
      bytes.replaceSubrange(place..<place + 16, with: trace.bytes.u64(0) + trace.bytes.u64(size))
    }
    let reading = try Reading(bytes)
    #expect(reading.events.count < 1000)
    #expect(reading.diagnostics.counts[.damagedSection] ?? 0 > 0, "\(reading.diagnostics.counts)")
  }
}
