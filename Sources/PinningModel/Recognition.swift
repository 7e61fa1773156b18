/// Which variant a kernel runs, as far as some evidence tells.
public struct Recognition: Sendable, Hashable {
  /// The variants that the evidence allows, likeliest first; empty: none fits.
  public var candidates: [Variant]
  /// Why, one sentence each.
  public var reasons: [String]
  /// Of durations: how many times farther off the next other prediction is than the best one, in units of what the
  /// prediction is known to. Other evidence has none.
  public var margin: Double?

  public init(candidates: [Variant], reasons: [String], margin: Double? = nil) {
    self.candidates = candidates
    self.reasons = reasons
    self.margin = margin
  }

  /// The variant, if the evidence leaves one; nil: cannot tell.
  public var variant: Variant? { candidates.count == 1 ? candidates[0] : nil }
}

extension Recognition {
  /// By a kernel release as `uname -r` prints it: what mainline of that version does. Distributions backport.
  public static func byRelease(_ release: String) -> Recognition {
    guard let (major, minor) = version(of: release) else {
      return Recognition(candidates: [], reasons: ["\(release): expected a kernel release such as 6.17.13"])
    }
    let backports = "; by release only, a distribution may have backported another"
    if (major, minor) < (5, 12) {
      return Recognition(
        candidates: [.singlePage], reasons: ["\(major).\(minor) is before v5.12: no batches" + backports])
    }
    if (major, minor) < (6, 18) {
      return Recognition(
        candidates: [.perPage],
        reasons: ["\(major).\(minor) is in v5.12 to v6.17: batches, looked at page by page" + backports])
    }
    return Recognition(
      candidates: [.merged], reasons: ["\(major).\(minor) has the series merged in v6.18" + backports])
  }

  /// Which longterm check GUP makes by release. a03db236aebf came with v6.17, and was taken into the stable series
  /// 6.12 and 6.16 somewhere on their way: of these, and of what is no release, nil. Distributions backport.
  public static func gup(byRelease release: String) -> GUP? {
    guard let (major, minor) = version(of: release) else { return nil }
    if (major, minor) == (6, 12) || (major, minor) == (6, 16) { return nil }
    return (major, minor) < (6, 17) ? .old : .new
  }

  private static func version(of release: String) -> (Int, Int)? {
    let parts = release.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count >= 2, let major = Int(parts[0]), major >= 0 else { return nil }
    guard let minor = Int(parts[1].prefix { ("0"..."9").contains($0) }) else { return nil }
    return (major, minor)
  }
}

extension Recognition {
  /// By measured durations of one machine whose costs are known.
  ///
  /// A variant fits as well as its prediction comes near to the durations: the largest of the relative distances, in
  /// units of half its interval (at least `tolerance`). It is recognized if it is within one unit, and the next
  /// variant with another prediction at least two. Variants with the same prediction cannot be told apart.
  /// - Parameters:
  ///   - measured: durations in nanoseconds, each with what was mapped.
  ///   - profile: the machine's costs.
  ///   - operation: that was measured.
  ///   - variants: those that come into question.
  ///   - tolerance: how far off the best machine's model is on its own, relative; 0.05 unless told.
  public static func byDurations(
    _ measured: [(scenario: Scenario, nanoseconds: Double)], profile: CostProfile,
    operation: DMAOperation = .map,
    among variants: [Variant] = Variant.allCases, tolerance: Double = 0.05
  ) -> Recognition {
    guard !measured.isEmpty, measured.allSatisfy({ $0.nanoseconds.isFinite && $0.nanoseconds > 0 }),
      tolerance > 0
    else { return Recognition(candidates: [], reasons: ["expected durations above 0"]) }
    var fits: [(variant: Variant, distance: Double, prices: [Double])] = []
    for variant in variants {
      var distance = 0.0
      var prices: [Double] = []
      for (scenario, nanoseconds) in measured {
        let prediction = profile.predict(scenario, variant, operation)
        guard prediction.error == nil, prediction.duration.nanoseconds > 0 else {
          distance = .infinity
          break
        }
        let price = prediction.duration.nanoseconds
        prices.append(price)
        let half = prediction.duration.high.map { ($0 - price) / price } ?? 0
        distance = max(distance, abs(nanoseconds - price) / min(nanoseconds, price) / max(tolerance, half))
      }
      if distance.isFinite { fits.append((variant, distance, prices)) }
    }
    fits.sort { $0.distance < $1.distance }
    guard let best = fits.first else {
      return Recognition(candidates: [], reasons: ["no variant can do this map"])
    }
    let alike = fits.filter { fit in
      zip(fit.prices, best.prices).allSatisfy { abs($0 - $1) <= 1e-3 * $1 }
    }
    let other = fits.first { fit in !alike.contains { $0.variant == fit.variant } }
    let margin = other.map { $0.distance / max(best.distance, 1) }
    guard best.distance < 2 else {
      return Recognition(
        candidates: [],
        reasons: [
          "no prediction comes near: the best, \(best.variant.rawValue), is off \(tenths(best.distance)) times what is tolerated"
        ],
        margin: margin)
    }
    let name = best.variant.rawValue
    if let other, other.distance < 2 {
      return Recognition(
        candidates: fits.filter { $0.distance < 2 }.map(\.variant),
        reasons: ["\(name) and \(other.variant.rawValue) predict durations too much alike"], margin: margin)
    }
    guard best.distance <= 1 else {
      return Recognition(
        candidates: [], reasons: ["\(name) comes nearest, but not near enough"], margin: margin)
    }
    if alike.count > 1 {
      let names = alike.map(\.variant.rawValue).joined(separator: ", ")
      return Recognition(
        candidates: alike.map(\.variant), reasons: ["\(names) have the same prediction here"], margin: margin)
    }
    return Recognition(
      candidates: [best.variant], reasons: ["only \(best.variant.rawValue) predicts such durations"],
      margin: margin)
  }

  /// With one decimal.
  private static func tenths(_ value: Double) -> String {
    let rounded = Int(min(value, 1e9) * 10 + 0.5)
    return "\(rounded / 10).\(rounded % 10)"
  }
}
