public import Analysis
internal import FunctionGraph

/// Calls as Chrome's trace event format has them (JSON), for Perfetto's and Chrome's trace viewers.
///
/// "Trace Event Format" (Duffy and others, Google): complete events (`"ph":"X"`), times in microseconds with three decimals, so
/// to the nanosecond, on the trace clock.
///
/// - A process (`pid`) is a buffer of a trace; a thread (`tid`) a task, wherever it runs, by its number. The idle task of each CPU is
///   one of its own, as is a CPU whose task the trace does not name, with numbers that no task has.
/// - `dur` is the call's duration; where it had to be drawn otherwise (`TrackLayout`) the duration is `args.duration_us`. A call that
///   is not `complete` has `args.status`; one that is `unfinished` reaches as far as its callees.
/// - Calls come as they end, callees before their callers, which is why the file can be written without keeping any.
public struct ChromeTraceWriter {
  /// Numbers from here on are no task's (PID_MAX_LIMIT, include/linux/threads.h).
  static let idleTasks: UInt64 = 1 << 22
  static let unknownTasks: UInt64 = 1 << 23
  /// Tracks beyond this many are named again.
  static let namedTracksLimit = 1 << 16

  private struct Process: Hashable {
    var trace: Int
    var buffer: UInt16
    var column: UInt8
  }

  private struct Track: Hashable {
    var process: Int
    var tid: UInt64
  }

  private var trace = -1
  private var path = ""
  private var processes: [Process: Int] = [:]
  private var names: [Track: StringTable.ID] = [:]
  private var lastTrack: (track: Track, comm: StringTable.ID)?
  private var layout = TrackLayout()
  /// `"name":"...","cat":"..."` by function; filled as they are needed.
  /// More names than this are written without being kept.
  private static let keptNames = 1 << 16
  private var functionFields: [[UInt8]?] = []
  private var isFirst = true
  /// Calls of this trace that were left out since it gives no time for them, and all others.
  public private(set) var untimed = 0
  public private(set) var written = 0

  public init() {}

  public func begin(_ out: inout [UInt8]) {
    out += Array(
      "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"generator\":\"pinstat \(pinstatVersion)\"},\"traceEvents\":[\n"
        .utf8
    )
  }

  public func end(_ out: inout [UInt8]) {
    out += Array("\n]}\n".utf8)
  }

  /// Begins the next trace.
  public mutating func begin(trace path: String) {
    trace += 1
    self.path = path
    names.removeAll(keepingCapacity: true)
    lastTrack = nil
    layout = TrackLayout()
    functionFields.removeAll(keepingCapacity: true)
    untimed = 0
    written = 0
  }

  /// What the user should know of the trace that was written last.
  public var remarks: [String] {
    guard untimed > 0, written > 0 else { return [] }
    return ["warning: \(counted(untimed, "call")) left out: the trace gives no time for them"]
  }

  public mutating func append(
    _ member: SelectedTrees.Member, _ names: CallRowNames, to out: inout [UInt8]
  ) {
    let call = member.call
    guard let span = layout.place(member) else {
      untimed += 1
      return
    }
    written += 1
    let track = track(of: call, names, &out)
    separate(&out)
    out += functionField(call.function, names)
    out += Self.complete
    out.append(thousandths: span.start)
    out += Self.duration
    out.append(thousandths: span.length)
    append(track, to: &out)
    out += Self.args
    var separator = Self.openBrace
    if call.cpu >= 0 {
      out.append(separator)
      out += Self.cpu
      out.append(decimal: UInt64(call.cpu))
      separator = Self.comma
    }
    if call.status != .complete {
      out.append(separator)
      out += Self.status
      out += call.status.name.withUTF8Buffer(Array.init)
      out.append(UInt8(ascii: "\""))
      separator = Self.comma
    }
    if let duration = call.duration, duration != span.length {
      out.append(separator)
      out += Self.trueDuration
      out.append(thousandths: duration)
      separator = Self.comma
    }
    if separator == Self.openBrace { out.append(separator) }
    out += Self.closing
  }

