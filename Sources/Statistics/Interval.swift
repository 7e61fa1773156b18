import Glibc

/// A two-sided confidence interval, with the confidence that it really has.
public struct ConfidenceInterval: Hashable, Sendable {
  public var lower: Double
  public var upper: Double
  /// The probability with which such an interval covers the true value: at least what was asked for, unless
  /// `isDecisive` is false.
  public var confidence: Double
  /// False where the data are too few for the confidence asked for; this is then the widest interval there
  /// is.
  public var isDecisive: Bool

  public init(lower: Double, upper: Double, confidence: Double, isDecisive: Bool) {
    self.lower = lower
    self.upper = upper
    self.confidence = confidence
    self.isDecisive = isDecisive
  }

  func map(_ transform: (Double) -> Double) -> ConfidenceInterval {
    ConfidenceInterval(
      lower: transform(lower), upper: transform(upper), confidence: confidence, isDecisive: isDecisive)
  }
}

/// How many times larger the first sample is than the second: 2 means twice as large.
public struct RatioEstimate: Hashable, Sendable {
  public var ratio: Double
  /// nil where there is none: one value a side, or nothing that varies in a way the method can use.
  public var interval: ConfidenceInterval?

  public init(ratio: Double, interval: ConfidenceInterval?) {
    self.ratio = ratio
    self.interval = interval
  }
}

extension ConfidenceInterval {
  /// The interval of a ratio, widened for a spread that the samples cannot show.
  ///
  /// Values taken within one run say nothing of the spread between runs. Where that is known from elsewhere
  /// as a relative standard deviation s, the ratio of two runs has about the relative standard deviation
  /// √2·s, and the interval becomes [L / (1 + z·√2·s), H · (1 + z·√2·s)] with z the normal quantile of 1 −
  /// α/2. The two uncertainties are put side by side rather than added in squares, so the result errs on the
  /// wide side.
  ///
  /// - Parameters:
  ///   - spread: relative standard deviation between runs (0.03 is 3 %); a negative one counts as 0.
  ///   - alpha: the level that the interval was asked for at.
  public func widened(byRelativeSpread spread: Double, alpha: Double) -> ConfidenceInterval {
    // Written so that a NaN widens nothing.
    let factor = 1 + max(0, -normalQuantile(alpha / 2)) * 2.0.squareRoot() * (spread > 0 ? spread : 0)
    guard factor > 1 else { return self }
    var result = self
    result.lower = lower / factor
    result.upper = upper * factor
    return result
  }
}
