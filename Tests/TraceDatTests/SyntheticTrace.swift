/// Writes trace.dat files of any shape, byte by byte, after trace-cmd.dat.v6(5), trace-cmd.dat.v7(5) and the kernel's
/// ring buffer format: small files that no machine at hand could record. It shares nothing with the reader.
struct SyntheticTrace {
  enum Compression: String {
    case none
    /// A zlib stream of stored blocks (RFC 1950, RFC 1951).
    case zlib
  }

  struct CPU {
    var number: UInt32
    var pages: [[UInt8]]
  }

  struct Buffer {
    var name = ""
    var clock = "local"
    var cpus: [CPU]
  }

  var version = 7
  var bytes = Bytes()
  var pageSize = 4096
  var compression = Compression.none
  var pagesPerChunk = 1
  /// The first options stand in front of the data, as trace-cmd writes them, and survive a cut there.
  var hasOptionsInFront = false
  /// nil: what a kernel with this long size writes.
  var headerPage: String?
  var formats: [String] = []
  var kallsyms: String? = SyntheticTrace.symbols
  var cmdlines = "41 cat\n42 two words\n"
  /// Number and content, besides those that lead to sections and buffers.
  var options: [(UInt16, [UInt8])] = []
  var buffers: [Buffer] = []
  var cpuCount: UInt32 = 2

  /// In the order of /proc/kallsyms, with what has to be ignored or decided: an absolute symbol, a mapping symbol, two
  /// names for one address, a module, and modules out of order.
  static let symbols = """
    0000000000001000 A absolute
    0000000081000000 T _stext
    0000000081000010 t $x
    0000000081000100 T outer
    0000000081000100 T outer_alias
    0000000081000200 t inner.isra.0
    0000000081000300 D some_data
    00000000c0001000 t in_module\t[vfio_iommu_type1]
    00000000c0000000 t early_in_module\t[vfio]
    00000000c0002000 t last\t[vfio]

    """

  /// Numbers in the file's byte order and long size.
  struct Bytes {
    var isBigEndian = false
    var longSize = 8

    func number(_ value: UInt64, _ size: Int) -> [UInt8] {
      let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
      return isBigEndian ? little.reversed() : little
    }

    func u16(_ value: UInt16) -> [UInt8] { number(UInt64(value), 2) }
    func u32(_ value: UInt32) -> [UInt8] { number(UInt64(value), 4) }
    func u64(_ value: UInt64) -> [UInt8] { number(value, 8) }
    func long(_ value: UInt64) -> [UInt8] { number(value, longSize) }
  }

  private var headerPageText: String {
    let long = bytes.longSize
    return headerPage ?? """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:\(long);\tsigned:1;
      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
      \tfield: char data;\toffset:\(8 + long);\tsize:\(pageSize - 8 - long);\tsigned:1;

      """
  }

  private var headerInfo: [UInt8] {
    let page = Array(headerPageText.utf8)
    let event = Array("# compressed entry header\n\ttype_len    :    5 bits\n".utf8)
    return Array("header_page\0".utf8) + bytes.u64(UInt64(page.count)) + page
      + Array("header_event\0".utf8) + bytes.u64(UInt64(event.count)) + event
  }

  private var ftraceFormats: [UInt8] {
    bytes.u32(UInt32(formats.count))
      + formats.flatMap { bytes.u64(UInt64($0.utf8.count)) + Array($0.utf8) }
  }

  func written() -> [UInt8] {
    var out: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing\(version)\0".utf8)
    out += [bytes.isBigEndian ? 1 : 0, UInt8(bytes.longSize)] + bytes.u32(UInt32(pageSize))
    return version == 6 ? version6(out) : version7(out)
  }

  private func pad(_ out: inout [UInt8]) {
    while out.count % pageSize != 0 { out.append(0) }
  }

