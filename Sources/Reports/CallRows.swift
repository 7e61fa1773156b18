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

/// Rows of `export`: bytes, nothing allocated a row.
///
/// What repeats from row to row is made once: names are escaped as they come up, and what stands in front of the function
/// is kept for the last tasks.
public struct CallRowWriter {
  public enum Format: Sendable {
    case csv, jsonl
  }

  public static let csvHeader =
    "trace,buffer,cpu,pid,comm,function,module,depth,timestamp,duration_us,resolution_us,status\n"

  private let format: Format
  private let trace: [UInt8]
  private var functions = FieldTable()
  private var comms = FieldTable()
  private var buffers = FieldTable()
  /// By the low bits of CPU and task, which take turns from row to row.
  private var fronts = [RowFront](repeating: RowFront(), count: CallRowWriter.frontsCount)
  private static let frontsCount = 64
  /// Their bytes, each so many apart.
  private var frontBytes: [UInt8] = []
  private var frontStride = 0
  private var rows: [UInt8] = []

  /// - Parameters:
  ///   - format: of the rows.
  ///   - trace: the trace's path as it was named.
  public init(format: Format, trace: String) {
    self.format = format
    self.trace = Array((format == .csv ? Escaping.csv(trace) : Escaping.json(trace)).utf8)
  }

  /// Appends the call's row, line end included.
  public mutating func append(_ call: Call, _ names: CallRowNames, to out: inout [UInt8]) {
    append([call], names, to: &out)
  }

  /// Appends a row a call.
  public mutating func append(_ calls: [Call], _ names: CallRowNames, to out: inout [UInt8]) {
    addNames(names)
    let longestFront = RowFront.longest(trace, buffers, comms)
    if longestFront > frontStride {
      frontStride = longestFront
      frontBytes = [UInt8](repeating: 0, count: Self.frontsCount * longestFront)
      for place in fronts.indices { fronts[place].isSet = false }
    }
    // As many rows as fit; one at least.
    let longest = longestFront + functions.longest + Self.longestRest
    if rows.count < longest { rows = [UInt8](repeating: 0, count: max(longest, 1 << 16)) }
    // Taken out while pointers into them are used: nothing is retained or checked a row.
    var (rows, fronts, frontBytes) = (self.rows, self.fronts, self.frontBytes)
    (self.rows, self.fronts, self.frontBytes) = ([], [], [])
    defer { (self.rows, self.fronts, self.frontBytes) = (rows, fronts, frontBytes) }
    var index = 0
    while index < calls.count {
      let written = functions.withFields { functions in
        rows.withUnsafeMutableBufferPointer { rows in
          fronts.withUnsafeMutableBufferPointer { fronts in
            frontBytes.withUnsafeMutableBufferPointer { frontBytes in
              calls.withUnsafeBufferPointer { calls in
                guard let start = rows.baseAddress, let frontStart = frontBytes.baseAddress else { return 0 }
                var cursor = RowCursor(at: start)
                let last = start + rows.count - longest
                while index < calls.count, cursor.next <= last {
                  let call = calls[index]
                  let place = Int(truncatingIfNeeded: call.cpu &* 7 &+ call.pid) & (Self.frontsCount - 1)
                  let front = frontStart + place * frontStride
                  if !fronts[place].isOf(call) {
                    fronts[place].set(call, at: front, format, trace, buffers, comms)
                  }
                  cursor.put(front, fronts[place].count)
                  // Symbol and module stand in one field list.
                  functions.put(Int(call.function.rawValue), &cursor)
                  switch format {
                  case .csv: putCSV(call, &cursor)
                  case .jsonl: putJSON(call, &cursor)
                  }
                  index += 1
                }
                return cursor.next - start
              }
            }
          }
        }
      }
      out += rows[..<written]
    }
  }

  /// Numbers, names of fields and signs behind the function: at most.
  private static let longestRest = 5 * RowCursor.longestNumber + 160

  private func putCSV(_ call: Call, _ cursor: inout RowCursor) {
    let comma = UInt8(ascii: ",")
    cursor.put(comma)
    if call.depth >= 0 { cursor.put(decimal: UInt64(call.depth)) }
    cursor.put(comma)
    cursor.put(timestamp: call.timestamp)
    cursor.put(comma)
    if let duration = call.duration {
      cursor.put(thousandths: duration)
      cursor.put(comma)
      cursor.put(resolution: call.resolution)
    } else {
      cursor.put(comma)
    }
    cursor.put(comma)
    cursor.put(call.status.name)
    cursor.put(0x0a)
  }

  private func putJSON(_ call: Call, _ cursor: inout RowCursor) {
    if call.depth >= 0 {
      cursor.put(",\"depth\":")
      cursor.put(decimal: UInt64(call.depth))
    }
    if call.timestamp.unit != .none {
      cursor.put(",\"timestamp\":")
      cursor.put(timestamp: call.timestamp)
    }
    if let duration = call.duration {
      cursor.put(",\"duration_us\":")
      cursor.put(thousandths: duration)
      cursor.put(",\"resolution_us\":")
      cursor.put(resolution: call.resolution)
    }
    cursor.put(",\"status\":\"")
    cursor.put(call.status.name)
    cursor.put("\"}\n")
  }

