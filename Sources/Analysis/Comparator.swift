internal import FunctionGraph
internal import Statistics

/// Why two sides cannot be compared at all.
public enum ComparisonError: Error, Sendable {
  /// A function that was named is missing on a side, or has no known duration there.
  case missing(MissingFunction, path: String, isBefore: Bool)
  case noKnownDuration(function: String, isBefore: Bool, incomplete: Int)
  /// No selected function is on both sides.
  case nothingInCommon(onlyBefore: [String], onlyAfter: [String])
}

/// Compares two sides as the contract's "What a verdict means" says.
public struct Comparator: Sendable {
  /// Calls a side that a 99th percentile needs.
  public static let callsForP99 = 500
  public static let bootstrapResamples = 9_999

  private let selection: FunctionSelection
  let request: ComparisonRequest

  public init(selection: FunctionSelection, request: ComparisonRequest) {
    self.selection = selection
    self.request = request
  }

  public func compare(_ before: ComparedSide, _ after: ComparedSide) throws(ComparisonError) -> Comparison {
    let beforeRuns = before.runs.map(Self.byStrippedName)
    let afterRuns = after.runs.map(Self.byStrippedName)
    try demandNamed(before, beforeRuns, isBefore: true)
    try demandNamed(after, afterRuns, isBefore: false)

    let beforeWhole = Self.wholes(before, beforeRuns)
    let afterWhole = Self.wholes(after, afterRuns)

    let beforeNames = Set(beforeRuns.flatMap(\.keys))
    let afterNames = Set(afterRuns.flatMap(\.keys))
    var pairs: [Pair] = []
    for name in beforeNames.intersection(afterNames) {
      var pair = Pair(
        name: name, before: beforeRuns.compactMap { $0[name] }, after: afterRuns.compactMap { $0[name] },
        tracesASide: (beforeRuns.count, afterRuns.count))
      pair.beforeWhole = beforeWhole[name]
      pair.afterWhole = afterWhole[name]
      if pair.isComparable {
        pairs.append(pair)
      } else if isRequired(name) {
        let isBefore = pair.before.allSatisfy { $0.count == 0 }
        throw .noKnownDuration(
          function: name, isBefore: isBefore,
          incomplete: (isBefore ? pair.before : pair.after).reduce(0) { $0 + $1.incomplete })
      }
    }
    let onlyBefore = beforeNames.subtracting(afterNames).sorted()
    let onlyAfter = afterNames.subtracting(beforeNames).sorted()
    if pairs.isEmpty { throw .nothingInCommon(onlyBefore: onlyBefore, onlyAfter: onlyAfter) }
    pairs.sort { ($1.beforeTotal, $0.name) < ($0.beforeTotal, $1.name) }

    let samples = pairs.map { Samples($0, request) }
    let tests = samples.map { $0.test() }
    // One sample a side tests nothing, and would only cost the others a part of their level.
    let tested = tests.indices.filter { tests[$0] != nil && !samples[$0].hasOneSampleASide }
    let pValues = tested.map { tests[$0]?.pValue ?? 1 }
    let adjusted = holm(pValues)
    let levels = holmLevels(pValues, alpha: request.alpha)
    var results: [FunctionComparison] = []
    for index in pairs.indices {
      let rank = tested.firstIndex(of: index)
      var result = judge(
        pairs[index], samples[index], tests[index], pValue: rank.map { adjusted[$0] },
        alpha: rank.map { levels[$0] } ?? request.alpha)
      if let model = request.model { result.meet(model, before, after, samples[index]) }
      results.append(result.withGateFor(before, after))
    }
    return Comparison(
      before: before, after: after, request: request, functions: results, onlyBefore: onlyBefore,
      onlyAfter: onlyAfter, notes: comparabilityNotes(before, after, request),
      gate: results.compactMap(\.gate).max())
  }

  // MARK: Pairing

  /// One function's calls of one run, all buffers and symbols that strip to one name together.
  struct RunDurations {
    var parts: [FunctionDurations]
    var count: Int { parts.reduce(0) { $0.plus($1.count) } }
    var incomplete: Int { parts.reduce(0) { $0.plus($1.incomplete) } }
    var total: Int64 { parts.reduce(0) { $0.plus($1.durations.total) } }
    /// Whether durations of single calls are there.
    var hasCalls: Bool { parts.allSatisfy { $0.count == 0 || $0.durations.hasCalls } }
  }

  struct Pair {
    var name: String
    var before: [RunDurations]
    var after: [RunDurations]
    /// Traces that were given, whether or not they have the function: they decide on the unit.
    var tracesASide: (before: Int, after: Int)
    var isComparable: Bool { before.contains { $0.count > 0 } && after.contains { $0.count > 0 } }
    var beforeTotal: Int64 { before.reduce(0) { $0.plus($1.total) } }
    /// All calls of a side, where summaries have them together and not by run.
    var beforeWhole: RunDurations?
    var afterWhole: RunDurations?
  }

  private static func byStrippedName(_ run: TraceAnalysis) -> [String: RunDurations] {
    var result: [String: RunDurations] = [:]
    for function in run.functions {
      let name = FunctionPattern.strippingSuffixes(function.function.symbol)
      result[name, default: RunDurations(parts: [])].parts.append(function)
    }
    return result
  }

  /// By stripped name, what the summaries of a side hold of all their runs together, and the other runs' own.
  private static func wholes(
    _ side: ComparedSide, _ runs: [[String: RunDurations]]
  ) -> [String: RunDurations] {
    guard side.runs.contains(where: { $0.summary != nil }) else { return [:] }
    var result: [String: RunDurations] = [:]
    var seen: Set<ObjectIdentifier> = []
    for (run, functions) in zip(side.runs, runs) {
      guard let origin = run.summary else {
        result.merge(functions) { RunDurations(parts: $0.parts + $1.parts) }
        continue
      }
      guard seen.insert(ObjectIdentifier(origin)).inserted else { continue }
      for function in origin.functions {
        let name = FunctionPattern.strippingSuffixes(function.function.symbol)
        result[name, default: RunDurations(parts: [])].parts.append(function)
      }
    }
    return result
  }

