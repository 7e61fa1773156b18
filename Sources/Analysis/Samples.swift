internal import Glibc
internal import Statistics

/// What is compared of one function: a value a run, or a value a call.
struct Samples {
  var unit: ComparisonUnit
  /// Positive, nanoseconds.
  var before: [Double]
  var after: [Double]
  var isSubsampled = false
  /// One run a side, of which a summary has the figures but not the calls.
  var lacksCalls = false
  /// Metrics over all the calls of the one run a side, whether or not they are all among the samples.
  private var exactMinima: (before: Double, after: Double)?
  /// How many times more calls of before each of its samples stands for than one of after's.
  private var callsPerSample = 1.0

  /// A run without a known duration of the function is no sample.
  init(_ pair: Comparator.Pair, _ request: ComparisonRequest) {
    if pair.tracesASide == (1, 1), let left = pair.before.first, let right = pair.after.first, left.hasCalls,
      right.hasCalls
    {
      unit = .call
      before = Self.calls(left, seed: request.seed)
      after = Self.calls(right, seed: request.seed &+ 1)
      isSubsampled = max(left.count, right.count) > DurationSample.comparedLimit
      if let low = Self.metric(of: left, .min), let high = Self.metric(of: right, .min) {
        exactMinima = (low, high)
      }
      if !before.isEmpty, !after.isEmpty, right.count > 0 {
        callsPerSample =
          (Double(left.count) / Double(before.count)) / (Double(right.count) / Double(after.count))
      }
    } else {
      unit = .run
      before = pair.before.compactMap { Self.metric(of: $0, request.metric) }
      after = pair.after.compactMap { Self.metric(of: $0, request.metric) }
      lacksCalls = pair.tracesASide == (1, 1)
    }
  }

  var hasOneSampleASide: Bool { before.count == 1 && after.count == 1 }

  func test() -> MannWhitney? { MannWhitney(before, after) }

  /// The calls' durations, at most `DurationSample.comparedLimit` of them.
  private static func calls(_ run: Comparator.RunDurations, seed: UInt64) -> [Double] {
    if run.parts.count == 1 { return run.parts[0].durations.compared(seed: seed) }
    let all = run.parts.flatMap { $0.durations.compared(seed: seed) }
    return all.count > DurationSample.comparedLimit
      ? subsample(DurationSample.comparedLimit, from: all, seed: seed) : all
  }

  /// One run's metric, positive, nanoseconds; nil where it has no known duration.
  static func metric(of run: Comparator.RunDurations, _ metric: Metric) -> Double? {
    guard run.count > 0 else { return nil }
    let zero = Double(run.parts.map(\.durations.zeroResolution).max() ?? 1) / 2
    let value: Double
    switch metric {
    case .total: value = Double(run.total)
    case .mean: value = Double(run.total) / Double(run.count)
    case .min: value = Double(run.parts.filter { $0.count > 0 }.map(\.durations.minimum).min() ?? 0)
    case .median: value = quantile(of: run, 0.5)
    case .p99: value = quantile(of: run, 0.99)
    }
    return value > 0 ? value : zero
  }

  static func quantile(of run: Comparator.RunDurations, _ p: Double) -> Double {
    let parts = run.parts.filter { $0.count > 0 }
    if parts.count == 1 { return parts[0].durations.quantile(p) ?? 0 }
    if !parts.allSatisfy(\.durations.hasCalls) {
      let sums = parts.map(\.durations.sums)
      var whole = DurationSums()
      // Of runs whose distribution is not known: the middle one.
      guard sums.allSatisfy({ $0.map { whole.merge($0) } ?? false }) else {
        return median(parts.compactMap { $0.durations.quantile(p) })
      }
      return whole.quantile(p) ?? 0
    }
    if parts.allSatisfy(\.durations.isExact) {
      return Statistics.quantile(parts.flatMap { $0.durations.values.map(Double.init) }.sorted(), p)
    }
    return Statistics.quantile(parts.flatMap { $0.durations.compared(seed: 0) }.sorted(), p)
  }

  /// The metric over all calls of a side's one run, where it needs no subsample.
  func exactValue(_ runs: [Comparator.RunDurations], _ metric: Metric) -> Double? {
    runs.first.flatMap { Self.metric(of: $0, metric) }
  }

  func quantileError(_ runs: [Comparator.RunDurations]) -> Double {
    runs.flatMap(\.parts).map(\.durations.quantileError).max() ?? 0
  }

  /// - Parameter whole: the calls of all runs together, where the runs do not have them.
  func side(
    _ runs: [Comparator.RunDurations], whole: Comparator.RunDurations?, _ samples: [Double], _ metric: Metric
  ) -> FunctionComparison.Side {
    let whole = whole ?? Comparator.RunDurations(parts: runs.flatMap(\.parts))
    let parts = whole.parts
    let known = parts.filter { $0.count > 0 }
    return FunctionComparison.Side(
      runs: runs.count, calls: whole.count, incomplete: whole.incomplete, value: median(samples),
      total: whole.total, minimum: known.map(\.durations.minimum).min() ?? 0,
      maximum: known.map(\.durations.maximum).max() ?? 0, median: Self.quantile(of: whole, 0.5),
      samples: samples, resolution: parts.map(\.durations.resolution).max() ?? 1,
      callees: CalleeTable.merged(parts.compactMap(\.callees)),
      offCPU: TimeAwaySum.merged(parts.map(\.offCPU)),
      interrupts: TimeAwaySum.merged(parts.map(\.interrupts)))
  }

  // MARK: Estimate

