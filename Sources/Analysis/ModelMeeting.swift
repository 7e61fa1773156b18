internal import FunctionGraph
public import PinningModel

/// What is asked of the pinning model beside a measurement.
public struct ModelRequest: Sendable, Hashable {
  /// Bytes that one call maps.
  public var size: UInt64
  public var pageSize: FolioSize
  public var backing: Backing
  public var costs: CostProfile
  /// The costs were calibrated on the machine that made the traces, so that durations can tell variants apart.
  public var costsAreOfThisMachine: Bool
  /// Given by the user; else they are recognized.
  public var variantBefore: Variant?
  public var variantAfter: Variant?
  /// Nanoseconds that one hooked but unrecorded callee costs.
  public var hookCost: Double?
  /// Hooked callees a folio; nil takes `HookCorrection.hooksPerFolio`.
  public var hooksPerFolio: Double?
  /// The traces hooked the callees too (`-g`), whatever depth was shown.
  public var calleesAreHooked: Bool

  public init(
    size: UInt64, pageSize: FolioSize, backing: Backing, costs: CostProfile = .published,
    costsAreOfThisMachine: Bool = false, variantBefore: Variant? = nil, variantAfter: Variant? = nil,
    hookCost: Double? = nil, hooksPerFolio: Double? = nil, calleesAreHooked: Bool = false
  ) {
    self.size = size
    self.pageSize = pageSize
    self.backing = backing
    self.costs = costs
    self.costsAreOfThisMachine = costsAreOfThisMachine
    self.variantBefore = variantBefore
    self.variantAfter = variantAfter
    self.hookCost = hookCost
    self.hooksPerFolio = hooksPerFolio
    self.calleesAreHooked = calleesAreHooked
  }

  /// What the model calls an operation is this function of the kernel (drivers/vfio/vfio_iommu_type1.c).
  public static func operation(of function: String) -> DMAOperation? {
    switch FunctionPattern.strippingSuffixes(function) {
    case "vfio_pin_map_dma": .map
    case "vfio_unmap_unpin": .unmap
    default: nil
    }
  }

  /// The map of folios that do not follow one another: how a boot laid them out is in no flat trace.
  func scenario(_ gup: GUP) throws(ModelError) -> Scenario {
    try Scenario(size: size, pageSize: pageSize, backing: backing, gup: gup)
  }
}

/// Which variant of the kernel code a trace is of, and how that is known.
public struct RecognizedVariant: Sendable, Hashable {
  /// In the order of trust.
  public enum Evidence: String, Sendable {
    case given
    case callTree = "call tree"
    case release
    case durations
    case none
  }

  /// nil: cannot tell.
  public var variant: Variant?
  public var evidence: Evidence
  public var reasons: [String]
  public var gup: GUP

  /// Looks at what there is, best first: the user's word, the callees of a nested trace, the kernel's release, durations.
  static func of(
    _ run: TraceAnalysis, callees: CalleeTable?, durations: [Double], given: Variant?,
    _ request: ModelRequest,
    _ operation: DMAOperation
  ) -> RecognizedVariant {
    let release = run.description.kernelRelease
    let gup = Recognition.gup(byRelease: release) ?? .new
    if let given {
      return RecognizedVariant(variant: given, evidence: .given, reasons: ["as given"], gup: gup)
    }
    let byRelease = release.isEmpty ? nil : Recognition.byRelease(release)
    var reasons: [String] = []
    if operation == .map, let callees, callees.parentCalls > 0, !callees.rows.isEmpty {
      let tree = Recognition.byCallees(
        callees.rows.map { ($0.function.symbol, Double($0.calls) / Double(callees.parentCalls)) },
        pages: Int(clamping: request.size / Page.size))
      if let variant = tree.variant {
        return RecognizedVariant(variant: variant, evidence: .callTree, reasons: tree.reasons, gup: gup)
      }
      reasons = tree.reasons
      let both = tree.candidates.filter { byRelease?.candidates.contains($0) ?? false }
      if both.count == 1 {
        return RecognizedVariant(
          variant: both[0], evidence: .callTree, reasons: tree.reasons + (byRelease?.reasons ?? []), gup: gup)
      }
    }
    if let byRelease, let variant = byRelease.variant {
      return RecognizedVariant(
        variant: variant, evidence: .release, reasons: reasons + byRelease.reasons, gup: gup)
    }
    if request.costsAreOfThisMachine, let scenario = try? request.scenario(gup), !durations.isEmpty {
      let fit = Recognition.byDurations(
        durations.map { (scenario, $0) }, profile: request.costs, operation: operation)
      if let variant = fit.variant {
        return RecognizedVariant(
          variant: variant, evidence: .durations, reasons: reasons + fit.reasons, gup: gup)
      }
      reasons += fit.reasons
    }
    if reasons.isEmpty { reasons = ["no kernel release, no callees, and no costs of this machine to go by"] }
    return RecognizedVariant(variant: nil, evidence: .none, reasons: reasons, gup: gup)
  }
}

/// A measured duration beside what the model says of it: where the time goes, and what other variants would bring.
public struct ModelView: Sendable, Hashable {
  public var operation: DMAOperation
  public var recognized: RecognizedVariant
  /// Nanoseconds.
  public var measured: Double
  /// With the costs scaled so that they reproduce `measured`; nil where the variant is not known.
  public var headroom: Headroom?
  public var costsName: String

