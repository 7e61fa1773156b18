public import FunctionGraph

// When data were lost, a gate does not decide.
//
// The calls that are missing may have had any duration. Losses do not fall on calls at random either: a full ring buffer
// loses what ran while it was full, a cut file its end, and the longer a call the likelier a loss inside it. So neither a
// median nor any other metric of what is left bounds the metric of what was there, however few calls are missing, and
// `holds` and `fails` would both be claims about calls that nobody saw. A gate on such data is undecided (exit 3), which
// `--undecided` turns into whatever a job wants. The report's figures, interval and verdict stay: they are right for the
// calls that are there, and the warning says that others are not.
//
// Calls without an exit are no loss of data: they are known, counted and shown.

extension Diagnostic.Kind {
  /// Whether calls can be missing from the figures because of it.
  public var canHideCalls: Bool {
    switch self {
    case .unreadableLine, .overlongLine, .damagedPage, .damagedChunk, .damagedSection, .truncated,
      .missingFormat, .limitReached:
      true
    // A call without its symbol is there under its address, and a function that was named is then not found (exit 2).
    // Of times only the order is doubtful: a duration is in the exit itself. What is not supported holds no calls.
    case .missingSymbols, .clockIsNotTime, .timeGoesBack, .unsupported: false
    }
  }
}

extension TraceAnalysis {
  /// Whether data were lost that may have held calls of the selected functions: by the tracer (events lost, overruns), or
  /// from the file (damaged, cut, or beyond a limit).
  public var mayLackCalls: Bool {
    quality.losses > 0 || quality.lostEvents > 0 || quality.callsBeyondLimit > 0
      || quality.lacksCallsAsStored
      || description.buffers.contains { $0.overrun > 0 }
      || quality.diagnostics.counts.keys.contains(where: \.canHideCalls)
  }

  /// The first thing that hides calls, in an input of which no call at all could be read; nil where there are calls, and
  /// where nothing was lost.
  public var reasonForNoCalls: Diagnostic? {
    quality.calls > 0 ? nil : quality.diagnostics.reasonForNoCalls
  }
}

extension Diagnostics {
  /// The first thing that hides calls; where calls are missing altogether, the reason.
  public var reasonForNoCalls: Diagnostic? {
    kept.first { $0.kind.canHideCalls && $0.place != .whole } ?? kept.first(where: \.kind.canHideCalls)
  }
}

extension FunctionComparison {
  /// This comparison with its gate undecided where a side may lack calls.
  func withGateFor(_ before: ComparedSide, _ after: ComparedSide) -> FunctionComparison {
    let lacks = (before.runs.contains(where: \.mayLackCalls), after.runs.contains(where: \.mayLackCalls))
    guard gate != nil, lacks.0 || lacks.1 else { return self }
    var result = self
    result.gate = .undecided
    result.notes.append(.dataLost(before: lacks.0, after: lacks.1))
    return result
  }
}
