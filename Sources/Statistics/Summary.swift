/// What is said of one sample. All figures but `count` are in the unit of the values.
public struct Summary: Hashable, Sendable {
  public var count: Int
  public var minimum: Double
  /// The median.
  public var p50: Double
  public var p90: Double
  public var p99: Double
  public var maximum: Double
  public var mean: Double
  /// Divisor n − 1; nil of one value.
  public var standardDeviation: Double?
  public var total: Double

  /// - Parameter values: in any order, no NaN.
  /// - Returns: nil of an empty sample.
  public init?(_ values: [Double]) {
    self.init(sorted: values.sorted())
  }

  /// - Parameter sorted: ascending, no NaN.
  /// - Returns: nil of an empty sample.
  public init?(sorted: [Double]) {
    guard let first = sorted.first, let last = sorted.last else { return nil }
    count = sorted.count
    minimum = first
    maximum = last
    p50 = quantile(sorted, 0.5)
    p90 = quantile(sorted, 0.9)
    p99 = quantile(sorted, 0.99)
    total = compensatedSum(sorted)
    mean = total / Double(sorted.count)
    standardDeviation = Statistics.standardDeviation(sorted)
  }
}
