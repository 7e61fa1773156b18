internal import FunctionGraph
public import PinningModel

/// One trace that costs are to be calibrated from, and what it was taken of.
public struct CalibrationItem: Sendable, Hashable {
  public enum Recorded: String, Sendable, CaseIterable {
    /// Only the function itself was hooked.
    case filter
    /// Its callees too, whatever depth was shown.
    case graph
    case unknown
  }

  public var path: String
  public var size: UInt64
  public var pageSize: FolioSize
  public var backing: Backing
  public var variant: Variant
  public var recorded: Recorded
  /// Physically contiguous runs that one map had; nil: from the trace where it records `iommu_map`, else unknown.
  public var runs: Int?
  /// Hooked callees a folio; nil: `HookCorrection.hooksPerFolio`.
  public var hooksPerFolio: Double?
  public var gup: GUP?

  public init(
    path: String, size: UInt64, pageSize: FolioSize, backing: Backing, variant: Variant,
    recorded: Recorded = .unknown, runs: Int? = nil, hooksPerFolio: Double? = nil, gup: GUP? = nil
  ) {
    self.path = path
    self.size = size
    self.pageSize = pageSize
    self.backing = backing
    self.variant = variant
    self.recorded = recorded
    self.runs = runs
    self.hooksPerFolio = hooksPerFolio
    self.gup = gup
  }
}

/// Costs from traces, with what has to be said of them.
public struct TraceCalibration: Sendable {
  /// Columns of the fit that are no operations of the model.
  public static let recordedCall = "recorded call"
  public static let hookedCall = "hooked call"

  public struct Source: Sendable {
    public var item: CalibrationItem
    /// Nanoseconds: the least of the trace's calls, since noise only adds.
    public var least: Double
    public var calls: Int
    public var isNested: Bool
    /// Contiguous runs of one map, and where that is from; nil: unknown, and folios count as scattered.
    public var runs: Int?
    public var runsAreFromTrace: Bool
    public var gup: GUP
    /// Recorded callees for one call.
    public var recordedCallees: Double
  }

  public var sources: [Source]
  public var calibration: Calibration
  /// Nanoseconds that one hooked but unrecorded callee costs; nil where no pair tells.
  public var hookCost: Double?
  /// How many times longer a nested trace takes than what the costs give for the same map; by path.
  public var nestedSlowdowns: [(path: String, ratio: Double)]
  /// Operations that no data decided and that were taken from the published figures.
  public var held: [PinningModel.Operation]

  public static let function = "vfio_pin_map_dma"

  /// Fits the costs of all traces of one machine together.
  ///
  /// A flat trace gives one equation, its least duration. A nested one gives an equation for each callee that the model
  /// prices, by its self time, with the cost of recording a callee as a column of its own where a flat trace is there
  /// to tell it from the rest.
  ///
  /// - Parameter items: each with the analysis of its trace, with callees.
  public static func fit(
    _ items: [(item: CalibrationItem, analysis: TraceAnalysis)]
  ) throws(CalibrationFailure) -> TraceCalibration {
    var sources: [Source] = []
    var observations: [CalibrationObservation] = []
    let hasFlat = items.contains { !isNested($0.analysis) }
    let hasFilter = items.contains { !isNested($0.analysis) && $0.item.recorded == .filter }
    for (item, analysis) in items {
      let source = try source(item, analysis)
      let counts = try counts(item, source)
      sources.append(source)
      if source.isNested, let callees = mapFunction(analysis)?.callees {
        observations += calleeObservations(item, counts, callees, withRecording: hasFlat)
        continue
      }
      var extra: [String: Double] = [:]
      if item.recorded == .graph, hasFilter {
        let folios = Double(item.size) / Double(item.pageSize.rawValue)
        let known =
          item.hooksPerFolio ?? (item.pageSize == .size2M ? HookCorrection.hooksPerFolio(item.variant) : nil)
        guard let known else { throw .hooksUnknown(path: item.path) }
        extra[hookedCall] = folios * known
      }
      observations.append(
        CalibrationObservation(label: item.path, counts: counts, extra: extra, nanoseconds: source.least))
    }
    let (calibration, held) = try solve(observations)
    return TraceCalibration(
      sources: sources, calibration: calibration, hookCost: calibration.extra[hookedCall],
      nestedSlowdowns: try slowdowns(items, sources, calibration.profile, hasFlat: hasFlat), held: held)
  }

  private static func isNested(_ analysis: TraceAnalysis) -> Bool {
    mapFunction(analysis)?.callees.map { !$0.rows.isEmpty } ?? false
  }

  private static func mapFunction(_ analysis: TraceAnalysis) -> FunctionDurations? {
    analysis.functions.first {
      FunctionPattern.strippingSuffixes($0.function.symbol) == function && $0.count > 0
    }
  }

