import Synchronization

/// The distribution of the Mann–Whitney statistic U of two samples without ties, where both come from one
/// distribution.
///
/// P(U ≤ u) is a sum of coefficients of the Gaussian binomial coefficient [n+m choose n]_q, here multiplied
/// out as the quotient of products (Harding, "An efficient, minimal-storage procedure for calculating the
/// Mann–Whitney U, generalized U and similar distributions", Applied Statistics 33 (1984), 1–6). In whole
/// numbers modulo 2¹²⁸, so that the subtractions lose nothing: C(100, 50) ≈ 1.0e29 fits. Where that is out of
/// reach, the normal approximation with continuity correction.
struct RankSumDistribution: Sendable {
  let n: Int
  let m: Int
  /// P(U ≤ u) for 0 ≤ u ≤ nm/2; nil where the normal approximation stands in.
  private let lowerHalf: [Double]?

  /// The exact distribution is used up to this product of the sizes, which covers 50 a side.
  static let exactProduct = 2_500
  /// And up to this size of the smaller side, where the normal approximation would be poor however large the
  /// other is…
  static let exactSmallerSide = 8
  /// … up to this product.
  static let exactLopsidedProduct = 80_000

  var isExact: Bool { lowerHalf != nil }
  var mean: Double { Double(n) * Double(m) / 2 }
  var standardDeviation: Double { (Double(n) * Double(m) * (Double(n) + Double(m) + 1) / 12).squareRoot() }

  /// - Parameters:
  ///   - n: size of one sample; not negative.
  ///   - m: size of the other.
  init(_ n: Int, _ m: Int) {
    self.n = min(n, m)
    self.m = max(n, m)
    let (product, overflow) = n.multipliedReportingOverflow(by: m)
    let limit = self.n <= Self.exactSmallerSide ? Self.exactLopsidedProduct : Self.exactProduct
    guard !overflow, product <= limit, let total = exactChoose(self.n + self.m, self.n) else {
      lowerHalf = nil
      return
    }
    lowerHalf = Self.cachedLowerHalf(self.n, self.m, total: total)
  }

  /// P(U ≤ u).
  func cumulative(_ u: Int) -> Double {
    if u < 0 { return 0 }
    guard let lowerHalf else { return normalCDF((Double(u) + 0.5 - mean) / standardDeviation) }
    let product = n * m
    if u >= product { return 1 }
    // The distribution is symmetric about nm/2.
    return u < lowerHalf.count ? lowerHalf[u] : 1 - lowerHalf[product - u - 1]
  }

  /// The largest c with P(U ≤ c − 1) ≤ `tail`, not beyond the middle; 0 where not even P(U = 0) is that
  /// small.
  ///
  /// The c-th smallest and the c-th largest of the nm differences bound an interval of confidence 1 − 2·P(U ≤
  /// c − 1).
  func criticalRank(tail: Double) -> Int {
    var c = 0
    var beyond = (n * m + 1) / 2 + 1
    // Invariant: c is good (0 always is), beyond is not. A NaN tail finds 0.
    while beyond - c > 1 {
      let middle = c + (beyond - c) / 2
      if cumulative(middle - 1) <= tail { c = middle } else { beyond = middle }
    }
    return c
  }

  // MARK: Exact distribution

  private struct Sizes: Hashable {
    var n: Int
    var m: Int
  }

  /// Filled up to 50 a side only, which bounds it to some 10 MB.
  private static let cache = Mutex<[Sizes: [Double]]>([:])

  private static func cachedLowerHalf(_ n: Int, _ m: Int, total: UInt128) -> [Double] {
    guard m <= 50 else { return exactLowerHalf(n, m, total: total) }
    let sizes = Sizes(n: n, m: m)
    if let known = cache.withLock({ $0[sizes] }) { return known }
    let computed = exactLowerHalf(n, m, total: total)
    cache.withLock { $0[sizes] = computed }
    return computed
  }

  /// Multiplies by (1 − q^(m+i)) and divides by (1 − q^i) for i in 1...n, up to the power nm/2.
  private static func exactLowerHalf(_ n: Int, _ m: Int, total: UInt128) -> [Double] {
    let degree = n * m / 2
    var counts = [UInt128](repeating: 0, count: degree + 1)
    counts[0] = 1
    counts.withUnsafeMutableBufferPointer { counts in
      var i = 1
      while i <= n {
        let step = m + i
        var u = degree
        while u >= step {
          counts[u] &-= counts[u - step]
          u -= 1
        }
        u = i
        while u <= degree {
          counts[u] &+= counts[u - i]
          u += 1
        }
        i += 1
      }
    }
    var sum: UInt128 = 0
    let divisor = Double(total)
    return counts.map { count in
      sum &+= count
      return Double(sum) / divisor
    }
  }
}
