internal import FunctionGraph

/// Conditions in which two sides differ, or that weaken the figures of either.
func comparabilityNotes(
  _ before: ComparedSide, _ after: ComparedSide, _ request: ComparisonRequest
) -> [ComparisonNote] {
  var notes: [ComparisonNote] = []

  func values<Value: Hashable & Comparable>(_ side: ComparedSide, _ value: (TraceAnalysis) -> Value?)
    -> [Value]
  {
    Set(side.runs.compactMap(value)).sorted()
  }
  let kernels = (
    values(before) { $0.description.kernelRelease.isEmpty ? nil : $0.description.kernelRelease },
    values(after) { $0.description.kernelRelease.isEmpty ? nil : $0.description.kernelRelease }
  )
  if !kernels.0.isEmpty, !kernels.1.isEmpty, kernels.0 != kernels.1 {
    notes.append(.kernelDiffers(before: kernels.0, after: kernels.1))
  }
  func clock(_ run: TraceAnalysis) -> String? {
    guard let clock = run.description.buffers.first?.clock, !clock.isEmpty else { return nil }
    return clock
  }
  let clocks = (values(before, clock), values(after, clock))
  if !clocks.0.isEmpty, !clocks.1.isEmpty, clocks.0 != clocks.1 {
    notes.append(.clockDiffers(before: clocks.0, after: clocks.1))
  }
  let cpus = (values(before) { $0.description.cpuCount }, values(after) { $0.description.cpuCount })
  if !cpus.0.isEmpty, !cpus.1.isEmpty, cpus.0 != cpus.1 {
    notes.append(.cpuCountDiffers(before: cpus.0, after: cpus.1))
  }
  let formats = (
    values(before) { $0.description.format.family }, values(after) { $0.description.format.family }
  )
  if formats.0 != formats.1 { notes.append(.formatDiffers(before: formats.0, after: formats.1)) }

  let nested = (before.runs.contains { $0.quality.isNested }, after.runs.contains { $0.quality.isNested })
  if nested.0 != nested.1 {
    notes.append(.nestingDiffers(nested: nested.0 ? .before : .after))
  } else if nested.0 {
    let depths = (
      before.runs.map(\.quality.deepest).max() ?? -1, after.runs.map(\.quality.deepest).max() ?? -1
    )
    if depths.0 != depths.1 { notes.append(.depthDiffers(before: depths.0, after: depths.1)) }
  }
  if nested.0 || nested.1 { notes.append(.tracerInMeasurement) }

  for (side, runs) in [(Event.Side.before, before.runs), (.after, after.runs)] {
    var origins: [ObjectIdentifier: (SummaryOrigin, lossy: Int)] = [:]
    for run in runs {
      if let origin = run.summary {
        // Told once for all of its hosts.
        origins[ObjectIdentifier(origin), default: (origin, 0)].lossy += run.mayLackCalls ? 1 : 0
        continue
      }
      let overrun = run.description.buffers.reduce(0) { $0 &+ $1.overrun }
      if run.quality.losses > 0 || overrun > 0 {
        notes.append(
          .lostEvents(
            side: side, path: run.path, losses: run.quality.losses,
            events: max(overrun, run.quality.lostEvents)))
      }
      let damage = run.quality.diagnostics.counts.values.reduce(0, +)
      if damage > 0 {
        notes.append(
          .damaged(side: side, path: run.path, diagnostics: run.quality.diagnostics.kept, count: damage))
      }
    }
    for (origin, lossy) in origins.values.sorted(by: { $0.0.path < $1.0.path }) {
      notes.append(
        .summarized(
          side: side, path: origin.path, runs: origin.runCount, kept: origin.keptRuns,
          failed: origin.failedCount, lossy: lossy))
    }
  }
  var sizes = Set<UInt64>()
  if let size = request.size { sizes.insert(size) }
  var filtered = Set<String>()
  for run in before.runs + after.runs {
    guard let stored = run.stored else { continue }
    let path = run.summary?.path ?? run.path
    if stored.filters != request.filters, filtered.insert(path).inserted {
      notes.append(.storedFiltersDiffer(path: path, stored: stored.filters, asked: request.filters))
    }
    if let size = stored.size { sizes.insert(size) }
  }
  if sizes.count > 1 { notes.append(.sizeDiffers(sizes.sorted())) }
  func inputs(_ side: ComparedSide) -> Set<String> { Set(side.runs.map { $0.summary?.path ?? $0.path }) }
  for path in inputs(before).intersection(inputs(after)).sorted() {
    notes.append(.sameInput(path))
  }
  return notes
}

extension TraceDescription.Format {
  /// What matters for comparing: how durations were printed, not the container's version.
  var family: String {
    switch self {
    case .traceDat: "trace.dat"
    default: name
    }
  }
}
