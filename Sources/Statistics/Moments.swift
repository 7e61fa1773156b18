/// Count, mean and spread of values that are seen once, one after another, and that can be merged with those
/// of another stream.
///
/// Welford's update (Technometrics 4 (1962), 419–420), merged as in Chan, Golub and LeVeque, "Updating
/// formulae and a pairwise algorithm for computing sample variances" (Stanford STAN-CS-79-773, 1979).
public struct Moments: Hashable, Sendable {
  public private(set) var count: UInt64 = 0
  /// 0 while empty.
  public private(set) var mean = 0.0
  /// Sum of the squared deviations from the mean, "M2".
  public private(set) var squaredDeviations = 0.0

  public init() {}

  /// Takes up what another process wrote.
  public init(count: UInt64, mean: Double, squaredDeviations: Double) {
    self.count = count
    self.mean = mean
    self.squaredDeviations = squaredDeviations
  }

  public mutating func add(_ value: Double) {
    guard count < .max else { return }
    count += 1
    let deviation = value - mean
    mean += deviation / Double(count)
    squaredDeviations += deviation * (value - mean)
  }

  public mutating func merge(_ other: Moments) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      self = other
      return
    }
    let (sum, overflow) = count.addingReportingOverflow(other.count)
    let total = Double(count) + Double(other.count)
    let difference = other.mean - mean
    mean += difference * (Double(other.count) / total)
    squaredDeviations +=
      other.squaredDeviations + difference * difference * (Double(count) * (Double(other.count) / total))
    count = overflow ? .max : sum
  }

  /// Divisor n − 1; nil below two values, NaN where a value was infinite.
  public var standardDeviation: Double? {
    count > 1 ? (squaredDeviations / Double(count - 1)).squareRoot() : nil
  }
}