  private func version6(_ head: [UInt8]) -> [UInt8] {
    var out = head + headerInfo + ftraceFormats
    out += bytes.u32(1) + Array("sched\0".utf8) + bytes.u32(1) + bytes.u64(4) + Array("none".utf8)
    let symbols = Array((kallsyms ?? "").utf8)
    out += bytes.u32(UInt32(symbols.count)) + symbols + bytes.u32(0)
    out += bytes.u64(UInt64(cmdlines.utf8.count)) + Array(cmdlines.utf8)
    out += bytes.u32(cpuCount) + Array("options  \0".utf8)
    var places: [Int] = []
    let clocks = { (clock: String) in Array("local global [\(clock)]\0".utf8) }
    for (number, content) in options + [(4, clocks(buffers[0].clock))] {
      out += bytes.u16(number) + bytes.u32(UInt32(content.count)) + content
    }
    for buffer in buffers.dropFirst() {
      let name = Array(buffer.name.utf8) + [0]
      out += bytes.u16(3) + bytes.u32(UInt32(8 + name.count))
      places.append(out.count)
      out += bytes.u64(0) + name
    }
    out += bytes.u16(0)
    var data: [(place: Int, pages: [UInt8])] = []
    for (index, buffer) in buffers.enumerated() {
      if index > 0 {
        out.replaceSubrange(places[index - 1]..<places[index - 1] + 8, with: bytes.u64(UInt64(out.count)))
      }
      out += Array("flyrecord\0".utf8)
      for cpu in 0..<cpuCount {
        data.append((out.count, buffer.cpus.first { $0.number == cpu }?.pages.flatMap { $0 } ?? []))
        out += bytes.u64(0) + bytes.u64(0)
      }
      let clock = clocks(buffer.clock)
      out += bytes.u64(UInt64(clock.count)) + clock
    }
    for (place, pages) in data where !pages.isEmpty {
      pad(&out)
      out.replaceSubrange(
        place..<place + 16, with: bytes.u64(UInt64(out.count)) + bytes.u64(UInt64(pages.count)))
      out += pages
    }
    return out
  }

  private func version7(_ head: [UInt8]) -> [UInt8] {
    var out = head + Array("\(compression.rawValue)\01\0".utf8)
    let start = out.count
    out += bytes.u64(0)
    func section(_ number: UInt16, _ content: [UInt8]) -> UInt64 {
      let offset = UInt64(out.count)
      var content = content
      if compression == .zlib {
        let small = Self.stored(content)
        content = bytes.u32(UInt32(small.count)) + bytes.u32(UInt32(content.count)) + small
      }
      out += bytes.u16(number) + bytes.u16(compression == .none ? 0 : 1) + bytes.u32(0)
      out += bytes.u64(UInt64(content.count)) + content
      return offset
    }
    var first: [(UInt16, [UInt8])] = [
      (16, bytes.u64(section(16, headerInfo))), (17, bytes.u64(section(17, ftraceFormats))),
      (21, bytes.u64(section(21, bytes.u64(UInt64(cmdlines.utf8.count)) + Array(cmdlines.utf8)))),
      (8, bytes.u32(cpuCount)),
    ]
    if let kallsyms {
      first.append(
        (19, bytes.u64(section(19, bytes.u32(UInt32(kallsyms.utf8.count)) + Array(kallsyms.utf8)))))
    }
    first.append((4, Array("local global [\(buffers.first?.clock ?? "")]\0".utf8)))

    // Two options sections; the first leads to the second.
    func optionsSection(_ options: [(UInt16, [UInt8])], next: UInt64) -> [UInt8] {
      var content: [UInt8] = []
      for (number, payload) in options + [(0, bytes.u64(next))] {
        content += bytes.u16(number) + bytes.u32(UInt32(payload.count)) + payload
      }
      return bytes.u16(0) + bytes.u16(0) + bytes.u32(0) + bytes.u64(UInt64(content.count)) + content
    }
    func writeFirst(next: UInt64) {
      out.replaceSubrange(start..<start + 8, with: bytes.u64(UInt64(out.count)))
      out += optionsSection(first + options, next: next)
    }
    if hasOptionsInFront { writeFirst(next: 0) }
    let link = out.count - 8

    var last: [(UInt16, [UInt8])] = []
    for buffer in buffers {
      let offset = UInt64(out.count)
      out += bytes.u16(3) + bytes.u16(compression == .none ? 0 : 1) + bytes.u32(0) + bytes.u64(0)
      var option = bytes.u64(offset) + Array(buffer.name.utf8) + [0] + Array(buffer.clock.utf8) + [0]
      option += bytes.u32(UInt32(pageSize)) + bytes.u32(UInt32(buffer.cpus.count))
      for cpu in buffer.cpus {
        pad(&out)
        let place = UInt64(out.count)
        if compression == .none {
          out += cpu.pages.flatMap { $0 }
          option += bytes.u32(cpu.number) + bytes.u64(place) + bytes.u64(UInt64(out.count) - place)
        } else {
          let chunks = stride(from: 0, to: cpu.pages.count, by: pagesPerChunk).map {
            cpu.pages[$0..<min($0 + pagesPerChunk, cpu.pages.count)].flatMap { $0 }
          }
          out += bytes.u32(UInt32(chunks.count))
          for chunk in chunks {
            let small = Self.stored(chunk)
            out += bytes.u32(UInt32(small.count)) + bytes.u32(UInt32(chunk.count)) + small
          }
          option += bytes.u32(cpu.number) + bytes.u64(place) + bytes.u64(UInt64(out.count) - place - 4)
        }
      }
      let place = Int(offset) + 8
      out.replaceSubrange(place..<place + 8, with: bytes.u64(UInt64(out.count - place - 8)))
      last.append((3, option))
    }
    let second = UInt64(out.count)
    out += optionsSection(last, next: 0)
    if hasOptionsInFront {
      out.replaceSubrange(link..<link + 8, with: bytes.u64(second))
    } else {
      writeFirst(next: second)
    }
    return out
  }

