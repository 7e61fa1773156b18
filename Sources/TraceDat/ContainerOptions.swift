internal import FunctionGraph

/// The options of a trace.dat, of either version (trace-cmd.dat.v7(5), "OPTIONS SECTION"; the numbers are those of
/// trace-cmd's `TRACECMD_OPTION_*`).
struct ContainerOptions {
  enum ID: UInt16 {
    case date = 1
    case cpuStatistics = 2
    case buffer = 3
    case traceClock = 4
    case uname = 5
    case offset = 7
    case cpuCount = 8
    case version = 9
    case timeShift = 12
    case tscToNanoseconds = 14
    case headerInfo = 16
    case ftraceEvents = 17
    case eventFormats = 18
    case kallsyms = 19
    case cmdlines = 21
    case bufferText = 22
  }

  /// Options of these numbers say where the section of the same number is.
  static func namesSection(_ number: UInt16) -> Bool {
    switch ID(rawValue: number) {
    case .headerInfo, .ftraceEvents, .eventFormats, .kallsyms, .cmdlines: true
    default: false
    }
  }

  /// A buffer as an option describes it. Version 6 has only offset and name here.
  struct Instance {
    var name: String
    var offset: UInt64
    var clock: String
    var pageSize: UInt32
    var cpus: [CPUExtent]
  }

  /// Version 7: where the sections are; the last option of a kind counts.
  var sections: [UInt16: UInt64] = [:]
  var instances: [Instance] = []
  /// An options section was missing or damaged: buffers may not have been announced.
  var isCut = false

  var hasClock = false
  /// Of the top buffer; empty where the file does not say.
  var clock = ""
  var uname = ""
  var version = ""
  var cpuCount: UInt32?
  /// DATE and OFFSET together; nanoseconds, modulo 2^64.
  var timestampOffset: UInt64 = 0
  var tsc: TimestampConversion.TSC?
  var shifts: [[TimestampConversion.ShiftSample]] = []
  var interpolatesShifts = false
  /// Events lost by the tracer's own count, by buffer name.
  var lost: [String: UInt64] = [:]
  /// The buffer that the next statistics belong to.
  private var statisticsBuffer = ""

  mutating func take(
    _ number: UInt16, _ payload: RawBlock, at place: Diagnostic.Place, _ container: Container,
    diagnostics: inout Diagnostics
  ) {
    // An option that is not known, or not needed here, is skipped: that is what options are for.
    guard let id = ID(rawValue: number) else { return }
    let order = container.header.order
    do throws(TraceError) {
      switch id {
      case .date:
        // Microseconds.
        timestampOffset = timestampOffset &+ UInt64(bitPattern: Self.number(payload.bytes) &* 1000)
      case .offset:
        timestampOffset = timestampOffset &+ UInt64(bitPattern: Self.number(payload.bytes))
      case .cpuStatistics:
        takeStatistics(payload.bytes)
      case .traceClock:
        hasClock = true
        clock = Self.selectedClock(payload.bytes) ?? clock
      case .uname:
        uname = Self.text(payload.bytes)
      case .version:
        version = Self.text(payload.bytes)
      case .cpuCount:
        var cursor = ByteCursor(block: payload, order: order, origin: place.offset)
        cpuCount = try cursor.uint32("option CPUCOUNT")
      case .tscToNanoseconds:
        var cursor = ByteCursor(block: payload, order: order, origin: place.offset)
        let multiplier = try cursor.uint32("option TSC2NSEC")
        let shift = try cursor.uint32("option TSC2NSEC")
        guard shift <= 63 else {
          throw TraceError(.corrupt, at: place, "option TSC2NSEC shifts by \(shift)")
        }
        tsc = multiplier == 0 ? nil : TimestampConversion.TSC(multiplier: multiplier, shift: shift)
      case .timeShift:
        var cursor = ByteCursor(block: payload, order: order, origin: place.offset)
        try takeShifts(&cursor)
      case .buffer:
        guard instances.count < Container.mostBuffers else {
          diagnostics.record(.limitReached, at: place, "more than \(Container.mostBuffers) buffers")
          return
        }
        var cursor = ByteCursor(block: payload, order: order, origin: place.offset)
        instances.append(try Self.instance(&cursor, version: container.header.version))
      case .bufferText:
        diagnostics.record(.unsupported, at: place, "a trace in text form (latency tracer) inside the file")
      case .headerInfo, .ftraceEvents, .eventFormats, .kallsyms, .cmdlines:
        var cursor = ByteCursor(block: payload, order: order, origin: place.offset)
        sections[number] = try cursor.uint64("option \(number)")
      }
    } catch {
      diagnostics.record(.damagedSection, at: place, error.detail)
    }
  }

