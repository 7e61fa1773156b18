internal import FunctionGraph

/// Makes events of records: the numbers at the offsets that the file's formats name, the names from its tables.
struct EventDecoder {
  let formats: GraphFormats?
  let symbols: SymbolIndex
  let tasks: TaskNames
  var functions: FunctionTable
  /// Address to function.
  private var known = IntegerMap()
  private var lastPID: Int32 = 0
  private var lastComm: StringTable.ID
  private(set) var hasDecoded = false

  init(
    formats: GraphFormats?, symbols: SymbolIndex, tasks: TaskNames, functions: FunctionTable = FunctionTable()
  ) {
    self.formats = formats
    self.symbols = symbols
    self.tasks = tasks
    self.functions = functions
    lastComm = tasks.name(of: 0)
  }

  @inline(__always)
  private mutating func function(_ address: UInt64) -> FunctionID {
    if let id = known[address] { return FunctionID(rawValue: id) }
    let id = symbols.function(at: address, in: &functions)
    known.insert(address, id.rawValue)
    return id
  }

  @inline(__always)
  private mutating func comm(_ pid: Int32) -> StringTable.ID {
    if pid != lastPID {
      lastPID = pid
      lastComm = tasks.name(of: pid)
    }
    return lastComm
  }

  /// The event that `stream` stands on.
  @inline(__always)
  mutating func decode(
    _ stream: CPUStream, buffer: UInt16, unit: Timestamp.Unit, _ diagnostics: inout Diagnostics
  ) -> Event {
    var event: Event
    switch stream.pending {
    case .lost(let count):
      event = Event(kind: .lost)
      event.lostEvents = count
    case .entry:
      event = Event(kind: .entry)
      if let entry = formats?.entry { fill(&event, stream, entry.function, entry.depth) }
    case .returnAddressEntry:
      event = Event(kind: .entry)
      if let entry = formats?.returnAddressEntry { fill(&event, stream, entry.function, entry.depth) }
    case .unwound(let depth):
      event = Event(kind: .unwound)
      event.depth = max(depth, -1)
      if let pid = formats?.pid {
        event.pid = Int32(truncatingIfNeeded: stream.cursor.unsigned(pid))
        event.comm = comm(event.pid)
      }
    case .exit:
      event = Event(kind: .exit)
      if let exit = formats?.exit {
        fill(&event, stream, exit.function, exit.depth)
        if let callTime = exit.callTime, let returnTime = exit.returnTime {
          let start = stream.cursor.unsigned(callTime)
          let end = stream.cursor.unsigned(returnTime)
          // A clock that went back measured nothing; 0 would be a measurement.
          let duration = Int64(truncatingIfNeeded: end &- start)
          if duration >= 0 {
            event.duration = duration
          } else {
            diagnostics.record(
              .timeGoesBack, at: stream.recordPlace, "a call from \(start) to \(end), left without a duration"
            )
          }
        }
      }
    }
    event.buffer = buffer
    event.cpu = stream.cpu
    event.timestamp = Timestamp(value: stream.timestamp, unit: unit)
    return event
  }

  @inline(__always)
  private mutating func fill(
    _ event: inout Event, _ stream: CPUStream, _ function: RecordField, _ depth: RecordField
  ) {
    hasDecoded = true
    let cursor = stream.cursor
    event.function = self.function(cursor.unsigned(function))
    // Damaged records have any number there; less than nothing is not known.
    event.depth = max(Int32(truncatingIfNeeded: cursor.signed(depth)), -1)
    if let pid = formats?.pid {
      event.pid = Int32(truncatingIfNeeded: cursor.unsigned(pid))
      event.comm = comm(event.pid)
    }
  }
}
