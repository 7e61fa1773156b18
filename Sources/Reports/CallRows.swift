public import FunctionGraph

/// The names that calls stand for, as bytes ready for rows: looked up once a name, not once a call.
public struct CallRowNames {
  public var functions: FunctionTable
  public var comms: StringTable
  public var buffers: [TraceDescription.Buffer]

  public init(functions: FunctionTable, comms: StringTable, buffers: [TraceDescription.Buffer]) {
    self.functions = functions
    self.comms = comms
    self.buffers = buffers
  }
}

/// Rows of `export`: bytes appended to a buffer, nothing allocated a row.
public struct CallRowWriter {
  public enum Format: Sendable {
    case csv, jsonl
  }

  public static let csvHeader =
    "trace,buffer,cpu,pid,comm,function,module,depth,timestamp,duration_us,resolution_us,status\n"

  private let format: Format
  private let trace: [UInt8]
  /// Escaped names by their numbers; filled as they are needed.
  private var functionFields: [[UInt8]?] = []
  private var commFields: [[UInt8]?] = []
  private var bufferFields: [[UInt8]?] = []

  /// - Parameters:
  ///   - format: of the rows.
  ///   - trace: the trace's path as it was named.
  public init(format: Format, trace: String) {
    self.format = format
    self.trace = Array((format == .csv ? Escaping.csv(trace) : Escaping.json(trace)).utf8)
  }

  /// Appends the call's row, line end included.
  public mutating func append(_ call: Call, _ names: CallRowNames, to out: inout [UInt8]) {
    switch format {
    case .csv: appendCSV(call, names, &out)
    case .jsonl: appendJSON(call, names, &out)
    }
  }

  private mutating func appendCSV(_ call: Call, _ names: CallRowNames, _ out: inout [UInt8]) {
    let comma = UInt8(ascii: ",")
    out += trace
    out.append(comma)
    out += bufferField(call.buffer, names)
    out.append(comma)
    if call.cpu >= 0 { out.append(decimal: UInt64(call.cpu)) }
    out.append(comma)
    if call.pid >= 0 { out.append(decimal: UInt64(call.pid)) }
    out.append(comma)
    out += commField(call.comm, names)
    out.append(comma)
    // Symbol and module stand in one field list: `symbol,module`.
    out += functionField(call.function, names)
    out.append(comma)
    if call.depth >= 0 { out.append(decimal: UInt64(call.depth)) }
    out.append(comma)
    out.append(timestamp: call.timestamp)
    out.append(comma)
    if let duration = call.duration {
      out.append(thousandths: duration)
      out.append(comma)
      out.append(resolution: call.resolution)
    } else {
      out.append(comma)
    }
    out.append(comma)
    out += call.status.name
    out.append(0x0a)
  }

  private mutating func appendJSON(_ call: Call, _ names: CallRowNames, _ out: inout [UInt8]) {
    out += Array("{\"trace\":".utf8)
    out += trace
    out += Array(",\"buffer\":".utf8)
    out += bufferField(call.buffer, names)
    if call.cpu >= 0 {
      out += Array(",\"cpu\":".utf8)
      out.append(decimal: UInt64(call.cpu))
    }
    if call.pid >= 0 {
      out += Array(",\"pid\":".utf8)
      out.append(decimal: UInt64(call.pid))
    }
    out += Array(",\"comm\":".utf8)
    out += commField(call.comm, names)
    out += functionField(call.function, names)
    if call.depth >= 0 {
      out += Array(",\"depth\":".utf8)
      out.append(decimal: UInt64(call.depth))
    }
    if call.timestamp.unit != .none {
      out += Array(",\"timestamp\":".utf8)
      out.append(timestamp: call.timestamp)
    }
    if let duration = call.duration {
      out += Array(",\"duration_us\":".utf8)
      out.append(thousandths: duration)
      out += Array(",\"resolution_us\":".utf8)
      out.append(resolution: call.resolution)
    }
    out += Array(",\"status\":\"".utf8)
    out += call.status.name
    out += Array("\"}\n".utf8)
  }

