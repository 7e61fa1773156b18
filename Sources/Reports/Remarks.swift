public import Analysis
internal import FunctionGraph

// Formats for machines have no place for remarks: these go to standard error beside them.

extension AnalysisReport {
  /// Warnings, one line each, the trace's path in front.
  public var remarks: [String] {
    traces.flatMap { trace in
      notes(for: trace, context).filter { $0.weight == .warning }.map { "\(trace.path): warning: \($0.text)" }
    }
  }
}

extension ComparisonReport {
  /// Warnings, one line each.
  public var remarks: [String] {
    var lines: [String] = []
    for note in comparison.notes.map(\.note) where note.weight == .warning {
      lines.append("warning: \(note.text)")
    }
    for function in comparison.functions.prefix(12) {
      for note in function.notes.map({ $0.note(function) }) where note.weight == .warning {
        lines.append("\(function.name): warning: \(note.text)")
      }
    }
    return lines
  }
}

/// Warnings about the calls of one trace that were exported.
public func exportRemarks(_ quality: TraceQuality, isOutOfOrder: Bool) -> [String] {
  var remarks: [String] = []
  if quality.losses > 0 {
    let events = quality.lostEvents > 0 ? " (\(quality.lostEvents) events)" : ""
    remarks.append("warning: events were lost in \(counted(quality.losses, "place"))\(events)")
  }
  remarks += quality.diagnostics.notes.filter { $0.weight == .warning }.map { "warning: \($0.text)" }
  if isOutOfOrder {
    remarks.append(
      "warning: more than \(SelectedCalls.heldBackLimit) calls are unfinished: some stand before calls that end later"
    )
  }
  return remarks
}
