internal import Analysis
internal import FunctionGraph

/// A remark beside the figures.
struct Note: Hashable {
  enum Weight: String {
    /// Good to know.
    case note
    /// The figures may mislead.
    case warning
  }

  var weight: Weight
  /// One sentence or two, without a full stop at the end.
  var text: String

  init(_ weight: Weight, _ text: String) {
    self.weight = weight
    self.text = text
  }
}

extension Diagnostic {
  /// `line 12: expected ...`.
  var sentence: String {
    switch place {
    case .line(let line): "line \(line): \(detail)"
    case .byte(let byte): "byte \(byte): \(detail)"
    case .whole: detail
    }
  }
}

extension Diagnostics {
  /// One note a kind: how many, and where the first ones are.
  var notes: [Note] {
    counts.keys.sorted { $0.rawValue < $1.rawValue }.map { kind in
      let first = kept.filter { $0.kind == kind }
      let count = counts[kind] ?? first.count
      let shown = first.prefix(3).map(\.sentence).joined(separator: "; ")
      let more = count > min(3, first.count) ? " (and \(count - min(3, first.count)) more)" : ""
      return Note(kind.weight, "\(kind.phrase(count)): \(shown)\(more)")
    }
  }
}

extension Diagnostic.Kind {
  fileprivate var weight: Note.Weight {
    switch self {
    case .missingSymbols, .clockIsNotTime, .unsupported, .timeGoesBack: .note
    default: .warning
    }
  }

  fileprivate func phrase(_ count: Int) -> String {
    switch self {
    case .unreadableLine:
      "\(counted(count, "line")) left out that \(count == 1 ? "looks" : "look") like function-graph output and cannot be read"
    case .overlongLine: "\(counted(count, "overlong line")) left out"
    case .damagedPage: "\(counted(count, "damaged page")) left out"
    case .damagedChunk: "\(counted(count, "damaged chunk")) left out"
    case .damagedSection: "\(counted(count, "part")) of the file cannot be used"
    case .truncated: "the file is cut short"
    case .missingSymbols: "names are missing"
    case .missingFormat: "an event format is missing"
    case .clockIsNotTime: "timestamps are no time"
    case .timeGoesBack: "timestamps go back \(count == 1 ? "once" : "\(count) times")"
    case .limitReached: "a limit was reached"
    case .unsupported: "not understood"
    }
  }
}

/// `1 call`, `2 calls`.
func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}

/// Where interrupts and sleep inside calls cannot be told, what would do; nil where both can.
func timeAwayNote(hasSwitches: Bool, hasInterrupts: Bool) -> Note? {
  switch (hasSwitches, hasInterrupts) {
  case (true, true): nil
  case (false, false):
    Note(
      .note,
      "interrupts and sleep inside calls: not separable (no irq or sched_switch records; record with "
        + "-e sched:sched_switch -e irq -e irq_vectors)")
  case (true, false):
    Note(
      .note,
      "interrupts inside calls: not separable (no irq records; record with -e irq -e irq_vectors)")
  case (false, true):
    Note(
      .note,
      "sleep inside calls: not separable (no sched_switch records; record with -e sched:sched_switch)")
  }
}