  /// A zlib stream that compresses nothing.
  static func stored(_ data: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x78, 0x01]
    var rest = data[...]
    repeat {
      let block = rest.prefix(0xffff)
      rest = rest.dropFirst(block.count)
      let count = UInt16(block.count)
      out += [
        rest.isEmpty ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8),
      ]
      out += block
    } while !rest.isEmpty
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in data {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    return out + [UInt8(b >> 8), UInt8(b & 255), UInt8(a >> 8), UInt8(a & 255)]
  }
}

/// Fills one ring-buffer page.
struct SyntheticPage {
  var bytes: SyntheticTrace.Bytes
  var size: Int
  var timestamp: UInt64
  private var last: UInt64
  private var data: [UInt8] = []
  /// Events lost before this page; 0: the kernel knows that, not how many.
  var missed: UInt64?
  var storesCount = false

  init(_ bytes: SyntheticTrace.Bytes, size: Int, timestamp: UInt64) {
    self.bytes = bytes
    self.size = size
    self.timestamp = timestamp
    last = timestamp
  }

  private func head(_ typeLength: UInt32, _ delta: UInt64) -> [UInt8] {
    precondition(delta < 1 << 27)
    return bytes.u32(
      bytes.isBigEndian ? typeLength << 27 | UInt32(delta) : UInt32(delta) << 5 | typeLength)
  }

  /// A data record; `isLong` writes the length in a word of its own, which short ones may have too.
  mutating func record(_ time: UInt64, _ payload: [UInt8], isLong: Bool = false) {
    let padded = payload + Array(repeating: 0, count: -payload.count & 3)
    if isLong || padded.count > 28 * 4 {
      data += head(0, time - last) + bytes.u32(UInt32(payload.count + 4)) + padded
    } else {
      data += head(UInt32(padded.count / 4), time - last) + padded
    }
    last = time
  }

  /// Time goes on by more than 27 bits hold.
  mutating func extend(to time: UInt64) {
    let delta = time - last
    data += head(30, delta & 0x7ff_ffff) + bytes.u32(UInt32(delta >> 27))
    last = time
  }

  mutating func absolute(_ time: UInt64) {
    data += head(31, time & 0x7ff_ffff) + bytes.u32(UInt32(truncatingIfNeeded: time >> 27))
    last = time
  }

  /// A record that the kernel discarded after reserving it.
  mutating func discarded(_ time: UInt64, length: Int) {
    data += head(29, time - last) + bytes.u32(UInt32(length)) + Array(repeating: 0xee, count: length - 4)
    last = time
  }

  /// Anything.
  mutating func raw(_ content: [UInt8]) { data += content }

  var used: Int { 8 + bytes.longSize + data.count }

  func written() -> [UInt8] {
    var commit = UInt64(data.count)
    if missed != nil {
      // As the kernel's local_add(RB_MISSED_EVENTS, ...) leaves it: a negative int.
      commit = commit &+ UInt64(bitPattern: -(1 << 31))
      if storesCount { commit = commit &+ 1 << 30 }
    }
    var out = bytes.u64(timestamp) + bytes.long(commit) + data
    if let missed, storesCount { out += bytes.long(missed) }
    precondition(out.count <= size)
    return out + Array(repeating: 0, count: size - out.count)
  }
}
