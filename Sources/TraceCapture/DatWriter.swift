/// Writes a trace.dat, version 6 (trace-cmd.dat.v6(5)), which `trace-cmd report` and KernelShark read.
///
/// Version 6 and not 7, because every reader knows it and it needs no compression. The events' formats are those of the
/// tracers only: other events are not recorded.
struct DatWriter {
  /// `TRACECMD_OPTION_*` of trace-cmd.
  private enum Option: UInt16 {
    case cpuStatistics = 2
    case traceClock = 4
    case uname = 5
    case version = 9
  }

  var metadata: KernelMetadata
  /// The program that writes, and how it recorded.
  var version: String

  /// - Returns: a file that begins with the header and ends with the pages of the last CPU.
  func write(_ pages: PageCollector) throws(CaptureError) -> ScratchFile {
    let file = try ScratchFile()
    let sizes = pages.sizes
    let cpuCount = (sizes.map(\.cpu).max() ?? 0) + 1

    var head = Bytes()
    head.bytes += [0x17, 0x08, 0x44] + Array("tracing".utf8)
    head.string("6")
    // What this was compiled for is what the kernel runs.
    head.bytes.append(UInt16(1).bigEndian == 1 ? 1 : 0)
    head.bytes.append(UInt8(MemoryLayout<Int>.size))
    head.number(UInt32(pages.pageSize))
    head.string("header_page")
    head.block(metadata.headerPage, UInt64.self)
    head.string("header_event")
    head.block(metadata.headerEvent, UInt64.self)
    head.number(UInt32(metadata.formats.count))
    for format in metadata.formats { head.block(format, UInt64.self) }
    // Event systems: none.
    head.number(UInt32(0))
    head.block(metadata.kallsyms, UInt32.self)
    head.block(metadata.printkFormats, UInt32.self)
    head.block(metadata.savedCmdlines, UInt64.self)
    head.number(UInt32(cpuCount))

    head.string("options  ")
    head.option(Option.traceClock.rawValue, metadata.clock + [0])
    head.option(Option.uname.rawValue, Array(metadata.uname.utf8) + [0])
    head.option(Option.version.rawValue, Array(version.utf8) + [0])
    for (cpu, text) in metadata.statistics {
      head.option(Option.cpuStatistics.rawValue, Array("CPU: \(cpu)\n".utf8) + text + [0])
    }
    head.number(UInt16(0))

    head.string("flyrecord")
    let clock = selectedClock
    let end = UInt64(head.bytes.count + cpuCount * 16 + 8 + clock.count)
    let alignment = UInt64(pages.pageSize)
    var offset = (end + alignment - 1) / alignment * alignment
    for cpu in 0..<cpuCount {
      let size = sizes.first { $0.cpu == cpu }?.size ?? 0
      head.number(offset)
      head.number(size)
      offset += size
    }
    head.block(clock, UInt64.self)
    head.bytes += [UInt8](repeating: 0, count: Int((alignment - end % alignment) % alignment))
    try file.append(head.bytes)
    for cpu in 0..<cpuCount { try pages.copy(cpu: cpu, to: file) }
    return file
  }

  /// `[local]`, brackets included, which is what trace-cmd has behind the table of CPUs.
  private var selectedClock: [UInt8] {
    guard let open = metadata.clock.firstIndex(of: UInt8(ascii: "[")),
      let close = metadata.clock[open...].firstIndex(of: UInt8(ascii: "]"))
    else { return Array("[local]".utf8) }
    return Array(metadata.clock[open...close])
  }
}

/// Bytes of the container, in this machine's order.
private struct Bytes {
  var bytes: [UInt8] = []

  mutating func number<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value) { bytes += $0 }
  }

  mutating func string(_ text: String) {
    bytes += Array(text.utf8)
    bytes.append(0)
  }

  mutating func block<Size: FixedWidthInteger>(_ content: [UInt8], _: Size.Type) {
    number(Size(clamping: content.count))
    bytes += content
  }

  mutating func option(_ id: UInt16, _ content: [UInt8]) {
    number(id)
    block(content, UInt32.self)
  }
}
