/// The Mann–Whitney (Wilcoxon rank-sum) test of two independent samples, and Cliff's delta.
///
/// The hypothesis is that both samples come from one distribution. The two-sided p-value is twice the smaller
/// tail, at most 1, of the permutation distribution of the midrank sum: exact, ties included, where n·m ≤
/// 2,500 (so up to 50 a side; without ties also where the smaller side has at most 8 values and n·m ≤
/// 80,000), beyond that by the normal approximation with tie and continuity corrections (Hollander, Wolfe and
/// Chicken, Nonparametric Statistical Methods, 3rd ed., 4.1).
public struct MannWhitney: Hashable, Sendable {
  /// U of the first sample: the number of pairs in which its value is the larger, plus half the number of
  /// equal pairs.
  public var u: Double
  /// Two-sided.
  public var pValue: Double
  /// Whether the p-value is of the permutation distribution rather than of its normal approximation.
  public var isExact: Bool
  /// Cliff's delta (Psychological Bulletin 114 (1993), 494–509), in [−1, 1]: the fraction of pairs in which
  /// the first sample's value is the larger, less the fraction in which it is the smaller. Positive where the
  /// first sample tends to be larger.
  public var cliffsDelta: Double

  /// - Parameters:
  ///   - first: in any order, no NaN.
  ///   - second: in any order, no NaN.
  /// - Returns: nil where a sample is empty.
  public init?(_ first: [Double], _ second: [Double]) {
    let n = first.count
    let m = second.count
    guard n > 0, m > 0 else { return nil }
    let pooled = PooledRanks(first.sorted(), second.sorted())
    let product = n * m
    u = Double(pooled.doubledU) / 2
    cliffsDelta = Double(pooled.doubledU - product) / Double(product)

    if !pooled.hasTies {
      let distribution = RankSumDistribution(n, m)
      isExact = distribution.isExact
      let whole = pooled.doubledU / 2
      // Symmetric: both tails are the lower tail of the smaller of U and nm − U.
      pValue = min(1, 2 * distribution.cumulative(min(whole, product - whole)))
    } else if MidrankDistribution.isFeasible(n, m) {
      isExact = true
      let distribution = MidrankDistribution(groups: pooled.groups, n: n, m: m, doubledU: pooled.doubledU)
      pValue = min(1, 2 * min(distribution.lower, distribution.upper))
    } else {
      isExact = false
      pValue = pooled.normalPValue
    }
  }
}

/// Two sorted samples ranked together.
struct PooledRanks {
  let n: Int
  let m: Int
  /// Sizes of the groups of equal values, in ascending order of value.
  private(set) var groups: [Int] = []
  /// 2U of the first sample.
  private(set) var doubledU = 0

  var hasTies: Bool { groups.count < n + m }

  /// - Parameters:
  ///   - first: ascending.
  ///   - second: ascending.
  init(_ first: [Double], _ second: [Double]) {
    n = first.count
    m = second.count
    groups.reserveCapacity(n + m)
    var i = 0
    var j = 0
    while i < n || j < m {
      let value = i < n ? (j < m ? min(first[i], second[j]) : first[i]) : second[j]
      let iStart = i
      let jStart = j
      while i < n, first[i] == value { i += 1 }
      while j < m, second[j] == value { j += 1 }
      // A NaN equals nothing, itself included; it is passed over as a value of its own, so that the loop
      // ends.
      if i == iStart, j == jStart {
        if i < n { i += 1 } else { j += 1 }
      }
      groups.append(i - iStart + j - jStart)
      doubledU += (i - iStart) * (2 * jStart + j - jStart)
    }
  }

  /// The two-sided p-value by the normal approximation, with tie and continuity corrections; 1 where all
  /// values are equal.
  var normalPValue: Double {
    let size = Double(n) + Double(m)
    let tied = groups.reduce(0.0) { sum, group in
      let t = Double(group)
      return sum + t * (t * t - 1)
    }
    let variance = Double(n) * Double(m) / 12 * ((size + 1) - tied / (size * (size - 1)))
    guard variance > 0 else { return 1 }
    let distance = abs(Double(doubledU) - Double(n) * Double(m)) / 2 - 0.5
    return min(1, 2 * normalCDF(-distance / variance.squareRoot()))
  }
}
