internal import FunctionGraph

/// Places calls on a time line, such that those of a task nest.
///
/// A viewer that is given calls with start and duration finds callers by time alone: Perfetto drops a slice that overlaps
/// another one without lying in it, and takes the first of two that start together for the caller. A trace does
/// not always give that: a duration is between `calltime` and `rettime`, on the local clock, but entry and exit
/// are known by the times of their records, on the trace clock; an interrupt may come between the one and the
/// other, and text prints microseconds.
///
/// A call is placed between its two records, or ends with the exit's where its duration is longer than that; it moves and, at
/// last, shrinks or stretches as far as the call before it and its callees make it, which are those of the records' order.
/// So every call starts at least a nanosecond after its caller and at or after the end of the one before. Calls
/// are to come in the order of their ends.
public struct TrackLayout {
  public struct Span: Sendable, Hashable {
    /// Nanoseconds of the trace clock.
    public var start: Int64
    public var length: Int64
  }

  /// Calls of one level and depth that ended one after another and whose caller has not ended yet.
  private struct Segment {
    /// On the path of calls as they were open; calls whose caller's entry is missing stand on its level.
    var level: Int32
    var depth: Int32
    /// Of the first one.
    var firstStart: Int64
    /// Where the next one can start.
    var end: Int64
  }

  /// The calls of one stack, levels and then depths ascending.
  private struct Track {
    var pid: Int32 = -1
    var cpu: Int32 = -1
    var buffer: UInt16 = 0
    var segments: [Segment] = []
  }

  private var tracks: [Track] = []
  private static let segmentsLimit = 1 << 17
  /// Callers whose entries are missing for which there is a nanosecond each.
  private static let mostMissing: Int64 = 1 << 10

  public init() {}

  /// Where a call lies; nil where the trace gives no time for it. An unfinished call reaches as far as its callees.
  ///
  public mutating func place(_ member: SelectedTrees.Member) -> Span? {
    let call = member.call
    let level = member.level
    let number = Int(call.stack)
    while tracks.count <= number { tracks.append(Track()) }
    // A stack's number is used again when its task has long been idle.
    if tracks[number].pid != call.pid || tracks[number].buffer != call.buffer
      || call.pid <= 0 && tracks[number].cpu != call.cpu
    {
      tracks[number] = Track(pid: call.pid, cpu: call.cpu, buffer: call.buffer)
    }
    let depth = max(call.depth, 0)
    let entry = call.timestamp.unit == .nanoseconds ? Self.bounded(call.timestamp.value) : nil
    let exit = call.end.unit == .nanoseconds ? Self.bounded(call.end.value) : nil
    let duration = call.duration.map { min(max($0, 0), Self.limit) }
    let ownStart = Self.start(from: entry, to: exit, lasting: duration)

    let standsBesideCallees = call.depth >= 0 && (call.status == .noEntry || member.levelsAreCut)
    var callees: Segment?
    while let last = tracks[number].segments.last {
      // The callees of a call without an entry stand beside it, as do those on a path beyond the limit.
      guard
        last.level > level
          || last.level == level && last.depth > depth && standsBesideCallees
            && last.firstStart >= ownStart ?? .max
      else { break }
      callees = Segment(
        level: level, depth: depth, firstStart: last.firstStart, end: callees?.end ?? last.end)
      tracks[number].segments.removeLast()
    }
    guard var start = ownStart else {
      if let callees { append(callees, to: number) }
      return nil
    }
    let before = tracks[number].segments.last
    if let callees {
      if let duration, start + duration < callees.end { start = callees.end - duration }
      start = min(start, callees.firstStart - 1)
    }
    // Calls that were entered since, with or without a record of it, and have not ended start before this one.
    let levels = Int64(max(0, level - (before?.level ?? 0)))
    let depths = min(Int64(max(0, depth - (before?.depth ?? 0))), Self.mostMissing)
    start = max(start, (before?.end ?? 0) + max(levels, depths))
    var length = duration ?? 0
    if let exit { length = min(length, max(0, exit - start)) }
    if let callees { length = max(length, callees.end - start) }
    append(
      Segment(
        level: level, depth: depth, firstStart: start, end: min(start + max(length, 1), 2 * Self.limit)),
      to: number)
    return Span(start: start, length: length)
  }

  /// By a call's own records: from the entry on where it fits between them, else up to the exit.
  private static func start(from entry: Int64?, to exit: Int64?, lasting duration: Int64?) -> Int64? {
    guard let duration else { return entry ?? exit }
    guard let exit, duration > exit - (entry ?? exit) else { return entry ?? exit }
    return exit - min(duration, exit)
  }

  private mutating func append(_ segment: Segment, to number: Int) {
    var segment = segment
    while let last = tracks[number].segments.last,
      last.level == segment.level && last.depth >= segment.depth
        || tracks[number].segments.count >= Self.segmentsLimit
    {
      segment.firstStart = min(segment.firstStart, last.firstStart)
      segment.end = max(segment.end, last.end)
      tracks[number].segments.removeLast()
    }
    tracks[number].segments.append(segment)
  }

  /// Damaged times and durations may be anything: they are held to this, and ends to twice as much, so that sums fit.
  private static let limit: Int64 = 1 << 60

  private static func bounded(_ nanoseconds: UInt64) -> Int64 {
    Int64(min(nanoseconds, UInt64(limit)))
  }
}