  private static func source(
    _ item: CalibrationItem, _ analysis: TraceAnalysis
  ) throws(CalibrationFailure) -> Source {
    guard let map = mapFunction(analysis) else { throw .noCalls(path: item.path) }
    let release = analysis.description.kernelRelease
    let callees = map.callees
    let parents = Double(max(1, callees?.parentCalls ?? 0))
    func perCall(_ name: String) -> Double {
      (callees?.rows ?? []).filter { FunctionPattern.strippingSuffixes($0.function.symbol) == name }
        .reduce(0) { $0 + Double($1.calls) } / parents
    }
    let seen = perCall("iommu_map")
    return Source(
      item: item, least: Double(max(1, map.durations.minimum)), calls: map.count,
      isNested: isNested(analysis),
      runs: item.runs ?? (seen >= 1 ? Int(seen.rounded()) : nil),
      runsAreFromTrace: item.runs == nil && seen >= 1,
      gup: item.gup ?? Recognition.gup(byRelease: release) ?? .new,
      recordedCallees: (callees?.rows ?? []).reduce(0) { $0 + Double($1.calls) } / parents)
  }

  private static func counts(
    _ item: CalibrationItem, _ source: Source
  ) throws(CalibrationFailure) -> OperationCounts {
    do throws(ModelError) {
      let scenario = try Scenario(
        size: item.size, pageSize: item.pageSize, backing: item.backing, gup: source.gup)
      let outcome = ClosedForm.map(scenario, item.variant)
      guard outcome.error == nil else { throw ModelError.invalidDuration(0) }
      var counts = outcome.counts
      if let runs = source.runs {
        counts.lockAccts = min(counts.lockAccts, runs)
        counts.iommuMaps = runs
      }
      return counts
    } catch {
      throw .model(path: item.path, error)
    }
  }

  /// Each callee's self time, together with that of others of the same operations.
  private static func calleeObservations(
    _ item: CalibrationItem, _ counts: OperationCounts, _ callees: CalleeTable, withRecording: Bool
  ) -> [CalibrationObservation] {
    struct Group {
      var operations: [PinningModel.Operation]
      var name: String
      var nanoseconds = 0.0
      var children = 0.0
    }
    let parents = Double(max(1, callees.parentCalls))
    func perCall(_ name: String) -> Double {
      callees.rows.filter { FunctionPattern.strippingSuffixes($0.function.symbol) == name }
        .reduce(0) { $0 + Double($1.calls) } / parents
    }
    var groups: [Group] = []
    for row in callees.rows where row.selfTime > 0 {
      guard var operations = Callee.operations(of: row.function.symbol) else { continue }
      // Where the range look-up is a function of its own, the loop's self time does not hold it.
      if operations.contains(.loopTurns), perCall("vpfn_pages") + perCall("vfio_find_vpfn") > 0 {
        operations.removeAll { $0 == .vpfnLookups }
      }
      let own = Double(row.selfTime) / parents
      if let known = groups.firstIndex(where: { $0.operations == operations }) {
        groups[known].nanoseconds += own
      } else {
        groups.append(Group(operations: operations, name: row.function.symbol, nanoseconds: own))
      }
      if operations.contains(.loopTurns), let last = groups.firstIndex(where: { $0.operations == operations })
      {
        // What recording a callee costs falls to its caller's self time.
        groups[last].children +=
          perCall("vaddr_get_pfns") + perCall("vpfn_pages") + perCall("vfio_lock_acct")
          + perCall("vfio_lock_acct.part.0")
      }
    }
    return groups.compactMap { group in
      let only = counts.only(group.operations)
      guard PinningModel.Operation.allCases.contains(where: { only[$0] > 0 }) else { return nil }
      return CalibrationObservation(
        label: "\(item.path): \(group.name)", counts: only,
        extra: withRecording && group.children > 0 ? [recordedCall: group.children] : [:],
        nanoseconds: group.nanoseconds)
    }
  }

  /// Holds what the data are too few for, and no more than that: first what is common to every call, then the compares.
  private static func solve(
    _ observations: [CalibrationObservation]
  ) throws(CalibrationFailure) -> (Calibration, [PinningModel.Operation]) {
    var failure: CalibrationError?
    for held in [[], [.call], [.call, .pointerCompares]] as [[PinningModel.Operation]] {
      do throws(CalibrationError) {
        return (try Calibration.fit(observations, holding: held, prior: .published), held)
      } catch {
        failure = failure ?? error
        guard case .tooFewEquations = error else { break }
      }
    }
    throw .fit(failure ?? .nothingToFit)
  }

  private static func slowdowns(
    _ items: [(item: CalibrationItem, analysis: TraceAnalysis)], _ sources: [Source], _ costs: CostProfile,
    hasFlat: Bool
  ) throws(CalibrationFailure) -> [(path: String, ratio: Double)] {
    guard hasFlat else { return [] }
    var result: [(path: String, ratio: Double)] = []
    for ((item, _), source) in zip(items, sources) where source.isNested {
      let price = costs.price(try counts(item, source))
      if price > 0 { result.append((item.path, source.least / price)) }
    }
    return result
  }
}

/// Why traces give no costs.
public enum CalibrationFailure: Error, Sendable {
  case noCalls(path: String)
  /// How many callees are hooked is known for folios of 2 MiB only.
  case hooksUnknown(path: String)
  case model(path: String, ModelError)
  case fit(CalibrationError)
}
