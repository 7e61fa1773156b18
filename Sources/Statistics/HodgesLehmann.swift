import Glibc

/// The Hodges–Lehmann estimate of the shift between two samples, with its distribution-free confidence
/// interval.
///
/// The estimate is the median of the nm differences first[i] − second[j]; the interval runs from the c-th
/// smallest to the c-th largest of them, where P(U ≤ c − 1) ≤ α/2 under the null distribution of the
/// Mann–Whitney U (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd ed., 4.2 and 4.3;
/// Lehmann, Nonparametrics, 2.5). Its confidence, 1 − 2·P(U ≤ c − 1), is exact for continuous distributions
/// and at least that with ties. Where n·m is beyond 2,500 and neither side is tiny (see
/// `RankSumDistribution`), U is taken as normal.
///
/// It assumes that the samples are independent and differ by a shift only. Durations differ by a factor
/// rather, so take logarithms: `ratio(of:to:alpha:)`.
public struct HodgesLehmann: Hashable, Sendable {
  /// How much larger the first sample is, in the unit of the values.
  public var shift: Double
  /// In the unit of the values; nil of one value a side.
  public var interval: ConfidenceInterval?

  /// - Parameters:
  ///   - first: in any order, no NaN.
  ///   - second: in any order, no NaN.
  ///   - alpha: 1 less the confidence asked for.
  /// - Returns: nil where a sample is empty.
  public init?(_ first: [Double], _ second: [Double], alpha: Double = 0.05) {
    guard !first.isEmpty, !second.isEmpty else { return nil }
    let differences = PairwiseDifferences(sorted: first.sorted(), second.sorted())
    shift = differences.median
    guard differences.count > 1 else {
      interval = nil
      return
    }
    let distribution = RankSumDistribution(first.count, second.count)
    let critical = distribution.criticalRank(tail: alpha / 2)
    let rank = max(1, critical)
    interval = ConfidenceInterval(
      lower: differences.select(rank), upper: differences.select(differences.count + 1 - rank),
      confidence: max(0, 1 - 2 * distribution.cumulative(rank - 1)), isDecisive: critical > 0)
  }

  /// The ratio between two samples of positive values: the shift of their logarithms, as a factor.
  ///
  /// - Parameters:
  ///   - first: a value that is not positive counts as infinitely small (its logarithm is −∞).
  ///   - second: a value that is not positive counts as infinitely small (its logarithm is −∞).
  ///   - alpha: 1 less the confidence asked for.
  /// - Returns: nil where a sample is empty.
  public static func ratio(
    of first: [Double], to second: [Double], alpha: Double = 0.05
  ) -> RatioEstimate? {
    guard let estimate = HodgesLehmann(first.map(logarithm), second.map(logarithm), alpha: alpha) else {
      return nil
    }
    return RatioEstimate(ratio: exp(estimate.shift), interval: estimate.interval?.map { exp($0) })
  }

  /// The smallest size, of two equal samples, for which an interval of confidence 1 − α exists: 2 / C(2n, n)
  /// ≤ α. 4 at α = 0.05. nil where α is not positive.
  public static func smallestSizeASide(alpha: Double) -> Int? {
    guard alpha > 0 else { return nil }
    // C(2n, n) ≥ 2ⁿ exceeds every 2/α before n reaches 1,100.
    return (1..<1_100).first { 2 / choose(2 * $0, $0) <= alpha }
  }
}

/// The natural logarithm; −∞ for what is not positive, so that no NaN arises.
func logarithm(_ value: Double) -> Double {
  value > 0 ? log(value) : -.infinity
}
