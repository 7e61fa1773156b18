internal import FunctionGraph

/// Makes events of records: the numbers at the offsets that the file's formats name, the names from its tables.
struct EventDecoder {
  let formats: GraphFormats?
  var symbols: SymbolIndex
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

  /// The event that a record of `cpu` tells of.
  @inline(__always)
  mutating func decode(_ record: GraphRecord, cpu: Int32, buffer: UInt16, unit: Timestamp.Unit) -> Event {
    var event = Event(kind: record.kind)
    switch record.kind {
    case .entry, .exit:
      hasDecoded = true
      event.function = function(record.address)
      event.depth = record.depth
      event.pid = record.pid
      event.comm = comm(record.pid)
      if record.duration >= 0 { event.duration = record.duration }
    case .unwound:
      event.depth = record.depth
      event.pid = record.pid
      event.comm = comm(record.pid)
    case .switched:
      event.pid = record.pid
      event.previousPid = record.detail
    case .interruptEntry, .interruptExit:
      event.pid = record.pid
      event.interrupt = UInt8(truncatingIfNeeded: record.detail)
    default:
      event.lostEvents = record.lostEvents
    }
    event.buffer = buffer
    event.cpu = cpu
    event.timestamp = Timestamp(value: record.timestamp, unit: unit)
    return event
  }
}
