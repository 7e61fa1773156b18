/// The permutation distribution of the midrank sum of tied samples: every choice of n of the N pooled values
/// is equally likely to be the first sample.
///
/// Counts the choices by dynamic programming over the groups of equal values, the state being how many of the
/// first sample were placed and twice their U so far (Streitberg and Röhmel, "Exact distributions for
/// permutation and rank tests", Statistical Software Newsletter 12 (1986), 10–17, in terms of U). Twice, so
/// that a half for a tie is whole. Counts are held as `Double`, all additions of positive numbers: relative
/// error below 1e−13.
struct MidrankDistribution {
  /// P(U ≤ u).
  let lower: Double
  /// P(U ≥ u).
  let upper: Double

  /// Whether the work, of the order of n²·m² ≤ 6.25 million steps, is small.
  static func isFeasible(_ n: Int, _ m: Int) -> Bool {
    let (product, overflow) = n.multipliedReportingOverflow(by: m)
    return !overflow && product <= RankSumDistribution.exactProduct
  }

  /// - Parameters:
  ///   - groups: sizes of the groups of equal pooled values in ascending order of value; they add up to n +
  ///     m.
  ///   - n: size of the first sample.
  ///   - m: size of the second sample.
  ///   - doubledU: 2U of the first sample, 0...2nm.
  init(groups: [Int], n: Int, m: Int, doubledU: Int) {
    let product = n * m
    // Only sums up to the observed one are counted, so start from the end that is nearer. Seen from the other
    // end of the order, and likewise with the samples exchanged, U becomes nm − U.
    let isReversed = doubledU > product
    let target = isReversed ? 2 * product - doubledU : doubledU
    let isExchanged = n > m
    let ordered = isReversed != isExchanged ? groups.reversed() : groups
    let tally = Self.tally(groups: ordered, n: min(n, m), m: max(n, m), target: target)
    let total = choose(n + m, min(n, m))
    let atMost = min(1, tally.atMost / total)
    let atLeast = max(0, 1 - tally.below / total)
    (lower, upper) = isReversed ? (atLeast, atMost) : (atMost, atLeast)
  }

  /// How many of the choices have 2U ≤ target, and how many less.
  private static func tally(groups: [Int], n: Int, m: Int, target: Int) -> (atMost: Double, below: Double) {
    let width = target + 1
    // Row k: by 2U, the ways to place k of the first sample among the groups so far.
    var ways = [Double](repeating: 0, count: (n + 1) * width)
    ways[0] = 1
    ways.withUnsafeMutableBufferPointer { ways in
      guard let base = ways.baseAddress else { return }
      var placed = 0
      for size in groups {
        let coefficients = (0...min(size, n)).map { choose(size, $0) }
        // Descending, so that the rows that are read still hold the state before this group. Rows below
        // placed + size − m would put more than m into the second sample, and no later row reads them.
        var k = min(n, placed + size)
        while k >= max(1, placed + size - m) {
          var chosen = max(1, k - placed)
          while chosen <= min(size, k) {
            let source = k - chosen
            let secondBelow = placed - source
            if secondBelow >= 0 {
              let shift = 2 * chosen * secondBelow + chosen * (size - chosen)
              let last = min(target - shift, 2 * source * secondBelow)
              accumulate(
                base + (k * width + shift), base + source * width, count: last + 1,
                factor: coefficients[chosen])
            }
            chosen += 1
          }
          k -= 1
        }
        placed += size
      }
    }
    let row = ways[(n * width)...]
    let below = row.dropLast().reduce(0, +)
    return (below + (row.last ?? 0), below)
  }

  /// target[i] += factor · source[i]; the ranges lie in different rows. Nothing where count ≤ 0, which also
  /// covers a shift beyond the row.
  @inline(__always)
  private static func accumulate(
    _ target: UnsafeMutablePointer<Double>, _ source: UnsafeMutablePointer<Double>, count: Int, factor: Double
  ) {
    var i = 0
    while i < count {
      target[i] += factor * source[i]
      i &+= 1
    }
  }
}
