public import Statistics

/// What adds up of durations: two of these, of two traces, make that of both.
///
/// Count, sum, minimum, maximum and the sketch's bins come out the same in whatever order they are merged; the sum of
/// squared deviations but for the rounding of its addition.
public struct DurationSums: Sendable, Hashable {
  public var count = 0
  /// Nanoseconds; saturates at 292 years.
  public var total: Int64 = 0
  /// Nanoseconds; `Int64.max` while empty.
  public var minimum: Int64 = .max
  /// Nanoseconds; `Int64.min` while empty.
  public var maximum: Int64 = .min
  /// About the mean, nanoseconds².
  public var squaredDeviations = 0.0
  /// Of durations in nanoseconds.
  public var sketch = QuantileSketch()
  /// The coarsest resolution that a source printed a duration with, and a duration of 0, nanoseconds.
  public var resolution: UInt32 = 0
  public var zeroResolution: UInt32 = 1

  public init() {}

  /// Nanoseconds; nil while empty.
  public var mean: Double? { count > 0 ? Double(total) / Double(count) : nil }

  private var moments: Moments {
    Moments(count: UInt64(max(0, count)), mean: mean ?? 0, squaredDeviations: squaredDeviations)
  }

  /// Nanoseconds, with n − 1; nil below two durations.
  public var standardDeviation: Double? { moments.standardDeviation }

  /// Nanoseconds, within the sketch's relative error; the smallest and the largest exactly. Nil while empty.
  public func quantile(_ p: Double) -> Double? { sketch.quantile(p) }

  /// - Returns: false, and nothing happens, where the sketches have different relative errors.
  public mutating func merge(_ other: DurationSums) -> Bool {
    if other.count == 0 {
      resolution = max(resolution, other.resolution)
      zeroResolution = max(zeroResolution, other.zeroResolution)
      return true
    }
    guard count > 0 else {
      let old = self
      self = other
      resolution = max(resolution, old.resolution)
      zeroResolution = max(zeroResolution, old.zeroResolution)
      return true
    }
    guard sketch.merge(other.sketch) else { return false }
    var merged = moments
    merged.merge(other.moments)
    squaredDeviations = merged.squaredDeviations
    count = count.plus(other.count)
    total = total.plus(other.total)
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    resolution = max(resolution, other.resolution)
    zeroResolution = max(zeroResolution, other.zeroResolution)
    return true
  }
}

extension FixedWidthInteger {
  /// The sum, or the nearest number to it that there is: stored counts are not to be trusted with an overflow.
  func plus(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    guard overflow else { return sum }
    return other < 0 ? .min : .max
  }
}