  // MARK: Names

  private mutating func addNames(_ names: CallRowNames) {
    while functions.count < names.functions.count {
      let name = names.functions[FunctionID(rawValue: UInt32(functions.count))]
      functions.append(
        format == .csv
          ? Escaping.csvName(name.symbol) + "," + Escaping.csvName(name.module)
          : ",\"function\":" + Escaping.json(name.symbol) + ",\"module\":" + Escaping.json(name.module))
    }
    while comms.count < names.comms.count {
      comms.append(escaped(names.comms[StringTable.ID(rawValue: UInt32(comms.count))]))
    }
    while buffers.count < max(1, names.buffers.count) {
      buffers.append(escaped(buffers.count < names.buffers.count ? names.buffers[buffers.count].name : ""))
    }
  }

  private func escaped(_ name: String) -> String {
    format == .csv ? Escaping.csvName(name) : Escaping.json(name)
  }
}

/// Escaped names one behind the other, by number; what has no number is empty.
private struct FieldTable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private(set) var longest = 0

  var count: Int { ends.count }

  mutating func append(_ text: String) {
    bytes += Array(text.utf8)
    longest = max(longest, bytes.count - (ends.last ?? 0))
    ends.append(bytes.count)
  }

  /// The same, for as long as nothing is added.
  struct Fields {
    fileprivate let bytes: UnsafePointer<UInt8>
    fileprivate let ends: UnsafeBufferPointer<Int>

    @inline(__always)
    func put(_ number: Int, _ cursor: inout RowCursor) {
      guard number < ends.count else { return }
      let start = number > 0 ? ends[number - 1] : 0
      cursor.put(bytes + start, ends[number] - start)
    }
  }

  func withFields(_ body: (Fields) -> Int) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
      ends.withUnsafeBufferPointer { ends in
        // Without bytes all fields are empty, and nothing is read there.
        var none: UInt8 = 0
        return withUnsafePointer(to: &none) { body(Fields(bytes: bytes.baseAddress ?? $0, ends: ends)) }
      }
    }
  }

  func field(_ number: Int) -> ArraySlice<UInt8> {
    guard number < ends.count else { return [] }
    return bytes[(number > 0 ? ends[number - 1] : 0)..<ends[number]]
  }
}

/// What stands in front of the function: trace, buffer, CPU and task.
private struct RowFront: BitwiseCopyable {
  /// Bytes of it.
  private(set) var count = 0
  private var buffer: UInt16 = 0
  private var cpu: Int32 = 0
  private var pid: Int32 = 0
  private var comm: UInt32 = 0
  var isSet = false

  @inline(__always)
  func isOf(_ call: Call) -> Bool {
    isSet && call.cpu == cpu && call.pid == pid && call.comm.rawValue == comm && call.buffer == buffer
  }

  static func longest(_ trace: [UInt8], _ buffers: FieldTable, _ comms: FieldTable) -> Int {
    trace.count + buffers.longest + comms.longest + 2 * RowCursor.longestNumber + 64
  }

  /// - Parameter place: has room for `longest` bytes.
  mutating func set(
    _ call: Call, at place: UnsafeMutablePointer<UInt8>, _ format: CallRowWriter.Format, _ trace: [UInt8],
    _ buffers: FieldTable, _ comms: FieldTable
  ) {
    (buffer, cpu, pid, comm, isSet) = (call.buffer, call.cpu, call.pid, call.comm.rawValue, true)
    let cpu = call.cpu >= 0 ? String(call.cpu) : ""
    let pid = call.pid >= 0 ? String(call.pid) : ""
    var bytes: [UInt8] = []
    switch format {
    case .csv:
      bytes += trace
      bytes.append(UInt8(ascii: ","))
      bytes += buffers.field(Int(buffer))
      bytes += ",\(cpu),\(pid),".utf8
      bytes += comms.field(Int(comm))
      bytes.append(UInt8(ascii: ","))
    case .jsonl:
      bytes += "{\"trace\":".utf8
      bytes += trace
      bytes += ",\"buffer\":".utf8
      bytes += buffers.field(Int(buffer))
      if !cpu.isEmpty { bytes += ",\"cpu\":\(cpu)".utf8 }
      if !pid.isEmpty { bytes += ",\"pid\":\(pid)".utf8 }
      bytes += ",\"comm\":".utf8
      bytes += comms.field(Int(comm))
    }
    count = bytes.count
    bytes.withUnsafeBufferPointer { bytes in
      if let base = bytes.baseAddress { place.update(from: base, count: bytes.count) }
    }
  }
}

extension Call.Status {
  /// As the contract's `status` column has it.
  var name: StaticString {
    switch self {
    case .complete: "complete"
    case .unfinished: "unfinished"
    case .noEntry: "no-entry"
    case .lost: "lost"
    }
  }
}