/// What has to be said beside the figures of one trace.
func notes(for analysis: TraceAnalysis, _ context: ReportContext) -> [Note] {
  var notes: [Note] = []
  let quality = analysis.quality
  let unfinished = analysis.functions.reduce(0) { $0 + $1.unfinished }
  let noEntry = analysis.functions.reduce(0) { $0 + $1.noEntry }
  let lost = analysis.functions.reduce(0) { $0 + $1.lost }
  let withoutDuration = quality.withoutDuration
  let overrun = analysis.description.buffers.reduce(0) { $0 &+ $1.overrun }

  if quality.losses > 0 || overrun > 0 {
    var text = "events were lost"
    if quality.losses > 0 { text += " in \(counted(quality.losses, "place"))" }
    let events = max(overrun, quality.lostEvents)
    if events > 0 { text += " (\(events) events)" }
    text += ": \(counted(lost, "selected call")) had losses inside, and others may be missing"
    notes.append(Note(.warning, text))
  }
  if unfinished > 0 {
    notes.append(
      Note(.note, "\(counted(unfinished, "call")) without an exit: no duration, not in the figures"))
  }
  if noEntry > 0 {
    notes.append(
      Note(.note, "\(counted(noEntry, "call")) without an entry: the exit carries the duration, which counts")
    )
  }
  if withoutDuration > 0 {
    notes.append(
      Note(
        .warning, "\(counted(withoutDuration, "call")) printed without a duration (funcgraph-duration off)"))
  }
  let coarsest = analysis.functions.map(\.durations.resolution).max() ?? 1
  if coarsest > 1 {
    notes.append(
      Note(
        .note,
        "durations are printed as coarsely as \(Figures.microseconds(Int64(coarsest)).trimmingZeros) us"))
  }
  if let origin = analysis.summary {
    var text = "\(counted(origin.runCount, "trace")) in the summary"
    if origin.failedCount > 0 { text += ", and \(origin.failedCount) that could not be read" }
    notes.append(Note(origin.failedCount > 0 ? .warning : .note, text))
  }
  if let sketched = analysis.functions.map(\.durations.quantileError).max(), sketched > 0 {
    notes.append(
      Note(
        .note,
        (analysis.isOfSummary ? "of a summary" : "over \(DurationSample.exactLimit) calls")
          + ": quantiles are from a sketch, within \(Figures.percent(sketched)); "
          + "count, total, mean, standard deviation, minimum and maximum are exact"))
  }
  if quality.skipped > 0 {
    notes.append(Note(.note, "the first \(counted(quality.skipped, "call")) left out (--skip-first)"))
  }
  if quality.callsBeyondLimit > 0 {
    notes.append(
      Note(
        .warning,
        "more than \(TraceAnalyzer.functionsLimit) functions: \(counted(quality.callsBeyondLimit, "call")) of further "
          + "ones left out"))
  }
  if quality.withoutTime > 0 {
    notes.append(
      Note(.warning, "\(counted(quality.withoutTime, "call")) without a time left out (--from, --to)"))
  }
  if quality.pathsTruncated {
    notes.append(
      Note(.warning, "more than \(CallPaths.limit) call paths: the deepest are summed with their callers"))
  }
  if let note = recordingNote(analysis, context.recorded) { notes.append(note) }
  if context.wantsTimeAway, analysis.stored == nil, !analysis.isOfSummary,
    analysis.functions.contains(where: { $0.count > 0 })
  {
    let functions = analysis.functions
    if let note = timeAwayNote(
      hasSwitches: functions.contains { $0.offCPU != nil },
      hasInterrupts: functions.contains { $0.interrupts != nil })
    {
      notes.append(note)
    }
  }
  notes += quality.diagnostics.notes
  return notes
}

/// What the way of recording does to the durations.
private func recordingNote(_ analysis: TraceAnalysis, _ recorded: Recording) -> Note? {
  guard analysis.functions.contains(where: { $0.count > 0 }) else { return nil }
  if analysis.quality.isNested {
    return Note(
      .note,
      "calls are recorded \(Int(analysis.quality.deepest) + 1) deep: recording the callees is part of the durations; "
        + "`trace-cmd record -l FUNCTION` records without")
  }
  switch recorded == .unknown ? Recording(of: analysis.description) : recorded {
  case .filter: return nil
  case .graph:
    return Note(
      .note,
      "recorded with -g: the callees are hooked though not shown, which is part of the durations; "
        + "`trace-cmd record -l FUNCTION` records without")
  case .unknown:
    return Note(
      .note,
      "one level deep: whether callees were hooked (-g, slower) or not (-l) is not in the file; --recorded says it"
    )
  }
}

