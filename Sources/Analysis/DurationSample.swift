internal import FunctionGraph
internal import Statistics

/// The known durations of one function, nanoseconds: all of them up to a cap, beyond it what adds up.
///
/// Up to `exactLimit` durations every figure is exact. Beyond it the quantiles come from a sketch with a stated relative
/// error, and comparisons from a seeded uniform subsample; count, sum, mean, standard deviation, minimum and maximum stay
/// exact.
public struct DurationSample: Sendable {
  public static let exactLimit = 100_000
  /// How many durations a comparison looks at, as the contract has it.
  public static let comparedLimit = 10_000

  public private(set) var count = 0
  /// Nanoseconds, in the order in which the calls ended; empty once `isExact` is false.
  public private(set) var values: [Int64] = []
  public private(set) var total: Int64 = 0
  /// The coarsest resolution that the source printed a duration with, nanoseconds.
  public private(set) var resolution: UInt32 = 0
  /// The resolution of durations that were printed as 0, nanoseconds.
  public private(set) var zeroResolution: UInt32 = 1
  public private(set) var minimum: Int64 = .max
  public private(set) var maximum: Int64 = .min
  private var moments = ExactMoments()
  private var sketch: QuantileSketch?
  private var reservoir: PrioritySample?
  /// Of a run that a summary holds the figures of, and neither its durations nor a sketch.
  private var figures: RunFigures?
  private var limit: Int
  /// How many of too many stand for all.
  private let sampling: Int

  public init(limit: Int = DurationSample.exactLimit) {
    self.init(limit: limit, sampling: min(limit, Self.comparedLimit))
  }

  /// - Parameter sampling: how many of more than `limit` are kept for comparisons.
  init(limit: Int, sampling: Int) {
    self.limit = limit
    self.sampling = sampling
  }

  /// False once there were more durations than are kept.
  public private(set) var isExact = true

  /// Whether there are durations of single calls, all or a sample of them: a summary has none.
  public var hasCalls: Bool { figures == nil && (isExact || reservoir?.values.isEmpty == false) }

  /// The relative error of a quantile; 0 where it is exact.
  public var quantileError: Double { sketch?.relativeError ?? figures?.relativeError ?? 0 }

  public mutating func add(_ duration: Int64, resolution: UInt32) {
    add(duration, resolution: resolution, priority: nil)
  }

  /// - Parameter priority: how soon it is taken into the sample that stands for too many durations, lowest first: a random
  ///   number; nil for one drawn here.
  @inline(__always)
  mutating func add(_ duration: Int64, resolution: UInt32, priority: UInt64?) {
    count += 1
    total = total.addingReportingOverflow(duration).overflow ? .max : total + duration
    self.resolution = max(self.resolution, resolution)
    if duration == 0 { zeroResolution = max(zeroResolution, resolution) }
    minimum = min(minimum, duration)
    maximum = max(maximum, duration)
    moments.add(duration)
    if isExact {
      if values.count < limit {
        values.append(duration)
        return
      }
      spill()
    }
    sketch?.add(Double(duration))
    if let priority {
      reservoir?.add(Double(duration), priority: priority)
    } else {
      reservoir?.add(Double(duration))
    }
  }

  /// What adding many durations at once takes besides samples: memory for each batch would be got and given back 40,000
  /// times for 400 MB of trace.
  struct Scratch {
    /// Spares logarithms.
    fileprivate var bins = QuantileSketch.BinCache()
    fileprivate var values: [Int64] = []
    fileprivate var entries: [PrioritySample.Entry] = []
  }

