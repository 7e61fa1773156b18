internal import PinningModel

extension AnalysisDocument {
  /// What the model says of one measured duration.
  public struct Model: Codable, Sendable {
    public struct Step: Codable, Sendable {
      public var variant: String
      public var durationUs: Double
      public var speedup: Double
    }

    public var variant: String?
    public var evidence: String
    public var reasons: [String]
    public var costs: String
    /// Of the duration, by the model: `gup`, `loop`, `iommu`, `unpin`.
    public var shares: [String: Double]
    public var next: [Step]

    public init(_ view: ModelView) {
      variant = view.recognized.variant?.rawValue
      evidence = view.recognized.evidence.rawValue
      reasons = view.recognized.reasons
      costs = view.costsName
      shares = Dictionary(uniqueKeysWithValues: (view.headroom?.shares ?? [:]).map { ($0.rawValue, $1) })
      next = (view.headroom?.steps ?? []).map {
        Step(variant: $0.variant.rawValue, durationUs: $0.duration.nanoseconds / 1_000, speedup: $0.speedup)
      }
    }
  }
}
