internal import FunctionGraph

/// What one record of the function graph tracer says, before its numbers have names.
struct GraphRecord {
  /// `entry`, `exit`, `lost`, `unwound`, or of the watched records of other events.
  var kind: Event.Kind
  /// Only `lost`; 0 where the file does not say.
  var lostEvents: UInt64 = 0
  /// Converted.
  var timestamp: UInt64
  var address: UInt64 = 0
  /// Nanoseconds, only `exit`; −1 where there is none.
  var duration: Int64 = -1
  var pid: Int32 = -1
  /// −1 where the record has none that can be.
  var depth: Int32 = -1
  /// Where a sieve leaves records out: whether it is the first one of its task's turn on its CPU.
  var turn = Turn.Start.none
  /// Only `switched`: the task that ran before. Only of interrupts: which.
  var detail: Int32 = -1

  /// The last record of a task's turn, of which nothing else matters.
  init(lastOf pid: Int32, at timestamp: UInt64) {
    kind = .unwound
    self.timestamp = timestamp
    self.pid = pid
    // Below all calls, so that none ends.
    depth = .max
  }

  /// The record that `stream` stands on.
  @inline(__always)
  init(
    _ stream: CPUStream, _ formats: GraphFormats?, _ diagnostics: inout Diagnostics,
    watched: WatchedRecords? = nil
  ) {
    timestamp = stream.timestamp
    turn = stream.turn
    switch stream.pending {
    case .lost(let count):
      kind = .lost
      lostEvents = count
    case .entry:
      kind = .entry
      if let entry = formats?.entry { fill(stream, formats, entry.function, entry.depth) }
    case .returnAddressEntry:
      kind = .entry
      if let entry = formats?.returnAddressEntry { fill(stream, formats, entry.function, entry.depth) }
    case .unwound(let depth):
      kind = .unwound
      self.depth = max(depth, -1)
      if let pid = formats?.pid { self.pid = Int32(truncatingIfNeeded: stream.cursor.unsigned(pid)) }
    case .switched:
      kind = .switched
      guard let watched else { return }
      pid = Int32(truncatingIfNeeded: stream.cursor.unsigned(watched.next))
      detail = Int32(truncatingIfNeeded: stream.cursor.unsigned(watched.previous))
    case .interrupt(let source, let isExit):
      kind = isExit ? .interruptExit : .interruptEntry
      detail = Int32(source)
      if let field = formats?.pid { pid = Int32(truncatingIfNeeded: stream.cursor.unsigned(field)) }
    case .exit:
      kind = .exit
      guard let exit = formats?.exit else { return }
      fill(stream, formats, exit.function, exit.depth)
      guard let callTime = exit.callTime, let returnTime = exit.returnTime else { return }
      let start = stream.cursor.unsigned(callTime)
      let end = stream.cursor.unsigned(returnTime)
      // A clock that went back measured nothing; 0 would be a measurement.
      duration = Int64(truncatingIfNeeded: end &- start)
      if duration < 0 {
        duration = -1
        diagnostics.record(
          .timeGoesBack, at: stream.recordPlace, "a call from \(start) to \(end), left without a duration")
      }
    }
  }

  /// Of an exit behind a loss: see `CallBuilder.isPlausible`.
  func isPlausible(since entry: UInt64, _ unit: Timestamp.Unit) -> Bool {
    CallBuilder.isPlausible(
      duration, from: Timestamp(value: entry, unit: unit), to: Timestamp(value: timestamp, unit: unit))
  }

  @inline(__always)
  private mutating func fill(
    _ stream: CPUStream, _ formats: GraphFormats?, _ function: RecordField, _ depth: RecordField
  ) {
    let cursor = stream.cursor
    address = cursor.unsigned(function)
    // Damaged records have any number there; less than nothing is not known.
    self.depth = max(Int32(truncatingIfNeeded: cursor.signed(depth)), -1)
    if let pid = formats?.pid { self.pid = Int32(truncatingIfNeeded: cursor.unsigned(pid)) }
  }
}
