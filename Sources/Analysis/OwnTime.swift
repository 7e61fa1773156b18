internal import FunctionGraph

/// Divides durations among calls so that nothing counts twice: what a call took less what the calls in it took.
///
/// `Call.selfTime` is nil where the callees are not known for certain. Here every nanosecond of an outermost call
/// goes somewhere: time that lost events would explain stays with the call that lost them, a call without an exit has none, and
/// one without an entry has what is left of it by the calls that ended inside. The sum over all calls is the sum of the
/// durations of the outermost ones (of those without an exit, of what is known inside).
struct OwnTime {
  /// Time of calls whose caller has not ended yet.
  private struct Unclaimed {
    /// On the path of calls, as they were open; calls whose caller's entry is missing stand on its level.
    var level: Int32
    var depth: Int32
    var time: Int64
  }

  /// The calls of one stack, levels and then depths ascending.
  private struct Ledger {
    var pid: Int32 = -1
    var cpu: Int32 = -1
    var buffer: UInt16 = 0
    var entries: [Unclaimed] = []
  }

  private var ledgers: [Ledger] = []
  private static let entriesLimit = 1 << 17

  /// The call's own time, nanoseconds; nil where it has no duration. May be negative, as `Call.selfTime`.
  ///
  /// - Parameters:
  ///   - level: how many calls there are on the path, this one included.
  ///   - levelsAreCut: calls beyond the limit of paths stand on their caller's level and are told by their depth.
  mutating func take(_ call: Call, level: Int32, levelsAreCut: Bool) -> Int64? {
    let place = Int(call.stack)
    while ledgers.count <= place { ledgers.append(Ledger()) }
    // A stack's number is used again when its task has long been idle.
    if ledgers[place].pid != call.pid || ledgers[place].buffer != call.buffer
      || call.pid <= 0 && ledgers[place].cpu != call.cpu
    {
      ledgers[place] = Ledger(pid: call.pid, cpu: call.cpu, buffer: call.buffer)
    }
    let depth = max(call.depth, 0)
    let claimsDeeper = call.depth >= 0 && (call.status == .noEntry || levelsAreCut)
    var inside: Int64 = 0
    while let last = ledgers[place].entries.last,
      last.level > level || claimsDeeper && last.level == level && last.depth > depth
    {
      inside &+= last.time
      ledgers[place].entries.removeLast()
    }
    var time = call.duration ?? inside
    let own = call.duration.map { $0 &- inside }
    // What stands deeper on this level can only belong to a caller of this call.
    while let last = ledgers[place].entries.last, last.level == level,
      last.depth >= depth || ledgers[place].entries.count >= Self.entriesLimit
    {
      time &+= last.time
      ledgers[place].entries.removeLast()
    }
    ledgers[place].entries.append(Unclaimed(level: level, depth: depth, time: time))
    return own
  }
}