  // MARK: Names

  private mutating func functionField(_ id: FunctionID, _ names: CallRowNames) -> [UInt8] {
    let index = Int(id.rawValue)
    if index < functionFields.count, let field = functionFields[index] { return field }
    let name = names.functions[id]
    let text =
      switch format {
      case .csv: Escaping.csvName(name.symbol) + "," + Escaping.csvName(name.module)
      case .jsonl:
        ",\"function\":" + Escaping.json(name.symbol) + ",\"module\":" + Escaping.json(name.module)
      }
    return Self.keep(Array(text.utf8), at: index, in: &functionFields)
  }

  private mutating func commField(_ id: StringTable.ID, _ names: CallRowNames) -> [UInt8] {
    let index = Int(id.rawValue)
    if index < commFields.count, let field = commFields[index] { return field }
    return Self.keep(escaped(names.comms[id]), at: index, in: &commFields)
  }

  private mutating func bufferField(_ buffer: UInt16, _ names: CallRowNames) -> [UInt8] {
    let index = Int(buffer)
    if index < bufferFields.count, let field = bufferFields[index] { return field }
    let name = index < names.buffers.count ? names.buffers[index].name : ""
    return Self.keep(escaped(name), at: index, in: &bufferFields)
  }

  private func escaped(_ name: String) -> [UInt8] {
    Array((format == .csv ? Escaping.csvName(name) : Escaping.json(name)).utf8)
  }

  /// More names than this are written without being kept.
  static let keptNames = 1 << 16

  private static func keep(_ field: [UInt8], at index: Int, in fields: inout [[UInt8]?]) -> [UInt8] {
    guard index < keptNames else { return field }
    while fields.count <= index { fields.append(nil) }
    fields[index] = field
    return field
  }
}

extension Call.Status {
  /// As the contract's `status` column has it.
  var name: [UInt8] {
    switch self {
    case .complete: Array("complete".utf8)
    case .unfinished: Array("unfinished".utf8)
    case .noEntry: Array("no-entry".utf8)
    case .lost: Array("lost".utf8)
    }
  }
}

extension [UInt8] {
  mutating func append(decimal value: UInt64) {
    if value < 10 {
      append(0x30 + UInt8(value))
      return
    }
    let start = count
    var rest = value
    while rest > 0 {
      append(0x30 + UInt8(rest % 10))
      rest /= 10
    }
    self[start...].reverse()
  }

  /// Nanoseconds as microseconds, three decimals.
  mutating func append(thousandths nanoseconds: Int64) {
    if nanoseconds < 0 { append(UInt8(ascii: "-")) }
    let magnitude = nanoseconds.magnitude
    append(decimal: magnitude / 1_000)
    append(UInt8(ascii: "."))
    let fraction = magnitude % 1_000
    append(0x30 + UInt8(fraction / 100))
    append(0x30 + UInt8(fraction / 10 % 10))
    append(0x30 + UInt8(fraction % 10))
  }

  /// Nanoseconds as microseconds: three decimals, none where it is whole (`0.001`, `0.100`, `1`).
  mutating func append(resolution nanoseconds: UInt32) {
    if nanoseconds % 1_000 == 0 {
      append(decimal: UInt64(nanoseconds / 1_000))
    } else {
      append(thousandths: Int64(nanoseconds))
    }
  }

  /// Seconds with nine decimals, or the raw number; nothing where there is none.
  mutating func append(timestamp: Timestamp) {
    switch timestamp.unit {
    case .none: return
    case .raw: append(decimal: timestamp.value)
    case .nanoseconds:
      append(decimal: timestamp.value / 1_000_000_000)
      append(UInt8(ascii: "."))
      var divisor: UInt64 = 100_000_000
      let fraction = timestamp.value % 1_000_000_000
      while divisor > 0 {
        append(0x30 + UInt8(fraction / divisor % 10))
        divisor /= 10
      }
    }
  }
}