extension ComparisonNote {
  var note: Note {
    func list(_ values: [some CustomStringConvertible]) -> String {
      values.isEmpty ? "unknown" : values.map(\.description).joined(separator: ", ")
    }
    switch self {
    case .kernelDiffers(let before, let after):
      return Note(.warning, "kernels differ: \(list(before)) before, \(list(after)) after")
    case .clockDiffers(let before, let after):
      return Note(.warning, "trace clocks differ: \(list(before)) before, \(list(after)) after")
    case .cpuCountDiffers(let before, let after):
      return Note(.warning, "CPU counts differ: \(list(before)) before, \(list(after)) after")
    case .nestingDiffers(let nested):
      let side = nested == .before ? "before" : "after"
      return Note(
        .warning,
        "tracer options differ: only \(side) records callees, which takes time of its own; record both sides alike"
      )
    case .depthDiffers(let before, let after):
      return Note(
        .warning,
        "tracer options may differ: calls are recorded \(Int(before) + 1) deep before, \(Int(after) + 1) deep after"
      )
    case .formatDiffers(let before, let after):
      return Note(.note, "formats differ: \(list(before)) before, \(list(after)) after")
    case .lostEvents(let side, let path, let losses, let events):
      let number = events > 0 ? " (\(events) events)" : ""
      let places = losses > 0 ? " in \(counted(losses, "place"))" : ""
      return Note(
        .warning,
        "events were lost\(places)\(number) on the \(side == .before ? "before" : "after") side: \(path)")
    case .damaged(let side, let path, let diagnostics, let count):
      let first = diagnostics.first.map { ": " + $0.sentence } ?? ""
      let more = count > 1 ? " (and \(count - 1) more)" : ""
      return Note(
        .warning,
        "not all of \(path) (\(side == .before ? "before" : "after")) is as it should be\(first)\(more)")
    case .tracerInMeasurement:
      return Note(
        .note,
        "callees are recorded, which adds to both sides and makes a gain look smaller; "
          + "`trace-cmd record -l FUNCTION` records without")
    case .storedFiltersDiffer(let path, let stored, let asked):
      func list(_ filters: [String]) -> String {
        filters.isEmpty ? "no filters" : filters.joined(separator: " ")
      }
      return Note(
        .warning,
        "filters do not apply to the stored analysis \(path): it was made with \(list(stored)), asked for were "
          + list(asked))
    case .sizeDiffers(let sizes):
      return Note(.warning, "mapped sizes differ: \(sizes.map(Figures.bytes).joined(separator: ", "))")
    case .sectionsTogether(let before, let after):
      return Note(
        .warning,
        "the text has \(counted(before, "heading")) for before and \(after) for after: what stands below them is taken "
          + "together; if they are different settings, compare each in a file of its own")
    case .summarized(let side, let path, let runs, let kept, let failed, let lossy):
      var text =
        "\(path) (\(side == .before ? "before" : "after")) is a summary of \(counted(runs, "trace")): each host's figure "
        + "is one sample; it has no durations of single calls"
      if kept < runs { text += "; a random sample of \(kept) of them is compared" }
      if failed > 0 {
        text += "; \(counted(failed, "trace")) could not be read and \(failed == 1 ? "is" : "are") not in it"
      }
      if lossy > 0 { text += "; \(counted(lossy, "host")) may lack calls (events lost, or damage)" }
      return Note(kept < runs || failed > 0 || lossy > 0 ? .warning : .note, text)
    case .sidesByColumn: return Note(.note, "before is the left column of the text, after the right one")
    case .sameInput(let path): return Note(.warning, "the same input is on both sides: \(path)")
    }
  }
}