  private func isRequired(_ name: String) -> Bool {
    selection.required.contains { FunctionPattern($0).matches(name) }
  }

  /// Every trace has to have every function that was named without a wildcard; of the hosts of a summary one has to.
  private func demandNamed(
    _ side: ComparedSide, _ runs: [[String: RunDurations]], isBefore: Bool
  ) throws(ComparisonError) {
    var absent: [String: Int] = [:]
    for (run, functions) in zip(side.runs, runs) {
      if let missing = run.missing.first { throw .missing(missing, path: run.path, isBefore: isBefore) }
      for name in selection.required {
        let pattern = FunctionPattern(name)
        let parts = functions.values.flatMap(\.parts).filter { pattern.matches($0.function.symbol) }
        if parts.isEmpty {
          absent[name, default: 0] += 1
          if run.summary != nil, absent[name] != side.runs.count { continue }
          let names = run.summary?.names ?? run.functions.map(\.function.symbol)
          throw .missing(
            MissingFunction(
              name: name, nearest: nearestNames(to: name, among: names),
              family: familyNames(of: name, among: names), traceIsEmpty: false, isFilteredOut: false),
            path: run.summary?.path ?? run.path, isBefore: isBefore)
        }
      }
    }
  }

  // MARK: Judgement

  private func judge(
    _ pair: Pair, _ samples: Samples, _ test: MannWhitney?, pValue: Double?, alpha: Double
  ) -> FunctionComparison {
    var notes: [FunctionNote] = []
    let estimate = samples.estimate(request, alpha: alpha, &notes)
    var decision = estimate.interval
    if samples.unit == .call, let interval = estimate.interval {
      decision = interval.widened(byRelativeSpread: request.runSpread, alpha: alpha)
    }
    if samples.unit == .call, decision != nil { notes.append(.widened(runSpread: request.runSpread)) }
    if samples.isSubsampled { notes.append(.subsampled(limit: DurationSample.comparedLimit)) }

    var before = samples.side(pair.before, whole: pair.beforeWhole, samples.before, request.metric)
    var after = samples.side(pair.after, whole: pair.afterWhole, samples.after, request.metric)
    if samples.unit == .call {
      before.value = samples.exactValue(pair.before, request.metric) ?? before.value
      after.value = samples.exactValue(pair.after, request.metric) ?? after.value
    }
    let resolution = max(before.resolution, after.resolution)
    let isBelowResolution = abs(before.value - after.value) < Double(resolution)

    var verdict = Verdict.unclear
    if let decision, decision.isDecisive {
      verdict = Self.verdict(decision, within: request.sameWithin)
      if isBelowResolution, verdict == .faster || verdict == .slower {
        verdict = .unclear
        notes.append(.belowResolution(resolution))
      }
    }
    if samples.lacksCalls { notes.append(.callsMissing) }
    let sketchError = max(
      samples.quantileError(pair.before), samples.quantileError(pair.after))
    if sketchError > 0 { notes.append(.sketched(relativeError: sketchError)) }
    if before.incomplete + after.incomplete > 0 {
      notes.append(.incompleteCalls(before: before.incomplete, after: after.incomplete))
    }
    let beforePerRun = Double(before.calls) / Double(max(1, before.runs))
    let afterPerRun = Double(after.calls) / Double(max(1, after.runs))
    if beforePerRun != afterPerRun {
      notes.append(.callCountDiffers(before: beforePerRun, after: afterPerRun))
    }
    if verdict == .unclear { plan(samples, estimate, decision, alpha, &notes) }

    var gate: GateOutcome?
    if !request.gates.isEmpty {
      gate = Self.gate(request.gates, decision.flatMap { $0.isDecisive ? $0 : nil })
    }
    return FunctionComparison(
      name: pair.name, unit: samples.unit, before: before, after: after, speedup: estimate.ratio,
      interval: estimate.interval, decisionInterval: decision,
      pValue: samples.hasOneSampleASide ? nil : pValue,
      alpha: alpha, cliffsDelta: test?.cliffsDelta, verdict: verdict, gate: gate, notes: notes)
  }

  /// How far, as a fraction, logarithms and back may push an interval's end: an end on a threshold counts as on it.
  private static let rounding = 1e-12

  /// `faster` if L > 1 + m, `slower` if H < 1 / (1 + m), `same` if both lie between, else `unclear`.
  static func verdict(_ interval: ConfidenceInterval, within margin: Double) -> Verdict {
    let high = (1 + margin) * (1 + rounding)
    let low = 1 / high
    if interval.lower > high { return .faster }
    if interval.upper < low { return .slower }
    if interval.lower >= low, interval.upper <= high { return .same }
    return .unclear
  }

  /// The worst of the gates. Without an interval nothing is decided.
  static func gate(_ gates: Gates, _ interval: ConfidenceInterval?) -> GateOutcome {
    guard let interval else { return .undecided }
    var outcome = GateOutcome.holds
    func apply(_ threshold: Double) {
      let threshold = threshold * (1 - rounding)
      if interval.lower >= threshold { return }
      outcome = max(outcome, interval.upper < threshold ? .fails : .undecided)
    }
    if let slowdown = gates.maxSlowdown { apply(1 / (1 + slowdown)) }
    if let speedup = gates.minSpeedup { apply(speedup) }
    return outcome
  }
}