  private static let openBrace = UInt8(ascii: "{")
  private static let comma = UInt8(ascii: ",")
  private static let complete = Array(",\"ph\":\"X\",\"ts\":".utf8)
  private static let duration = Array(",\"dur\":".utf8)
  private static let pid = Array(",\"pid\":".utf8)
  private static let tid = Array(",\"tid\":".utf8)
  private static let args = Array(",\"args\":".utf8)
  private static let cpu = Array("\"cpu\":".utf8)
  private static let status = Array("\"status\":\"".utf8)
  private static let trueDuration = Array("\"duration_us\":".utf8)
  private static let closing = Array("}}".utf8)

  private mutating func separate(_ out: inout [UInt8]) {
    if !isFirst { out += [Self.comma, 0x0a] }
    isFirst = false
  }

  private func append(_ track: Track, to out: inout [UInt8]) {
    out += Self.pid
    out.append(decimal: UInt64(track.process))
    out += Self.tid
    out.append(decimal: track.tid)
  }

  // MARK: Tracks

  private mutating func track(of call: Call, _ names: CallRowNames, _ out: inout [UInt8]) -> Track {
    let cpu = UInt64(max(0, Int64(call.cpu) + 1))
    let tid =
      switch call.pid {
      case 0: Self.idleTasks + cpu
      case ..<0: Self.unknownTasks + cpu
      default: UInt64(call.pid)
      }
    let track = Track(process: process(of: call, names, &out), tid: tid)
    if let lastTrack, lastTrack.track == track, lastTrack.comm == call.comm { return track }
    lastTrack = (track, call.comm)
    if self.names[track] == call.comm { return track }
    if self.names.count >= Self.namedTracksLimit { self.names.removeAll(keepingCapacity: true) }
    self.names[track] = call.comm
    let comm = names.comms[call.comm]
    let place = call.cpu >= 0 ? "CPU \(call.cpu)" : "unknown CPU"
    let name =
      switch call.pid {
      case 0: (comm.isEmpty ? "<idle>" : comm) + ", " + place
      case ..<0: comm.isEmpty ? place : comm + ", " + place
      default: comm.isEmpty ? "\(call.pid)" : "\(comm)-\(call.pid)"
      }
    describe(track, "thread_name", name, &out)
    return track
  }

  private mutating func process(of call: Call, _ names: CallRowNames, _ out: inout [UInt8]) -> Int {
    let process = Process(trace: trace, buffer: call.buffer, column: call.column)
    if let known = processes[process] { return known }
    let number = processes.count + 1
    processes[process] = number
    var name = path == "-" ? "standard input" : path
    let buffer = Int(call.buffer) < names.buffers.count ? names.buffers[Int(call.buffer)].name : ""
    if !buffer.isEmpty { name += ", buffer \(buffer)" }
    if call.column > 0 { name += ", column \(call.column + 1)" }
    describe(Track(process: number, tid: 0), "process_name", name, &out)
    return number
  }

  private mutating func describe(_ track: Track, _ what: String, _ name: String, _ out: inout [UInt8]) {
    separate(&out)
    out += Array("{\"name\":\"\(what)\",\"ph\":\"M\"".utf8)
    append(track, to: &out)
    out += Array(",\"args\":{\"name\":\(Escaping.json(name))}}".utf8)
  }

  private mutating func functionField(_ id: FunctionID, _ names: CallRowNames) -> [UInt8] {
    let index = Int(id.rawValue)
    if index < functionFields.count, let field = functionFields[index] { return field }
    let name = names.functions[id]
    let symbol = name.symbol.isEmpty ? "[unknown]" : name.symbol
    let category = name.module.isEmpty ? "kernel" : name.module
    let field = Array("{\"name\":\(Escaping.json(symbol)),\"cat\":\(Escaping.json(category))".utf8)
    guard index < Self.keptNames else { return field }
    while functionFields.count <= index { functionFields.append(nil) }
    functionFields[index] = field
    return field
  }
}
