/// What an ioctl is asked to do.
public enum DMAOperation: String, Sendable, CaseIterable {
  case map
  case unmap
}

/// One variant's row: what it does, and what that takes.
public struct Prediction: Sendable, Hashable {
  public var variant: Variant
  public var operation: DMAOperation
  /// nil: it works. A map that fails is priced for what it did until then.
  public var error: Errno?
  public var counts: OperationCounts
  /// The first IOVA that leads to other memory than per-page pinning would have mapped.
  public var firstWrongIOVA: UInt64?
  public var duration: PriceInterval
  /// How many times faster than per-page, GUP being the same for both; nil where either takes no time.
  public var speedupVsPerPage: Double?
  /// Of the bytes asked for; nil where it takes no time or fails.
  public var gibibytesPerSecond: Double?

  public var mapsCorrectly: Bool { firstWrongIOVA == nil }
}

extension CostProfile {
  /// What `variant` does in `scenario`, and what that costs by this profile.
  public func predict(_ scenario: Scenario, _ variant: Variant, _ operation: DMAOperation = .map)
    -> Prediction
  {
    let outcome = ClosedForm.map(scenario, variant)
    let counts = operation == .map ? outcome.counts : ClosedForm.unmap(scenario, variant)
    let duration = priceInterval(counts)
    let baseline = variant == .perPage ? duration.nanoseconds : price(scenario, .perPage, operation)
    let seconds = duration.nanoseconds / 1e9
    let gibibytes = Double(scenario.request.size) / 0x1p30
    let isTimed = duration.nanoseconds > 0 && outcome.error == nil
    return Prediction(
      variant: variant, operation: operation, error: outcome.error, counts: counts,
      firstWrongIOVA: outcome.firstWrongIOVA, duration: duration,
      speedupVsPerPage: isTimed && baseline > 0 ? baseline / duration.nanoseconds : nil,
      gibibytesPerSecond: isTimed ? gibibytes / seconds : nil)
  }

  /// Nanoseconds of `operation`.
  public func price(_ scenario: Scenario, _ variant: Variant, _ operation: DMAOperation = .map) -> Double {
    price(operation == .map ? ClosedForm.map(scenario, variant).counts : ClosedForm.unmap(scenario, variant))
  }

  /// This profile scaled so that it reproduces one measured duration: what a single *before* trace allows. The
  /// machine is taken to be faster or slower throughout, in the same proportion for every operation.
  /// - Parameters:
  ///   - nanoseconds: measured, above 0.
  ///   - variant: of the kernel that was measured.
  ///   - scenario: what was mapped.
  ///   - operation: that was measured.
  public func scaled(
    toReproduce nanoseconds: Double, of variant: Variant, in scenario: Scenario,
    _ operation: DMAOperation = .map
  ) throws(ModelError) -> CostProfile {
    let price = price(scenario, variant, operation)
    guard nanoseconds.isFinite, nanoseconds > 0, price > 0 else { throw .invalidDuration(nanoseconds) }
    return scaled(by: nanoseconds / price, name: "\(name), scaled to one \(variant.rawValue) duration")
  }
}
