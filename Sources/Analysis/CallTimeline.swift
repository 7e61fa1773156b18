public import FunctionGraph
internal import Statistics

/// When each call of a function began, and how long it took: every call, or beyond a limit every second, fourth, ... one.
public struct CallTimeline: Sendable, Hashable {
  /// Calls of one function that are kept.
  public static let limit = 1 << 14
  /// Calls of all functions of a trace that are kept, times the logarithm of the number of functions.
  static let budget = 1 << 18

  /// What one more function may keep beside so many others.
  static func limit(beside others: Int) -> Int { max(16, min(limit, budget / (others + 1))) }

  /// As the trace's clock has it: nanoseconds, or ticks where the clock is no time.
  public private(set) var starts: [UInt64] = []
  /// Nanoseconds; as many as `starts`, in the order in which the calls ended.
  public private(set) var durations: [Int64] = []
  /// One call of so many is kept: 1 for all.
  public private(set) var every = 1
  /// Whether `starts` are nanoseconds.
  public private(set) var startsAreTime = true
  private var toSkip = 0
  private var limit: Int

  public init(limit: Int = CallTimeline.limit) {
    self.limit = max(2, limit)
  }

  /// As it was stored; nil where that cannot have been.
  init?(starts: [UInt64], durations: [Int64], every: Int, startsAreTime: Bool) {
    guard starts.count == durations.count, starts.count <= Self.limit, every >= 1 else { return nil }
    self.init()
    self.starts = starts
    self.durations = durations
    self.every = every
    self.startsAreTime = startsAreTime
  }

  public var count: Int { starts.count }

  /// Takes a call; one whose start or duration is not known has no place here.
  public mutating func add(_ start: Timestamp, _ duration: Int64) {
    guard start.unit != .none else { return }
    let isTime = start.unit == .nanoseconds
    if starts.isEmpty, toSkip == 0 { startsAreTime = isTime }
    guard isTime == startsAreTime else { return }
    if toSkip > 0 {
      toSkip -= 1
      return
    }
    if starts.count >= limit { halve() }
    starts.append(start.value)
    durations.append(duration)
    toSkip = every - 1
  }

  /// Every second call of those that are kept, the first among them.
  private mutating func halve() {
    let count = (starts.count + 1) / 2
    for index in 0..<count {
      starts[index] = starts[2 * index]
      durations[index] = durations[2 * index]
    }
    starts.removeLast(starts.count - count)
    durations.removeLast(durations.count - count)
    every *= 2
  }

  /// A call, by its start after the first one's.
  public struct Point: Sendable, Hashable {
    /// Nanoseconds, or ticks, after the start of the first call.
    public var offset: Double
    /// Nanoseconds.
    public var duration: Double
  }

  /// The calls of several timelines of one trace in the order in which they began.
  public static func points(_ timelines: [CallTimeline]) -> [Point] {
    guard let first = timelines.lazy.compactMap({ $0.starts.min() }).min() else { return [] }
    return timelines.flatMap { timeline in
      zip(timeline.starts, timeline.durations).map {
        Point(offset: Double($0 &- first), duration: Double($1))
      }
    }.sorted { ($0.offset, $0.duration) < ($1.offset, $1.duration) }
  }

  /// How the duration drifts: the median of each of some runs of consecutive calls, at the middle of their starts. At most
  /// `most` of them, of at least five calls each; empty below ten calls.
  public static func trend(_ points: [Point], most: Int = 40) -> [Point] {
    let pieces = min(most, points.count / 5)
    guard pieces >= 2 else { return [] }
    return (0..<pieces).map { piece in
      let part = points[piece * points.count / pieces..<(piece + 1) * points.count / pieces]
      return Point(offset: median(part.map(\.offset)), duration: median(part.map(\.duration)))
    }
  }
}
