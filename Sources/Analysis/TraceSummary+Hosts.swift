internal import FunctionGraph

/// The summary that a side's runs were taken out of: what they have together and not each.
public final class SummaryOrigin: Sendable {
  public let path: String
  /// Traces in it.
  public let runCount: Int
  /// Traces of which it has a row.
  public let keptRuns: Int
  /// Traces that could not be read.
  public let failedCount: Int
  /// Of all traces together, with a sketch of their calls.
  let functions: [FunctionDurations]
  /// Of all functions in it, selected or not.
  let names: [String]

  init(path: String, _ summary: TraceSummary, functions: [FunctionDurations]) {
    names = Set(summary.functions.keys.map(\.function)).sorted()
    self.path = path
    runCount = summary.runCount
    keptRuns = summary.runs.count
    failedCount = summary.failedCount
    self.functions = functions
  }
}

extension TraceSummary {
  /// A host's runs of a kernel as one analysis, which a comparison takes as one sample; a run without a host's name is one of
  /// its own.
  ///
  /// - Parameter path: of the summary.
  func hosts(path: String, _ selection: FunctionSelection) -> [TraceAnalysis] {
    let functions = functions.sorted { $0.key < $1.key }.filter { selection.contains($0.key.function) }
    let origin = SummaryOrigin(path: path, self, functions: functions.map(FunctionDurations.init))
    var hosts: [TraceAnalysis] = []
    var known: [[String]: Int] = [:]
    for run in runs.sorted {
      let place: Int
      if !run.host.isEmpty, let index = known[[run.host, run.kernel]] {
        place = index
      } else {
        place = hosts.count
        if !run.host.isEmpty { known[[run.host, run.kernel]] = place }
        hosts.append(run.description(origin, stored: storedConditions))
      }
      hosts[place].take(run, selection)
    }
    return hosts
  }

  /// All runs of a kernel as one analysis, without what is known of each.
  func kernels(path: String, _ selection: FunctionSelection) -> [TraceAnalysis] {
    let byKernel = Dictionary(grouping: runs.sorted, by: \.kernel)
    let names = Set(byKernel.keys).union(functions.keys.map(\.kernel)).sorted()
    return names.map { name in
      let runs = byKernel[name] ?? []
      let origin = SummaryOrigin(path: path, filtered { $0 == name }, functions: [])
      var result = (runs.first ?? Run()).description(origin, stored: storedConditions)
      result.path = path
      result.description.kernelRelease = name
      result.host = ""
      let hosts = Set(runs.map(\.host))
      if hosts.count == 1 { result.host = hosts.first ?? "" }
      if Set(runs.map(\.format)).count > 1 { result.description.format = .unknownText }
      if Set(runs.map(\.clock)).count > 1 { result.description.buffers = [.init()] }
      if Set(runs.map(\.cpus)).count > 1 { result.description.cpuCount = nil }
      for run in runs { result.quality.take(run) }
      for (key, function) in functions.sorted(by: {
        ($1.value.sums.total, $0.key) < ($0.value.sums.total, $1.key)
      })
      where key.kernel == name && selection.contains(key.function) {
        result.functions.append(FunctionDurations((key, function)))
      }
      result.quality.calls = result.functions.reduce(0) { $0.plus($1.count).plus($1.incomplete) }
      return result
    }
  }

  private var storedConditions: StoredConditions {
    StoredConditions(
      filters: conditions.filters.count == 1
        ? conditions.filters.first ?? [] : conditions.filters.map { $0.joined(separator: " ") }.sorted(),
      size: conditions.sizes.count == 1 ? conditions.sizes.first : nil,
      pageSize: conditions.pageSizes.count == 1 ? conditions.pageSizes.first : nil)
  }
}

extension FunctionDurations {
  init(_ entry: (key: TraceSummary.Key, value: TraceSummary.Function)) {
    self.init(
      buffer: "", function: FunctionName(symbol: entry.key.function, module: entry.key.module),
      durations: DurationSample(entry.value.sums))
    complete = entry.value.complete
    unfinished = entry.value.unfinished
    noEntry = entry.value.noEntry
    lost = entry.value.lost
    incomplete = entry.value.incomplete
  }
}

extension TraceSummary.Run {
  fileprivate func description(_ origin: SummaryOrigin, stored: StoredConditions) -> TraceAnalysis {
    var description = TraceDescription(
      format: AnalysisDocument.Trace.format(named: format), buffers: [.init(clock: clock)])
    description.kernelRelease = kernel
    description.cpuCount = cpus
    var analysis = TraceAnalysis(
      path: host.isEmpty ? path : host, description: description, functions: [], quality: TraceQuality(),
      missing: [])
    analysis.host = host
    analysis.stored = stored
    analysis.summary = origin
    return analysis
  }
}

extension TraceAnalysis {
  fileprivate mutating func take(_ run: TraceSummary.Run, _ selection: FunctionSelection) {
    quality.take(run)
    for row in run.rows where selection.contains(row.function) {
      var function = FunctionDurations(
        buffer: "", function: FunctionName(symbol: row.function, module: row.module),
        durations: row.figures.map { DurationSample($0) } ?? DurationSample())
      function.incomplete = row.incomplete
      functions.append(function)
    }
  }
}

extension TraceQuality {
  fileprivate mutating func take(_ run: TraceSummary.Run) {
    losses = losses.plus(run.losses)
    lostEvents = lostEvents.plus(run.lostEvents)
    lacksCallsAsStored = lacksCallsAsStored || run.mayLackCalls
    isNested = isNested || run.isNested
    deepest = max(deepest, run.deepest)
    calls = run.rows.reduce(calls) { $0.plus($1.figures?.count ?? 0).plus($1.incomplete) }
  }
}
