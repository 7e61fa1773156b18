/// What a measured duration is made of, and what another variant would make of it.
public struct Headroom: Sendable, Hashable {
  /// What another variant would bring.
  public struct Step: Sendable, Hashable {
    public var variant: Variant
    /// Predicted, nanoseconds, on the scale of the measured duration.
    public var duration: PriceInterval
    /// The measured duration divided by that.
    public var speedup: Double
    /// Nanoseconds less than measured; below 0: slower.
    public var gain: Double
    /// As in `Prediction`.
    public var firstWrongIOVA: UInt64?
  }

  public var variant: Variant
  /// Nanoseconds.
  public var measured: Double
  /// What the profile predicts for it, before scaling.
  public var predicted: PriceInterval
  /// Share of each part of the work, by the profile; they add up to 1.
  public var shares: [Operation.Part: Double]
  /// How much of the predicted gain was reached: (before − after) measured, by predicted. Above 1: more than predicted.
  /// nil without a *before*, or where none was predicted.
  public var shareOfPredictedGain: Double?
  /// The variants that would be faster than this one, the fastest last; those that map wrongly here are left out.
  public var steps: [Step]
}

extension CostProfile {
  /// Takes a measured *after* apart.
  /// - Parameters:
  ///   - scenario: what was mapped.
  ///   - variant: of the kernel that was measured.
  ///   - measured: nanoseconds, above 0.
  ///   - before: the duration before, and by which variant; the profile is then scaled to reproduce it.
  ///   - operation: that was measured.
  public func headroom(
    _ scenario: Scenario, _ variant: Variant, measured: Double,
    before: (variant: Variant, nanoseconds: Double)? = nil, _ operation: DMAOperation = .map
  ) throws(ModelError) -> Headroom {
    guard measured.isFinite, measured > 0 else { throw .invalidDuration(measured) }
    var profile = self
    var shareOfGain: Double?
    if let before {
      profile = try scaled(toReproduce: before.nanoseconds, of: before.variant, in: scenario, operation)
      let predictedGain = before.nanoseconds - profile.price(scenario, variant, operation)
      if predictedGain > 0 { shareOfGain = (before.nanoseconds - measured) / predictedGain }
    }
    let own = profile.predict(scenario, variant, operation)
    let price = own.duration.nanoseconds
    guard price > 0 else { throw .invalidDuration(price) }
    var shares: [Operation.Part: Double] = [:]
    for part in Operation.Part.allCases {
      let share = profile.price(own.counts, part: part) / price
      if share > 0 { shares[part] = share }
    }
    let onScale = measured / price
    var steps: [Headroom.Step] = []
    for other in Variant.allCases where other != variant {
      let prediction = profile.predict(scenario, other, operation)
      guard prediction.error == nil, prediction.mapsCorrectly, prediction.duration.nanoseconds > 0,
        prediction.duration.nanoseconds < price * (1 - 1e-9)
      else { continue }
      let duration = PriceInterval(
        nanoseconds: prediction.duration.nanoseconds * onScale,
        low: prediction.duration.low.map { $0 * onScale },
        high: prediction.duration.high.map { $0 * onScale })
      steps.append(
        Headroom.Step(
          variant: other, duration: duration, speedup: measured / duration.nanoseconds,
          gain: measured - duration.nanoseconds, firstWrongIOVA: prediction.firstWrongIOVA))
    }
    steps.sort { $0.duration.nanoseconds > $1.duration.nanoseconds }
    return Headroom(
      variant: variant, measured: measured, predicted: own.duration, shares: shares,
      shareOfPredictedGain: shareOfGain,
      steps: steps)
  }
}
