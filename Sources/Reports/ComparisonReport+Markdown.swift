internal import Analysis
internal import Statistics

extension ComparisonReport {
  /// GitHub-flavoured Markdown for the comment of a pull request: the verdict, the table, what warns; the rest is folded.
  public var markdown: String {
    var lines = ["**\(markdownHeadline)**", ""]
    if let gate = comparison.gate {
      lines += ["Gate `\(comparison.request.gates.text)`: **\(gate.word)**", ""]
    }
    lines += markdownTable.markdown
    let warnings = markdownWarnings
    if !warnings.isEmpty { lines += [""] + warnings }
    // GitHub renders Markdown inside of an HTML element only behind a blank line.
    lines += ["", "<details>", "<summary>Details and conditions</summary>", ""]
    for function in comparison.functions {
      let away = timeAwayRows(function)
      if !away.isEmpty {
        lines +=
          ["\(Escaping.markdownCode(function.name)):", ""] + timeAwayTable(away, ascii: false).markdown + [""]
      }
      lines += markdownCallees(function)
    }
    lines += markdownDetails
    lines += ["", "</details>"]
    return lines.joined(separator: "\n") + "\n"
  }

  private var markdownHeadline: String {
    let functions = comparison.functions
    if functions.count == 1, let function = functions.first {
      let claim =
        function.verdict == .faster || function.verdict == .slower
        ? "\(function.verdict.rawValue), \(function.headline)" : function.headline
      return "\(Escaping.markdownCode(function.name)): \(claim)"
    }
    let counts = Verdict.allCases.compactMap { verdict -> String? in
      let count = functions.filter { $0.verdict == verdict }.count
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    return "\(functions.count) functions: \(counts.joined(separator: ", "))"
  }

  private var markdownTable: TextTable {
    let before = DurationColumn(comparison.functions.map(\.before.value), ascii: false)
    let after = DurationColumn(comparison.functions.map(\.after.value), ascii: false)
    let metric = comparison.request.metric.rawValue
    var table = TextTable([
      ("function", .left), ("calls", .right), ("before \(before.unit) (\(metric))", .right),
      ("after \(after.unit) (\(metric))", .right), ("total before", .right), ("total after", .right),
      ("speedup", .right), ("interval", .right), ("p", .right), ("verdict", .left),
    ])
    for function in comparison.functions {
      let total = DurationColumn([Double(function.before.total), Double(function.after.total)], ascii: false)
      table.add([
        Escaping.markdownCode(function.name), "\(function.before.calls) / \(function.after.calls)",
        before.format(function.before.value), after.format(function.after.value),
        total.formatWithUnit(Double(function.before.total)),
        total.formatWithUnit(Double(function.after.total)),
        Figures.significant(function.speedup),
        function.intervalText(function.interval).map { "\($0) (\(function.confidenceText ?? ""))" } ?? "-",
        function.pValue.map(Figures.pValue) ?? "-", "**\(function.verdict.rawValue)**",
      ])
    }
    return table
  }

  /// Functions whose notes are given.
  private var annotated: ArraySlice<FunctionComparison> { comparison.functions.prefix(12) }

  private func item(_ note: Note, of function: FunctionComparison? = nil) -> String {
    let subject =
      comparison.functions.count > 1 ? function.map { Escaping.markdownCode($0.name) + ": " } ?? "" : ""
    return "- **\(note.weight.rawValue)**: \(subject)\(Escaping.markdown(note.text))"
  }

  private var markdownWarnings: [String] {
    comparison.notes.map(\.note).filter { $0.weight == .warning }.map { item($0) }
      + annotated.flatMap { function in
        function.notes.map { $0.note(function) }.filter { $0.weight == .warning }.map {
          item($0, of: function)
        }
      }
  }

  private func markdownCallees(_ function: FunctionComparison) -> [String] {
    let rows = calleeRows(function)
    guard !rows.isEmpty else { return [] }
    let left = DurationColumn(rows.map { $0.before ?? 0 }, ascii: false)
    let right = DurationColumn(rows.map { $0.after ?? 0 }, ascii: false)
    var table = TextTable([
      ("self time a call", .left), ("before \(left.unit)", .right), ("after \(right.unit)", .right),
      ("% of change", .right),
    ])
    for row in rows.prefix(15) {
      table.add([
        Escaping.markdownCode(row.name), left.format(row.before), right.format(row.after),
        row.share.map { Figures.fixed($0 * 100, 1) } ?? "-",
      ])
    }
    return ["Where the change of \(Escaping.markdownCode(function.name)) comes from:", ""] + table.markdown
      + [""]
  }

  private var markdownDetails: [String] {
    var lines: [String] = []
    for (title, side) in [("before", comparison.before), ("after", comparison.after)] {
      let paths = side.paths.prefix(3).map(Escaping.markdownCode).joined(separator: ", ")
      let more = side.paths.count > 3 ? " and \(side.paths.count - 3) more" : ""
      lines.append("- \(title): \(paths)\(more) (\(Escaping.markdown(side.summary)))")
    }
    for (names, side) in [(comparison.onlyBefore, "before"), (comparison.onlyAfter, "after")]
    where !names.isEmpty {
      let more = names.count > 8 ? " and \(names.count - 8) more" : ""
      lines.append(
        "- only \(side): \(names.prefix(8).map(Escaping.markdownCode).joined(separator: ", "))\(more)")
    }
    lines += (comparison.notes.map(\.note) + timeAwayNotes).filter { $0.weight == .note }.map { item($0) }
    for function in annotated {
      for line in (function.correction?.lines ?? []) + (function.model?.lines ?? []) {
        lines.append("- " + Escaping.markdown(line))
      }
      lines += function.notes.map { $0.note(function) }.filter { $0.weight == .note }.map {
        item($0, of: function)
      }
    }
    lines.append("- pinstat \(pinstatVersion)")
    return lines
  }
}