  /// Adds durations with their priorities to a sample that keeps none of them one by one, all at once.
  ///
  /// - Parameter scratch: kept by the caller from one time to the next, also for several samples.
  mutating func add(
    _ durations: UnsafeBufferPointer<TimedDuration>, _ scratch: inout Scratch,
    priority: (TimedDuration) -> UInt64
  ) {
    if isExact { spill() }
    // Who has a reservoir has a sketch: to ask that one, too, would copy it, and count its references.
    guard reservoir != nil, !durations.isEmpty else { return }
    reservoir?.add(durations, &scratch.entries, priority: priority)
    count += durations.count
    resolution = max(resolution, 1)
    if scratch.values.count < durations.count {
      scratch.values = Array(repeating: 0, count: durations.count)
    }
    scratch.values.withUnsafeMutableBufferPointer { room in
      let values = UnsafeMutableBufferPointer(rebasing: room[..<durations.count])
      var known = QuantileSketch.WholeNumbers(minimum: .max, maximum: .min, sum: 0)
      for index in 0..<durations.count {
        let value = durations[index].duration
        values[index] = value
        known.minimum = min(known.minimum, value)
        known.maximum = max(known.maximum, value)
        known.sum &+= value
      }
      let (low, high) = (known.minimum, known.maximum)
      minimum = min(minimum, low)
      maximum = max(maximum, high)
      var sum = known.sum
      if low < 0 || high.multipliedReportingOverflow(by: Int64(durations.count)).overflow {
        sum = 0
        for value in values {
          let (next, overflow) = sum.addingReportingOverflow(value)
          sum = overflow ? .max : next
        }
      }
      total = total.addingReportingOverflow(sum).overflow ? .max : total + sum
      if low <= 0, high >= 0, values.contains(0) { zeroResolution = max(zeroResolution, 1) }
      moments.add(UnsafeBufferPointer(values), sum: sum, least: low, greatest: high)
      sketch!.add(UnsafeBufferPointer(values), known, &scratch.bins)
    }
  }

  /// Adds durations that were summed up elsewhere, and too many there to be kept. What the first ones were summed up in is
  /// taken as it is: nobody should hold it any more.
  mutating func merge(_ other: consuming DurationSample) {
    guard other.sketch != nil, other.reservoir != nil else { return }
    let isFirst = isExact && values.isEmpty
    if isExact, !isFirst { spill() }
    isExact = false
    count += other.count
    total = total.addingReportingOverflow(other.total).overflow ? .max : total + other.total
    resolution = max(resolution, other.resolution)
    zeroResolution = max(zeroResolution, other.zeroResolution)
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    moments.merge(other.moments)
    if isFirst {
      sketch = other.sketch.take()
      reservoir = other.reservoir.take()
      reservoir?.lowerCapacity(to: sampling)
    } else if let otherSketch = other.sketch, let otherReservoir = other.reservoir {
      sketch?.merge(otherSketch)
      reservoir?.merge(otherReservoir)
    }
  }

  /// Some durations were printed this coarsely, none of those that were printed as 0.
  mutating func lowerResolution(to resolution: UInt32) {
    if count > 0 { self.resolution = max(self.resolution, resolution) }
  }

  /// Keeps no more than `limit` durations from now on.
  mutating func lowerLimit(to limit: Int) {
    self.limit = min(self.limit, limit)
    if isExact, values.count > self.limit { spill() }
    reservoir?.lowerCapacity(to: self.limit)
  }

  private mutating func spill() {
    var sketch = QuantileSketch()
    var reservoir = PrioritySample(capacity: sampling)
    for value in values {
      sketch.add(Double(value))
      reservoir.add(Double(value))
    }
    self.sketch = sketch
    self.reservoir = reservoir
    values = []
    isExact = false
  }

  /// Of the durations, nanoseconds; nil without any.
  public var mean: Double? {
    guard count > 0 else { return nil }
    // The sum is exact, and the same in whatever order they came; a run's figures hold nothing else.
    return figures == nil && total == .max ? moments.moments.mean : Double(total) / Double(count)
  }
  /// With n − 1; nil below two durations.
  public var standardDeviation: Double? { moments.standardDeviation }

  /// Type 7 of Hyndman and Fan, nanoseconds; from the sketch where not all durations are kept.
  public func quantile(_ p: Double) -> Double? {
    guard count > 0 else { return nil }
    if let sketch { return sketch.quantile(p) }
    if let figures { return figures.quantile(p, minimum: minimum, maximum: maximum) }
    return Statistics.quantile(sorted, p)
  }

  /// Several quantiles for one sort.
  public func quantiles(_ ps: [Double]) -> [Double?] {
    guard count > 0 else { return ps.map { _ in nil } }
    if sketch != nil || figures != nil { return ps.map(quantile) }
    let sorted = sorted
    return ps.map { Statistics.quantile(sorted, $0) }
  }

  private var sorted: [Double] { values.sortedByDigits().map(Double.init) }