  /// "BUFFER: id 3".
  private static func instance(_ cursor: inout ByteCursor, version: Int) throws(TraceError) -> Instance {
    let offset = try cursor.uint64("option BUFFER")
    let name = String(decoding: try cursor.string("name of a buffer"), as: UTF8.self)
    var instance = Instance(name: name, offset: offset, clock: "", pageSize: 0, cpus: [])
    guard version >= 7 else { return instance }
    instance.clock = String(decoding: try cursor.string("clock of a buffer"), as: UTF8.self)
    instance.pageSize = try cursor.uint32("page size of a buffer")
    let count = try cursor.uint32("number of a buffer's CPUs")
    // Each takes 20 bytes here, so a number that is too large ends by itself.
    guard UInt64(count) * 20 <= cursor.remaining, count <= Container.mostCPUs else {
      throw TraceError(
        .corrupt, at: cursor.place, "option BUFFER announces \(count) CPUs and is too short for them")
    }
    for _ in 0..<count {
      let cpu = try cursor.uint32("CPU")
      let offset = try cursor.uint64("offset of a CPU's data")
      let size = try cursor.uint64("size of a CPU's data")
      if size > 0 { instance.cpus.append(CPUExtent(cpu: cpu, offset: offset, size: size)) }
    }
    return instance
  }

  /// "TIME_SHIFT: id 12"; trace-cmd adds the scalings' fractions behind what the man page lists.
  private mutating func takeShifts(_ cursor: inout ByteCursor) throws(TraceError) {
    _ = try cursor.uint64("option TIME_SHIFT")
    let flags = try cursor.uint32("option TIME_SHIFT")
    let cpus = try cursor.uint32("option TIME_SHIFT")
    guard UInt64(cpus) * 4 <= cursor.remaining else {
      throw TraceError(
        .corrupt, at: cursor.place, "option TIME_SHIFT announces \(cpus) CPUs and is too short")
    }
    var all: [[TimestampConversion.ShiftSample]] = []
    for _ in 0..<cpus {
      let count = try cursor.uint32("option TIME_SHIFT")
      guard UInt64(count) * 24 <= cursor.remaining else {
        throw TraceError(
          .corrupt, at: cursor.place, "option TIME_SHIFT announces \(count) samples and is too short")
      }
      var samples = Array(
        repeating: TimestampConversion.ShiftSample(time: 0, offset: 0, scaling: 1, fraction: 0),
        count: Int(count))
      for index in samples.indices { samples[index].time = try cursor.uint64("time") }
      for index in samples.indices {
        samples[index].offset = Int64(bitPattern: try cursor.uint64("offset"))
      }
      for index in samples.indices { samples[index].scaling = try cursor.uint64("scaling") }
      all.append(samples)
    }
    if cursor.remaining > 0 {
      for cpu in all.indices {
        for index in all[cpu].indices { all[cpu][index].fraction = try cursor.uint64("fraction") }
      }
    }
    shifts = all.map { samples in
      var sorted: [TimestampConversion.ShiftSample] = []
      for sample in samples.sorted(by: { $0.time < $1.time }) where sorted.last?.time != sample.time {
        sorted.append(sample)
      }
      return sorted
    }
    // TRACECMD_TSYNC_FLAG_INTERPOLATE.
    interpolatesShifts = flags & 1 != 0
  }

  /// The text of `per_cpu/cpuN/stats`; a line `Buffer: NAME` on its own says whose the following ones are.
  private mutating func takeStatistics(_ text: UnsafeRawBufferPointer) {
    for line in Self.text(text).split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let value = parts[1].drop { $0 == " " }
      switch parts[0] {
      case "Buffer": statisticsBuffer = String(value)
      case "overrun", "commit overrun", "dropped events":
        if let count = UInt64(value) { lost[statisticsBuffer] = (lost[statisticsBuffer] ?? 0) &+ count }
      default: break
      }
    }
  }

  /// A C string, without trailing white space.
  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    var text = bytes.prefix { $0 != 0 }
    while let last = text.last, last <= 0x20 { text = text.dropLast() }
    return String(decoding: text, as: UTF8.self)
  }

  /// The clock in brackets: `local [global] counter`.
  static func selectedClock(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard let open = bytes.firstIndex(of: 0x5b), let close = bytes[open...].firstIndex(of: 0x5d) else {
      return nil
    }
    return String(decoding: bytes[(open + 1)..<close], as: UTF8.self)
  }

  /// What C's `strtoll(text, NULL, 0)` makes of the text: decimal, or hexadecimal behind `0x`; octal behind `0`.
  static func number(_ bytes: UnsafeRawBufferPointer) -> Int64 {
    var rest = Substring(text(bytes)).drop { $0 == " " || $0 == "\t" }
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    var radix = 10
    if rest.hasPrefix("0x") || rest.hasPrefix("0X") {
      radix = 16
      rest = rest.dropFirst(2)
    } else if rest.hasPrefix("0") {
      radix = 8
    }
    let digits = rest.prefix { $0.isASCII && ($0.hexDigitValue ?? 99) < radix }
    let magnitude = digits.isEmpty ? 0 : UInt64(digits, radix: radix) ?? .max
    if isNegative { return magnitude > UInt64(Int64.max) ? .min : -Int64(magnitude) }
    return magnitude > UInt64(Int64.max) ? .max : Int64(magnitude)
  }
}

extension Diagnostic.Place {
  /// The byte, or 0.
  fileprivate var offset: UInt64 {
    if case .byte(let offset) = self { return offset }
    return 0
  }
}
