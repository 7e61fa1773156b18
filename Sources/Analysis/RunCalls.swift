internal import FunctionGraph
public import Statistics

/// The calls of one function in one run, as a drawing shows them: one by one.
public struct RunCalls: Sendable {
  public var path: String
  /// Calls with a known duration.
  public var count: Int
  /// Nanoseconds, in the order in which the calls ended: all of them, or a uniform sample where there are more than the
  /// analysis keeps.
  public var durations: [Double]
  /// Nanoseconds; of all calls.
  public var median: Double
  /// In the order in which they began; in the order in which they ended, with the call's number as the offset, where the
  /// input tells no times.
  public var points: [CallTimeline.Point]
  public var hasTimes: Bool
  /// One call of so many is among `points`.
  public var every: Int
  /// Whether the points' offsets are nanoseconds; else ticks of the clock.
  public var startsAreTime: Bool

  /// - Parameters:
  ///   - path: the run's.
  ///   - parts: what the run has of the function, by buffer and symbol.
  public init(path: String, parts: [FunctionDurations]) {
    let known = parts.filter { $0.count > 0 }
    self.path = path
    count = known.reduce(0) { $0 + $1.count }
    durations = known.flatMap(\.durations.storedDurations)
    median = known.isEmpty ? 0 : Samples.quantile(of: Comparator.RunDurations(parts: known), 0.5)
    let timelines = known.compactMap(\.timeline)
    // Ticks of one clock and nanoseconds of another have no axis in common.
    let alike = timelines.filter { $0.startsAreTime == timelines[0].startsAreTime }
    let timed = CallTimeline.points(alike)
    hasTimes = !timed.isEmpty
    points =
      hasTimes
      ? timed
      : durations.enumerated().map { CallTimeline.Point(offset: Double($0.offset + 1), duration: $0.element) }
    every = alike.map(\.every).max() ?? 1
    startsAreTime = alike.first?.startsAreTime ?? true
  }

  /// Whether `durations` are all there are.
  public var isWhole: Bool { durations.count == count }
}

extension ComparedSide {
  /// Each run's calls of a function, by the name that pairs the sides; runs without a known duration of it are left out.
  public func calls(of name: String) -> [RunCalls] {
    runs.compactMap { run in
      let calls = RunCalls(path: run.path, parts: run.parts(of: name))
      return calls.count > 0 ? calls : nil
    }
  }

  /// The trees of a function, one a run, buffer and symbol.
  public func trees(of name: String) -> [CalleeTree] {
    runs.flatMap { $0.parts(of: name).compactMap(\.tree) }
  }
}

extension TraceAnalysis {
  fileprivate func parts(of name: String) -> [FunctionDurations] {
    functions.filter { FunctionPattern.strippingSuffixes($0.function.symbol) == name }
  }
}

/// A sample's median with its interval, quartiles and ends, for a drawing of its distribution. Nanoseconds.
public struct Spread: Sendable, Hashable {
  public var minimum: Double
  public var lowerQuartile: Double
  public var median: Double
  public var upperQuartile: Double
  public var maximum: Double
  /// Of the median; nil where there are too few values for one.
  public var interval: ConfidenceInterval?

  public init?(_ values: [Double], alpha: Double = 0.05) {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    minimum = first
    maximum = last
    lowerQuartile = quantile(sorted, 0.25)
    median = quantile(sorted, 0.5)
    upperQuartile = quantile(sorted, 0.75)
    interval = ConfidenceInterval.ofMedian(sorted: sorted, alpha: alpha)
  }
}