  /// One trace's function, if it is one that the model simulates.
  public static func of(_ run: TraceAnalysis, _ function: FunctionDurations, _ request: ModelRequest)
    -> ModelView?
  {
    guard let operation = ModelRequest.operation(of: function.function.symbol),
      let measured = function.durations.quantile(0.5), measured > 0
    else { return nil }
    let recognized = RecognizedVariant.of(
      run, callees: function.callees, durations: [measured], given: request.variantBefore, request, operation)
    var view = ModelView(
      operation: operation, recognized: recognized, measured: measured, headroom: nil,
      costsName: request.costs.name)
    if let variant = recognized.variant, let scenario = try? request.scenario(recognized.gup) {
      view.headroom = try? request.costs.headroom(scenario, variant, measured: measured, operation)
    }
    return view
  }
}

/// A measured speedup beside the predicted one.
public struct ModelMeeting: Sendable, Hashable {
  public var operation: DMAOperation
  public var before: RecognizedVariant
  public var after: RecognizedVariant
  public var costsName: String
  /// nil where a variant is not known, or one cannot do this operation.
  public var predictedSpeedup: Double?
  /// From the costs' uncertainty, as if both durations erred independently: on the wide side.
  public var predictedLow: Double?
  public var predictedHigh: Double?
  /// How much of the predicted gain was measured; above 1: more. nil where none is predicted.
  public var shareOfPredictedGain: Double?
  /// The measured after, taken apart.
  public var headroom: Headroom?
  /// Nanoseconds: the fastest variant, on the scale of the measured before.
  public var floor: Double?
  /// The measured after lies more than a tenth below what any variant could reach by these costs.
  public var isBelowFloor = false

  /// What after would take by the predicted speedup, from a measured before; nanoseconds. nil where none is predicted.
  public func predictedAfter(measuredBefore: Double) -> PriceInterval? {
    guard let predictedSpeedup, predictedSpeedup > 0 else { return nil }
    return PriceInterval(
      nanoseconds: measuredBefore / predictedSpeedup,
      low: predictedHigh.flatMap { $0 > 0 ? measuredBefore / $0 : nil },
      high: predictedLow.flatMap { $0 > 0 ? measuredBefore / $0 : nil })
  }

  static func of(
    _ before: ComparedSide, _ after: ComparedSide, _ function: FunctionComparison, _ request: ModelRequest
  ) -> ModelMeeting? {
    guard let operation = ModelRequest.operation(of: function.name), let beforeRun = before.runs.first,
      let afterRun = after.runs.first
    else { return nil }
    let left = RecognizedVariant.of(
      beforeRun, callees: function.before.callees, durations: [function.before.median],
      given: request.variantBefore, request, operation)
    let right = RecognizedVariant.of(
      afterRun, callees: function.after.callees, durations: [function.after.median],
      given: request.variantAfter, request, operation)
    var meeting = ModelMeeting(
      operation: operation, before: left, after: right, costsName: request.costs.name)
    guard let beforeVariant = left.variant, let afterVariant = right.variant,
      let beforeScenario = try? request.scenario(left.gup),
      let afterScenario = try? request.scenario(right.gup)
    else { return meeting }
    let costs = request.costs
    let predictedBefore = costs.predict(beforeScenario, beforeVariant, operation)
    let predictedAfter = costs.predict(afterScenario, afterVariant, operation)
    let (top, bottom) = (predictedBefore.duration, predictedAfter.duration)
    guard predictedBefore.error == nil, predictedAfter.error == nil, top.nanoseconds > 0,
      bottom.nanoseconds > 0
    else { return meeting }
    meeting.predictedSpeedup = top.nanoseconds / bottom.nanoseconds
    if let topLow = top.low, let topHigh = top.high, let low = bottom.low, let high = bottom.high, low > 0,
      high > 0
    {
      meeting.predictedLow = topLow / high
      meeting.predictedHigh = topHigh / low
    }
    let measuredBefore = function.before.median
    let measuredAfter = function.after.median
    guard measuredBefore > 0, measuredAfter > 0 else { return meeting }
    let scale = measuredBefore / top.nanoseconds
    let predictedGain = measuredBefore - bottom.nanoseconds * scale
    if predictedGain > measuredBefore * 1e-6 {
      meeting.shareOfPredictedGain = (measuredBefore - measuredAfter) / predictedGain
    }
    meeting.headroom = try? costs.headroom(afterScenario, afterVariant, measured: measuredAfter, operation)
    let reachable = Variant.allCases.map { costs.predict(afterScenario, $0, operation) }
      .filter { $0.error == nil && $0.mapsCorrectly && $0.duration.nanoseconds > 0 }
      .map(\.duration.nanoseconds).min()
    if let reachable {
      meeting.floor = reachable * scale
      meeting.isBelowFloor = measuredAfter < reachable * scale * 0.9
    }
    return meeting
  }
}

extension FunctionComparison {
  /// Adds what the model says, and what it takes exception to.
  mutating func meet(
    _ request: ModelRequest, _ beforeSide: ComparedSide, _ afterSide: ComparedSide, _ samples: Samples
  ) {
    guard let meeting = ModelMeeting.of(beforeSide, afterSide, self, request) else { return }
    model = meeting
    for (side, recognized) in [(Event.Side.before, meeting.before), (.after, meeting.after)]
    where recognized.variant == nil {
      notes.append(.model(.cannotTell(side, reasons: recognized.reasons)))
    }
    if meeting.isBelowFloor, let floor = meeting.floor {
      notes.append(.model(.belowFloor(measured: after.median, floor: floor, costs: meeting.costsName)))
    }
    let isNested = (beforeSide.runs + afterSide.runs).contains { $0.quality.isNested }
    guard request.calleesAreHooked, !isNested, meeting.operation == .map else { return }
    guard request.hookCost != nil else {
      notes.append(.model(.hooksUncorrected))
      return
    }
    if let left = meeting.before.variant, let right = meeting.after.variant {
      correction = HookCorrection.of(samples, alpha: alpha, before: left, after: right, request)
    }
    if correction == nil { notes.append(.model(.cannotCorrect)) }
  }
}
