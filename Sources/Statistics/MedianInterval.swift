extension ConfidenceInterval {
  /// The distribution-free interval of a median: the r-th smallest and r-th largest value, with the largest r whose
  /// coverage 1 − 2·P(B < r), B binomial of n and ½, is not below 1 − alpha.
  ///
  /// Hollander, Wolfe, Chicken, "Nonparametric Statistical Methods", 3rd ed., section 3.6 (Thompson 1936).
  ///
  /// - Parameters:
  ///   - sorted: ascending.
  ///   - alpha: 1 less the least coverage.
  /// - Returns: nil where even the smallest and the largest value do not reach 1 − alpha (below six values at 0.05).
  public static func ofMedian(sorted: [Double], alpha: Double) -> ConfidenceInterval? {
    let n = sorted.count
    guard n > 1, alpha > 0, alpha < 1 else { return nil }
    // P(B < r) grows with r.
    var below = 0.0
    var rank = 0
    var tail = 0.0
    while rank < n / 2 {
      below += binomialHalf(n, rank)
      if 2 * below > alpha { break }
      rank += 1
      tail = below
    }
    guard rank > 0 else { return nil }
    return ConfidenceInterval(
      lower: sorted[rank - 1], upper: sorted[n - rank], confidence: 1 - 2 * tail, isDecisive: true)
  }
}
