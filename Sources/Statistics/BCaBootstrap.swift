/// The bias-corrected and accelerated (BCa) bootstrap interval of the ratio of a statistic in two independent
/// samples.
///
/// Efron, "Better bootstrap confidence intervals", Journal of the American Statistical Association 82 (1987),
/// 171–185; Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 14; the acceleration of
/// two samples as in DiCiccio and Efron, "Bootstrap confidence intervals", Statistical Science 11 (1996),
/// 189–228. Each sample is resampled on its own. The end points are type 7 quantiles of the resampled ratios.
///
/// The interval is approximate: its coverage error shrinks as 1/n, and for an extreme quantile it needs many
/// values beyond that quantile.
public enum BCaBootstrap {
  /// What is taken of each sample.
  public enum Statistic: Hashable, Sendable {
    case mean
    /// The sum; the sizes of the samples count as given, so a resample has as many values as its sample.
    case total
    /// Type 7, see `quantile`.
    case quantile(Double)
  }

  public static let defaultResamples = 9_999

  /// The ratio statistic(first) / statistic(second) with its interval.
  ///
  /// - Parameters:
  ///   - statistic: of each of the two samples.
  ///   - first: in any order, no NaN.
  ///   - second: in any order, no NaN.
  ///   - alpha: 1 less the confidence asked for. Where α/2 is below 1/(resamples + 1), the resamples cannot
  ///     show it: the interval is then not decisive and has the confidence that they can.
  ///   - resamples: the memory is 8 bytes for each.
  ///   - seed: equal seeds give equal results.
  /// - Returns: nil where a sample is empty or the ratio is not a finite number (a statistic of zero in the
  ///   second sample). The interval is nil where a sample has one value, or where more than half of the
  ///   resampled ratios are undefined.
  public static func ratio(
    _ statistic: Statistic, of first: [Double], to second: [Double], alpha: Double = 0.05,
    resamples: Int = defaultResamples, seed: UInt64
  ) -> RatioEstimate? {
    guard let first = ResampledStatistic(statistic, of: first),
      let second = ResampledStatistic(statistic, of: second)
    else { return nil }
    // Written so that a NaN becomes 0, the widest interval.
    let alpha = alpha > 0 ? min(alpha, 1) : 0
    let estimate = first.value / second.value
    guard estimate.isFinite else { return nil }
    return RatioEstimate(
      ratio: estimate,
      interval: interval(
        around: estimate, first: first, second: second, alpha: alpha, resamples: resamples, seed: seed))
  }

  private static func interval(
    around estimate: Double, first: ResampledStatistic, second: ResampledStatistic, alpha: Double,
    resamples: Int,
    seed: UInt64
  ) -> ConfidenceInterval? {
    guard first.count > 1, second.count > 1, resamples > 0 else { return nil }
    if first.isConstant, second.isConstant {
      return ConfidenceInterval(lower: estimate, upper: estimate, confidence: 1 - alpha, isDecisive: true)
    }
    var generator = SeededGenerator(seed: seed)
    var replicates: [Double] = []
    replicates.reserveCapacity(resamples)
    for _ in 0..<resamples {
      let numerator = first.resample(using: &generator)
      let replicate = numerator / second.resample(using: &generator)
      // Zero by zero is no ratio.
      if !replicate.isNaN { replicates.append(replicate) }
    }
    guard 2 * replicates.count > resamples else { return nil }
    replicates.sort()
    let levels = BCaLevels(
      bias: biasCorrection(replicates, estimate: estimate), acceleration: acceleration(first, second),
      alpha: alpha)

    let finest = 1 / Double(replicates.count + 1)
    let isResolved = alpha / 2 >= finest
    let isInside = levels.lower >= finest && levels.upper <= 1 - finest
    return ConfidenceInterval(
      lower: quantile(replicates, levels.lower), upper: quantile(replicates, levels.upper),
      confidence: isResolved ? 1 - alpha : 1 - 2 * finest, isDecisive: isResolved && isInside)
  }

  /// z₀: the normal quantile of the fraction of the replicates below the estimate, those equal to it counted
  /// half. Kept off 0 and 1 by half a replicate, where it would be infinite.
  static func biasCorrection(_ sorted: [Double], estimate: Double) -> Double {
    let below = sorted.partitioningIndex { $0 >= estimate }
    let atMost = sorted.partitioningIndex { $0 > estimate }
    let count = Double(sorted.count)
    let fraction = Double(below + atMost) / (2 * count)
    return normalQuantile(min(max(fraction, 0.5 / count), 1 - 0.5 / count))
  }

  /// a: a sixth of the skewness of the jackknife influence values of both samples.
  static func acceleration(_ first: ResampledStatistic, _ second: ResampledStatistic) -> Double {
    var cubes = 0.0
    var squares = 0.0
    func add(_ replicates: [Double]) {
      let center = mean(replicates)
      let n = Double(replicates.count)
      var cube = 0.0
      var square = 0.0
      for replicate in replicates {
        let influence = (n - 1) * (center - replicate)
        square += influence * influence
        cube += influence * influence * influence
      }
      cubes += cube / (n * n * n)
      squares += square / (n * n)
    }
    add(first.jackknife().map { $0 / second.value })
    add(second.jackknife().map { first.value / $0 })
    let result = cubes / (6 * squares * squares.squareRoot())
    // 0/0 where nothing varies, or a sample that becomes zero without one of its values.
    return result.isFinite ? result : 0
  }
}

/// The levels at which the sorted replicates are read off in place of α/2 and 1 − α/2.
struct BCaLevels {
  let lower: Double
  let upper: Double

  init(bias: Double, acceleration: Double, alpha: Double) {
    let tail = normalQuantile(alpha / 2)
    func adjusted(_ z: Double) -> Double {
      guard z.isFinite else { return z > 0 ? 1 : 0 }
      let shifted = bias + z
      let denominator = 1 - acceleration * shifted
      // Past the pole the transformation has left its range; the limit stands in.
      guard denominator > 0 else { return shifted > 0 ? 1 : 0 }
      return normalCDF(bias + shifted / denominator)
    }
    (lower, upper) = (adjusted(tail), adjusted(-tail))
  }
}

extension Array where Element == Double {
  /// The first index whose element satisfies a predicate that is false up to some index and true from it on.
  fileprivate func partitioningIndex(_ predicate: (Double) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