  /// Positive durations for a comparison, nanoseconds, at most `comparedLimit`: one of 0 counts as half its resolution,
  /// since it was shorter than the source can print.
  public func compared(seed: UInt64) -> [Double] {
    let zero = Double(zeroResolution) / 2
    let all = reservoir?.values ?? values.map(Double.init)
    let chosen = all.count > Self.comparedLimit ? subsample(Self.comparedLimit, from: all, seed: seed) : all
    return chosen.map { $0 > 0 ? $0 : zero }
  }

  // MARK: Stored form

  /// What a baseline keeps: all durations, or the sample of them, nanoseconds.
  var storedDurations: [Double] { reservoir?.values ?? values.map(Double.init) }

  var storedSketch: (sketch: QuantileSketch, moments: Moments)? { sketch.map { ($0, moments.moments) } }

  /// Takes up what a baseline kept of more durations than it could hold.
  init(
    count: Int, total: Int64, minimum: Int64, maximum: Int64, mean: Double, squaredDeviations: Double,
    relativeError: Double, zeroCount: UInt64, bins: [(Int, UInt64)], sampled: [Double], resolution: UInt32,
    zeroResolution: UInt32
  ) {
    limit = Self.exactLimit
    sampling = Self.comparedLimit
    isExact = false
    self.count = count
    self.total = total
    self.minimum = minimum
    self.maximum = maximum
    self.resolution = resolution
    self.zeroResolution = zeroResolution
    moments = ExactMoments(
      Moments(count: UInt64(max(0, count)), mean: mean, squaredDeviations: squaredDeviations))
    sketch =
      QuantileSketch(
        relativeError: relativeError, bins: bins.map { QuantileSketch.Bin(index: $0.0, count: $0.1) },
        zeroCount: zeroCount, sum: Double(total), minimum: Double(minimum), maximum: Double(maximum))
      ?? QuantileSketch()
    reservoir = PrioritySample(sampled, capacity: Self.comparedLimit)
  }

  // MARK: What adds up

  /// Nil of a run's figures, which do not add up.
  public var sums: DurationSums? {
    guard figures == nil else { return nil }
    var sums = DurationSums()
    sums.count = count
    sums.total = total
    sums.minimum = minimum
    sums.maximum = maximum
    sums.squaredDeviations = moments.moments.squaredDeviations
    sums.resolution = resolution
    sums.zeroResolution = zeroResolution
    if let sketch {
      sums.sketch = sketch
    } else {
      for value in values { sums.sketch.add(Double(value)) }
    }
    return sums
  }

  /// Takes up what a summary kept of all calls together.
  init(_ sums: DurationSums) {
    limit = Self.exactLimit
    sampling = Self.comparedLimit
    isExact = false
    count = sums.count
    total = sums.total
    minimum = sums.minimum
    maximum = sums.maximum
    resolution = sums.resolution
    zeroResolution = sums.zeroResolution
    moments = ExactMoments(
      Moments(
        count: UInt64(max(0, count)), mean: sums.mean ?? 0, squaredDeviations: sums.squaredDeviations))
    sketch = sums.sketch
  }

  /// Takes up what a summary kept of one run.
  init(_ figures: RunFigures) {
    limit = Self.exactLimit
    sampling = Self.comparedLimit
    isExact = false
    count = figures.count
    total = figures.total
    minimum = figures.minimum
    maximum = figures.maximum
    resolution = figures.resolution
    self.figures = figures
  }
}

/// One run's figures of one function, as a summary keeps them: what can be compared between runs, in a few numbers.
public struct RunFigures: Sendable, Hashable {
  public var count: Int
  /// Nanoseconds.
  public var total: Int64
  public var minimum: Int64
  public var maximum: Int64
  public var median: Double
  public var p99: Double
  public var resolution: UInt32
  /// Of median and p99: 0 where they are exact.
  public var relativeError: Double

  public init(
    count: Int, total: Int64, minimum: Int64, maximum: Int64, median: Double, p99: Double, resolution: UInt32,
    relativeError: Double
  ) {
    self.count = count
    self.total = total
    self.minimum = minimum
    self.maximum = maximum
    self.median = median
    self.p99 = p99
    self.resolution = resolution
    self.relativeError = relativeError
  }

  /// Nil where it was not kept.
  func quantile(_ p: Double, minimum: Int64, maximum: Int64) -> Double? {
    switch p {
    case 0: Double(minimum)
    case 0.5: median
    case 0.99: p99
    case 1: Double(maximum)
    default: nil
    }
  }
}
