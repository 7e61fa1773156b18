import Glibc

/// How many samples a comparison needs, and how small a difference it can show.
///
/// All differences are of natural logarithms, so that a ratio r and 1/r are equally far from 1. The formulas
/// are the normal ones for two equal samples (Lehmann, Nonparametrics, 2.3; Cohen, Statistical Power
/// Analysis, ch. 2), with the asymptotic relative efficiency 3/π of the rank methods for normal data. They
/// are for planning: "about".
public enum SampleSize {
  /// Of Mann–Whitney and Hodges–Lehmann against the t-test, for normal data.
  public static let rankEfficiency = 3 / Double.pi

  /// More than this is answered with nil: it is as good as never.
  public static let mostWorthPlanning = 1_000_000

  /// About how many samples a side let an interval clear a threshold.
  ///
  /// - Parameters:
  ///   - distance: from the true log ratio to the threshold on the log scale; its sign does not matter.
  ///   - logSpread: the standard deviation of one sample's logarithm (about the relative standard deviation).
  ///   - alpha: level of the interval.
  ///   - power: the chance with which the interval shall clear the threshold.
  /// - Returns: at least the smallest size for which an interval exists; nil where the distance is 0, the
  ///   spread or the distance is not finite, or the number is beyond `mostWorthPlanning`.
  public static func needed(
    distance: Double, logSpread: Double, alpha: Double = 0.05, power: Double = 0.8
  ) -> Int? {
    guard let smallest = HodgesLehmann.smallestSizeASide(alpha: alpha) else { return nil }
    guard distance != 0, distance.isFinite, logSpread.isFinite, logSpread >= 0 else { return nil }
    let z = -normalQuantile(alpha / 2) + max(0, normalQuantile(power))
    let size = 2 * (z * logSpread / distance) * (z * logSpread / distance) / rankEfficiency
    guard size <= Double(mostWorthPlanning) else { return nil }
    return max(smallest, Int(size.rounded(.up)))
  }

  /// About how many samples a side would decide between faster, slower and same: let the interval lie beyond
  /// one of the thresholds 1 + m and 1/(1 + m), or between both.
  ///
  /// - Parameters:
  ///   - ratio: the estimated ratio, taken for the true one.
  ///   - sameWithin: m, a fraction (0.02 is 2 %).
  ///   - logSpread: standard deviation of the samples' logarithms.
  ///   - alpha: 1 less the confidence asked for.
  ///   - power: the chance that so many samples do decide.
  /// - Returns: nil where no reasonable number would, as where the ratio is on a threshold.
  public static func neededToDecide(
    ratio: Double, sameWithin: Double, logSpread: Double, alpha: Double = 0.05, power: Double = 0.8
  ) -> Int? {
    guard ratio > 0, sameWithin >= 0 else { return nil }
    return needed(
      distance: abs(log(ratio)) - log(1 + sameWithin), logSpread: logSpread, alpha: alpha, power: power)
  }

  /// About how many samples a side would put the interval of a ratio on one side of a threshold such as a
  /// gate's.
  ///
  /// - Parameters:
  ///   - ratio: the estimated ratio, taken for the true one.
  ///   - threshold: on the same scale as the ratio.
  ///   - logSpread: standard deviation of the samples' logarithms.
  ///   - alpha: 1 less the confidence asked for.
  ///   - power: the chance that so many samples do decide.
  public static func needed(
    ratio: Double, threshold: Double, logSpread: Double, alpha: Double = 0.05, power: Double = 0.8
  ) -> Int? {
    guard ratio > 0, threshold > 0 else { return nil }
    return needed(
      distance: log(ratio) - log(threshold), logSpread: logSpread, alpha: alpha, power: power)
  }

  /// The minimum detectable effect of the data at hand: the smallest ratio, above 1, whose interval, as wide
  /// as this one on the log scale, would just lie beyond 1 + m.
  ///
  /// - Parameters:
  ///   - interval: of a ratio.
  ///   - sameWithin: m; 0 asks for an interval that just excludes 1.
  /// - Returns: 1.05 says that a slowdown by less than 5 % would have gone unseen; nil where the interval's
  ///   ends are not positive and finite.
  public static func smallestDetectableRatio(
    _ interval: ConfidenceInterval, sameWithin: Double = 0
  ) -> Double? {
    let ratio = (interval.upper / interval.lower).squareRoot() * (1 + sameWithin)
    guard interval.lower > 0, ratio.isFinite else { return nil }
    return ratio
  }

  /// The spread that two samples share: the pooled standard deviation of their logarithms, divisor n + m − 2.
  ///
  /// - Returns: nil where no side has two values, or a value is not positive.
  public static func pooledLogSpread(_ first: [Double], _ second: [Double]) -> Double? {
    var squares = 0.0
    var freedom = 0
    for sample in [first, second] {
      let logarithms = sample.map(logarithm)
      guard let deviation = standardDeviation(logarithms) else { continue }
      squares += deviation * deviation * Double(logarithms.count - 1)
      freedom += logarithms.count - 1
    }
    guard freedom > 0 else { return nil }
    let spread = (squares / Double(freedom)).squareRoot()
    return spread.isFinite ? spread : nil
  }
}