extension ModelNote {
  var note: Note {
    switch self {
    case .cannotTell(let side, let reasons):
      return Note(
        .note,
        "which variant \(side == .before ? "before" : "after") is cannot be told (\(reasons.joined(separator: "; "))); "
          + "--variant-\(side == .before ? "before" : "after") says it")
    case .belowFloor(let measured, let floor, let costs):
      let column = DurationColumn([measured, floor], ascii: true)
      return Note(
        .warning,
        "after (\(column.formatWithUnit(measured))) is faster than any variant of the model could be "
          + "(\(column.formatWithUnit(floor)) by the costs \"\(costs)\"): check --size, --page-size and that both sides "
          + "map the same memory")
    case .hooksUncorrected:
      return Note(
        .warning,
        "recorded with -g: the callees' hooks are part of both sides and understate a gain; record with "
          + "`trace-cmd record -l FUNCTION`, or give --hook-cost, which `pinstat model --calibrate` finds from a pair "
          + "recorded=graph, recorded=filter")
    case .cannotCorrect:
      return Note(
        .warning,
        "no correction for hooks: their number is known for 2M pages and recognized variants only (--hooks gives it), "
          + "or --hook-cost takes away more than there is")
    }
  }
}

extension FunctionNote {
  func note(_ comparison: FunctionComparison) -> Note {
    switch self {
    case .oneSample:
      return Note(
        .warning, "one \(comparison.unit.rawValue) a side has no interval, so nothing is known of the spread")
    case .oneAgainstSeveral:
      return Note(.warning, "one trace against several has no interval: record several on both sides")
    case .tooFew(let needed):
      let level = Figures.percent(1 - comparison.alpha)
      return Note(
        .warning,
        "needs at least \(needed) a side for an interval at \(level) confidence: \(comparison.unit.rawValue)s are the samples"
      )
    case .metricWithoutInterval(let metric): return Note(.note, "\(metric.rawValue) has no interval")
    case .tooFewCallsForP99(let needed):
      return Note(.warning, "p99 needs at least \(needed) calls a side for an interval")
    case .widened(let spread):
      if let interval = comparison.decisionInterval {
        return Note(
          .warning,
          "one trace a side: the spread between runs is unknown; verdict and gates take \(Figures.percent(spread)) for "
            + "it (--run-spread) and look at [\(Figures.significant(interval.lower, 4)), "
            + "\(Figures.significant(interval.upper, 4))]")
      }
      return Note(.warning, "one trace a side: the spread between runs is unknown")
    case .subsampled(let limit):
      return Note(
        .note, "more than \(limit) calls a side: a seeded subsample of \(limit) was compared (--seed)")
    case .belowResolution(let resolution):
      return Note(
        .note,
        "the difference is below what the source prints (\(Figures.microseconds(Int64(resolution)).trimmingZeros) us)"
      )
    case .moreRuns(let runs):
      return Note(.note, "about \(counted(runs, "more run")) a side would decide")
    case .smallestDetectableSlowdown(let slowdown):
      return Note(
        .note, "the smallest slowdown that these data could have shown: \(Figures.percent(slowdown))")
    case .model(let note): return note.note
    case .incompleteCalls(let before, let after):
      return Note(.note, "calls without a duration, left out: \(before) before, \(after) after")
    case .sketched(let error):
      return Note(.note, "quantiles are from a sketch, within \(Figures.percent(error))")
    case .callsMissing:
      return Note(
        .warning,
        "one host a side, and of its calls only what adds up: a test over calls needs exact durations, which "
          + "analyze --format json keeps")
    case .dataLost(let before, let after):
      let sides = before && after ? "both sides" : "the \(before ? "before" : "after") side"
      return Note(
        .warning,
        "gates are undecided: data were lost on \(sides), and the calls that are missing could move the verdict; "
          + "record again, with a larger buffer (-b) where events were lost")
    case .callCountDiffers(let before, let after):
      return Note(
        .warning,
        "calls per trace differ: \(Figures.significant(before, 4).trimmingZeros) before, "
          + "\(Figures.significant(after, 4).trimmingZeros) after; look at the total too")
    }
  }
}
