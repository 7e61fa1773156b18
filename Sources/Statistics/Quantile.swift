/// The p-quantile of a sample in ascending order: Hyndman–Fan type 7 (The American Statistician 50 (1996),
/// 361–365), the default of R and NumPy: linear between the order statistics around (n − 1)p.
///
/// - Parameters:
///   - sorted: ascending, no NaN.
///   - p: clamped to [0, 1].
/// - Returns: in the unit of the values; NaN of an empty sample.
public func quantile(_ sorted: [Double], _ p: Double) -> Double {
  guard !sorted.isEmpty else { return .nan }
  let position = QuantilePosition(count: sorted.count, p)
  return position.interpolate(sorted[position.lower], sorted[position.upper])
}

/// The median of a sample in any order; NaN of an empty sample.
public func median(_ values: [Double]) -> Double {
  quantile(values.sorted(), 0.5)
}

/// Where a type 7 quantile lies among the order statistics of `count` values, counted from 0.
struct QuantilePosition {
  let lower: Int
  /// How far the quantile lies from `lower` towards the next order statistic, in [0, 1).
  let fraction: Double

  /// The order statistic that is interpolated towards: `lower` itself where nothing is.
  var upper: Int { fraction > 0 ? lower + 1 : lower }

  /// - Parameter count: at least 1.
  init(count: Int, _ p: Double) {
    // Written so that a NaN becomes 0.
    let level = p > 0 ? min(p, 1) : 0
    let position = Double(count - 1) * level
    lower = min(Int(position), count - 1)
    fraction = lower < count - 1 ? position - Double(lower) : 0
  }

  func interpolate(_ low: Double, _ high: Double) -> Double {
    if fraction == 0 || low == high { return low }
    let difference = high - low
    // Two opposite infinities have no point between them; the lower one is as good as any.
    if !difference.isFinite { return low.isInfinite ? low : low * (1 - fraction) + high * fraction }
    // From the nearer end, so that the result is monotone in p.
    return fraction < 0.5 ? low + difference * fraction : high - difference * (1 - fraction)
  }
}