  /// Before over after, with its interval at `alpha`.
  func estimate(_ request: ComparisonRequest, alpha: Double, _ notes: inout [FunctionNote]) -> RatioEstimate {
    let needed = HodgesLehmann.smallestSizeASide(alpha: alpha) ?? 4
    var estimate = pointAndInterval(request, alpha: alpha, &notes)
    if before.count == 1, after.count == 1 {
      notes.append(.oneSample)
      estimate.interval = nil
    } else if before.count == 1 || after.count == 1, unit == .run {
      notes.append(.oneAgainstSeveral)
      estimate.interval = nil
    }
    if !Self.sufficesForInterval(before.count, after.count, alpha: alpha) {
      notes.append(.tooFew(needed: needed))
      estimate.interval?.isDecisive = false
    }
    return estimate
  }

  /// Whether 1 − 2/C(n + m, n) reaches 1 − α.
  static func sufficesForInterval(_ n: Int, _ m: Int, alpha: Double) -> Bool {
    2 / choose(n + m, n) <= alpha
  }

  private func pointAndInterval(
    _ request: ComparisonRequest, alpha: Double, _ notes: inout [FunctionNote]
  ) -> RatioEstimate {
    let shift =
      HodgesLehmann.ratio(of: before, to: after, alpha: alpha) ?? RatioEstimate(ratio: 1, interval: nil)
    guard unit == .call, before.count > 1 || after.count > 1 else { return shift }
    let statistic: BCaBootstrap.Statistic
    switch request.metric {
    case .median: return shift
    case .min:
      notes.append(.metricWithoutInterval(.min))
      let ratio = exactMinima.map { $0.before / $0.after } ?? shift.ratio
      return RatioEstimate(ratio: ratio, interval: nil)
    case .mean: statistic = .mean
    case .total: statistic = .total
    case .p99: statistic = .quantile(0.99)
    }
    if request.metric == .p99, min(before.count, after.count) < Comparator.callsForP99 {
      notes.append(.tooFewCallsForP99(needed: Comparator.callsForP99))
      return RatioEstimate(
        ratio: Statistics.quantile(before.sorted(), 0.99) / Statistics.quantile(after.sorted(), 0.99),
        interval: nil)
    }
    var estimate =
      BCaBootstrap.ratio(
        statistic, of: before, to: after, alpha: alpha, resamples: Comparator.bootstrapResamples,
        seed: request.seed) ?? shift
    // A total grows with the number of calls, of which a subsample holds a part.
    if statistic == .total, callsPerSample != 1 {
      estimate.ratio *= callsPerSample
      estimate.interval?.lower *= callsPerSample
      estimate.interval?.upper *= callsPerSample
    }
    // Too few values for a bootstrap: the widest interval that ranks can give, with its own confidence.
    if !Self.sufficesForInterval(before.count, after.count, alpha: alpha) {
      estimate.interval = shift.interval
    }
    return estimate
  }
}

extension Comparator {
  /// What would decide: more runs, and the slowdown that these data could have shown.
  func plan(
    _ samples: Samples, _ estimate: RatioEstimate, _ decision: ConfidenceInterval?, _ alpha: Double,
    _ notes: inout [FunctionNote]
  ) {
    if let decision,
      let smallest = SampleSize.smallestDetectableRatio(decision, sameWithin: request.sameWithin)
    {
      notes.append(.smallestDetectableSlowdown(smallest - 1))
    }
    // Calls of one run say nothing of the spread between runs, so the assumed one stands in.
    let spread =
      samples.unit == .run
      ? SampleSize.pooledLogSpread(samples.before, samples.after) : log1p(max(0, request.runSpread))
    let have = samples.unit == .run ? min(samples.before.count, samples.after.count) : 1
    if let spread,
      let needed = SampleSize.neededToDecide(
        ratio: estimate.ratio, sameWithin: request.sameWithin, logSpread: spread, alpha: alpha), needed > have
    {
      notes.append(.moreRuns(needed - have))
    }
  }
}

extension CalleeTable {
  /// nil where one is not known.
  private static func sum(_ times: [Int64?]) -> Int64? {
    times.reduce(0 as Int64?) { sum, time in sum.flatMap { sum in time.map { sum &+ $0 } } }
  }

  /// Several tables of one function as one; nil of none.
  static func merged(_ tables: [CalleeTable]) -> CalleeTable? {
    guard var result = tables.first else { return nil }
    if tables.count == 1 { return result }
    var rows: [String: Row] = [:]
    result.rows = []
    result.parentCalls = 0
    result.parentTotal = 0
    result.parentSelf = 0
    result.parentOffCPU = sum(tables.map(\.parentOffCPU))
    result.parentInterrupts = sum(tables.map(\.parentInterrupts))
    for table in tables {
      result.parentCalls += table.parentCalls
      result.parentTotal &+= table.parentTotal
      result.parentSelf &+= table.parentSelf
      for row in table.rows {
        let key = row.function.symbol + "\u{0}" + row.function.module
        guard var sum = rows[key] else {
          rows[key] = row
          continue
        }
        sum.calls += row.calls
        sum.total &+= row.total
        sum.selfTime &+= row.selfTime
        sum.offCPU = Self.sum([sum.offCPU, row.offCPU])
        sum.interrupts = Self.sum([sum.interrupts, row.interrupts])
        sum.level = Swift.min(sum.level, row.level)
        rows[key] = sum
      }
    }
    for key in rows.keys {
      if result.parentOffCPU == nil { rows[key]?.offCPU = nil }
      if result.parentInterrupts == nil { rows[key]?.interrupts = nil }
    }
    result.rows = rows.values.sorted {
      ($1.total, $0.function.symbol, $0.function.module) < ($0.total, $1.function.symbol, $1.function.module)
    }
    return result
  }
}
