import Glibc

/// A statistic of one sample: its value, its jackknife values, and its value in a bootstrap resample.
struct ResampledStatistic {
  let value: Double
  let count: Int
  let isConstant: Bool
  private let kind: BCaBootstrap.Statistic
  /// Ascending.
  private let sorted: [Double]

  /// nil of an empty sample, and of one beyond the 32-bit indices that `resample` draws.
  init?(_ kind: BCaBootstrap.Statistic, of values: [Double]) {
    guard let first = values.first, values.count <= Int32.max else { return nil }
    self.kind = kind
    sorted = values.sorted()
    count = values.count
    isConstant = sorted.allSatisfy { $0 == first }
    switch kind {
    case .mean: value = isConstant ? first : mean(values)
    case .total: value = compensatedSum(values)
    case .quantile(let p): value = quantile(sorted, p)
    }
  }

  /// The statistic without each of the values in turn, in ascending order of the value left out. `count` at
  /// least 2.
  func jackknife() -> [Double] {
    switch kind {
    case .mean, .total:
      let total = compensatedSum(sorted)
      // Left with one value less, the total is scaled up: the influence values are those of n times the mean.
      let scale = kind == .total ? Double(count) / Double(count - 1) : 1 / Double(count - 1)
      return sorted.map { (total - $0) * scale }
    case .quantile(let p):
      let position = QuantilePosition(count: count - 1, p)
      return sorted.indices.map { left in
        // Behind the gap the order statistics are one further on.
        let low = sorted[position.lower + (position.lower >= left ? 1 : 0)]
        let high = sorted[position.upper + (position.upper >= left ? 1 : 0)]
        return position.interpolate(low, high)
      }
    }
  }

  /// The statistic of `count` values drawn with replacement.
  func resample(using generator: inout SeededGenerator) -> Double {
    if isConstant { return value }
    switch kind {
    case .mean: return resampledSum(using: &generator) / Double(count)
    case .total: return resampledSum(using: &generator)
    case .quantile(let p): return resampledQuantile(p, using: &generator)
    }
  }

  /// Two indices from each 64-bit draw, by multiplication: an index is too likely by at most n/2³² of itself,
  /// 2·10⁻⁶ for 10,000 values.
  private func resampledSum(using generator: inout SeededGenerator) -> Double {
    sorted.withUnsafeBufferPointer { values in
      let bound = UInt64(values.count)
      var local = generator
      var even = 0.0
      var odd = 0.0
      var left = values.count
      while left > 1 {
        let draw = local.next()
        even += values[Int(truncatingIfNeeded: ((draw & 0xffff_ffff) &* bound) &>> 32)]
        odd += values[Int(truncatingIfNeeded: ((draw &>> 32) &* bound) &>> 32)]
        left &-= 2
      }
      if left == 1 { even += values[Int(truncatingIfNeeded: ((local.next() &>> 32) &* bound) &>> 32)] }
      generator = local
      return even + odd
    }
  }

  /// A quantile of a resample without the resample.
  ///
  /// Drawing with replacement is taking sorted[⌊n·U⌋] for n independent uniforms U, and this grows with U: so
  /// the r-th smallest value of a resample is sorted[⌊n·U₍ᵣ₎⌋]. U₍ᵣ₎ is Beta(r, n + 1 − r), a ratio of gamma
  /// variables, and given it the next one is the smallest of n − r uniforms above it (Devroye, Non-Uniform
  /// Random Variate Generation (1986), V.3).
  private func resampledQuantile(_ p: Double, using generator: inout SeededGenerator) -> Double {
    let position = QuantilePosition(count: count, p)
    let rank = position.lower + 1
    let low = generator.nextGamma(shape: Double(rank))
    let high = generator.nextGamma(shape: Double(count + 1 - rank))
    let uniform = low / (low + high)
    let value = sorted[index(uniform)]
    guard position.fraction > 0 else { return value }
    let next = 1 - (1 - uniform) * pow(generator.nextUniform(), 1 / Double(count - rank))
    return position.interpolate(value, sorted[max(index(uniform), index(next))])
  }

  private func index(_ uniform: Double) -> Int {
    min(Int(uniform * Double(count)), count - 1)
  }
}

extension SeededGenerator {
  /// A gamma variable of scale 1: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM
  /// Transactions on Mathematical Software 26 (2000), 363–372.
  ///
  /// - Parameter shape: at least 1.
  mutating func nextGamma(shape: Double) -> Double {
    let d = shape - 1.0 / 3.0
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normalQuantile(nextUniform())
      let root = 1 + c * x
      if root <= 0 { continue }
      let v = root * root * root
      if log(nextUniform()) < 0.5 * x * x + d * (1 - v + log(v)) { return d * v }
    }
  }
}
