public import Analysis
internal import FunctionGraph
internal import Statistics

/// The report of `compare`: one value, and a renderer a format.
public struct ComparisonReport: Sendable {
  public var comparison: Comparison
  public var context: ReportContext

  public init(comparison: Comparison, context: ReportContext) {
    self.comparison = comparison
    self.context = context
  }
}

extension FunctionComparison {
  /// `[1.80, 1.95]`.
  func intervalText(_ interval: ConfidenceInterval?) -> String? {
    interval.map { "[\(Figures.significant($0.lower, 4)), \(Figures.significant($0.upper, 4))]" }
  }

  /// `1.87 times faster`, in words that the verdict allows.
  var headline: String {
    switch verdict {
    case .faster: return "\(Figures.significant(speedup)) times as fast"
    case .slower: return "\(Figures.significant(1 / speedup)) times as slow"
    case .same: return "the same"
    case .unclear: return "unclear"
    }
  }

  var confidenceText: String? {
    interval.map { Figures.percent($0.confidence) }
  }
}

extension GateOutcome {
  public var word: String {
    switch self {
    case .holds: "holds"
    case .undecided: "undecided"
    case .fails: "fails"
    case .error: "error"
    }
  }
}

extension Gates {
  /// `--max-slowdown 5% --min-speedup 2x`.
  var text: String {
    var parts: [String] = []
    if let maxSlowdown { parts.append("--max-slowdown \(Figures.percent(maxSlowdown))") }
    if let minSpeedup { parts.append("--min-speedup \(Figures.significant(minSpeedup, 4).trimmingZeros)x") }
    return parts.joined(separator: " ")
  }
}

extension ComparedSide {
  /// What the side's traces are, for a line of conditions.
  var summary: String {
    let summaries = Set(runs.map(\.description.summary)).sorted()
    return summaries.joined(separator: "; ")
  }

  var paths: [String] { runs.map(\.path) }
}

// MARK: Terminal

extension ComparisonReport {
  public func text(_ style: TextStyle) -> String {
    var lines: [String] = []
    for (title, side) in [("before  ", comparison.before), ("after   ", comparison.after)] {
      let named = side.runs.prefix(3).map { Escaping.terminal($0.path) }.joined(separator: ", ")
      let more = side.runs.count > 3 ? " and \(side.runs.count - 3) more" : ""
      let body = wrapped(
        "\(named)\(more): \(Escaping.terminal(side.summary))", width: style.width - title.count)
      for (row, line) in body.enumerated() {
        lines.append((row == 0 ? title : String(repeating: " ", count: title.count)) + line)
      }
    }
    for note in comparison.notes.map(\.note) + timeAwayNotes { lines += noteLines(note, style) }
    if comparison.functions.count > 1 {
      lines.append("")
      lines += overview(style)
    }
    let detailed = comparison.functions.count <= 12 ? comparison.functions[...] : []
    for function in detailed { lines += [""] + details(function, style) }
    if detailed.isEmpty {
      lines += ["", "Name fewer functions with -f for the details of each."]
    }
    for (names, side) in [(comparison.onlyBefore, "before"), (comparison.onlyAfter, "after")]
    where !names.isEmpty {
      let shown = names.prefix(8).map(Escaping.terminal).joined(separator: ", ")
      let more = names.count > 8 ? " and \(names.count - 8) more" : ""
      lines.append("")
      lines += wrapped("only \(side): \(shown)\(more)", width: style.width, indent: "  ")
    }
    if let gate = comparison.gate {
      let text = "gate \(comparison.request.gates.text): \(gate.word)"
      lines += [
        "", gate == .holds ? style.good(text) : (gate == .undecided ? style.warning(text) : style.bad(text)),
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func noteLines(_ note: Note, _ style: TextStyle) -> [String] {
    let mark = note.weight == .warning ? style.warning("warning: ") : style.dim("note: ")
    let indent = String(repeating: " ", count: note.weight.rawValue.count + 2)
    let body = wrapped(Escaping.terminal(note.text), width: style.width - indent.count)
    return body.enumerated().map { ($0.offset == 0 ? mark : indent) + $0.element }
  }

  private func painted(_ verdict: Verdict, _ text: String, _ style: TextStyle) -> String {
    switch verdict {
    case .faster: style.good(text)
    case .slower: style.bad(text)
    case .same: text
    case .unclear: style.warning(text)
    }
  }

  private func overview(_ style: TextStyle) -> [String] {
    let functions = comparison.functions
    let both = functions.flatMap { [$0.before.value, $0.after.value] }
    let before = DurationColumn(functions.map(\.before.value), among: both, ascii: !style.unicode)
    let after = DurationColumn(functions.map(\.after.value), among: both, ascii: !style.unicode)
    func table(_ strip: RatioStrip?) -> TextTable {
      var table = TextTable(
        [
          ("function", .left), ("before \(before.unit)", .right), ("after \(after.unit)", .right),
          ("speedup", .right), ("interval", .right), ("p", .right), ("verdict", .left),
        ] + (strip.map { [($0.title, .left)] } ?? []))
      for function in functions {
        let verdict = function.verdict
        let paint: @Sendable (String) -> String = { self.painted(verdict, $0, style) }
        table.add(
          [
            Escaping.terminal(function.name), before.format(function.before.value),
            after.format(function.after.value),
            verdict == .unclear || verdict == .same ? "~" : Figures.significant(function.speedup),
            function.intervalText(function.interval) ?? "-", function.pValue.map(Figures.pValue) ?? "-",
            verdict.rawValue,
          ] + (strip.map { [$0.text(function)] } ?? []), paint: [3: paint, 6: paint, 7: paint])
      }
      return table
    }
    let plain = table(nil)
    let room = min(41, style.width - plain.width - 2)
    let chosen =
      room >= 15
      ? table(RatioStrip(functions, width: room - (room + 1) % 2, unicode: style.unicode))
      : plain.fitted(to: style.width, drops: [5, 4, 2, 1], leastName: 20, ellipsis: style.ellipsis)
    return chosen.lines(style: style.bold)
  }

  private func details(_ function: FunctionComparison, _ style: TextStyle) -> [String] {
    let metric = comparison.request.metric
    let sides = [("before", function.before), ("after", function.after)]
    let value = DurationColumn(
      sides.map(\.1.value), among: metric == .total ? nil : sides.map { Double($0.1.maximum) },
      ascii: !style.unicode)
    let low = DurationColumn(
      sides.map { Double($0.1.minimum) }, among: sides.map { Double($0.1.maximum) }, ascii: !style.unicode)
    let high = DurationColumn(sides.map { Double($0.1.maximum) }, ascii: !style.unicode)
    let total = DurationColumn(sides.map { Double($0.1.total) }, ascii: !style.unicode)
    let showsMedian = metric != .median
    let median = DurationColumn(sides.map(\.1.median), ascii: !style.unicode)
    var titles: [(String, TextTable.Alignment)] = [
      ("", .left), ("runs", .right), ("calls", .right), ("\(metric.rawValue) \(value.unit)", .right),
    ]
    if showsMedian { titles.append(("median \(median.unit)", .right)) }
    titles += [("min \(low.unit)", .right), ("max \(high.unit)", .right), ("total \(total.unit)", .right)]
    if context.size != nil { titles.append(("GiB/s", .right)) }
    var table = TextTable(titles)
    for (title, side) in sides {
      var cells = [title, String(side.runs), String(side.calls), value.format(side.value)]
      if showsMedian { cells.append(median.format(side.median)) }
      cells += [
        low.format(Double(side.minimum)), high.format(Double(side.maximum)), total.format(Double(side.total)),
      ]
      if let size = context.size {
        cells.append(
          throughput(bytes: size, nanoseconds: side.median).map { Figures.significant($0, 4) } ?? "-")
      }
      table.add(cells)
    }
    let verdict = "\(function.verdict.rawValue)"
    let claim = function.verdict == .unclear || function.verdict == .same ? "" : ", \(function.headline)"
    var lines = [
      style.bold(Escaping.terminal(function.name)) + ": " + painted(function.verdict, verdict, style) + claim
    ]
    for (number, part) in table.split(to: style.width - 2, ellipsis: style.ellipsis).enumerated() {
      if number > 0 { lines.append("") }
      lines += part.lines(indent: 2, style: style.bold)
    }
    lines += distributionStrip(
      [
        ("before", comparison.before.calls(of: function.name).flatMap(\.durations), style.dim),
        (
          "after", comparison.after.calls(of: function.name).flatMap(\.durations),
          { self.painted(function.verdict, $0, style) }
        ),
      ], style, indent: 2)
    var estimate = "  speedup \(Figures.significant(function.speedup, 4))"
    if let interval = function.intervalText(function.interval), let confidence = function.confidenceText {
      estimate += " \(interval) at \(confidence) confidence"
    } else {
      estimate += ", no interval"
    }
    if let p = function.pValue { estimate += ", \(Figures.pEquation(p))" }
    if let delta = function.cliffsDelta, function.pValue != nil {
      estimate += ", Cliff's delta \(Figures.significant(delta, 2).trimmingZeros)"
    }
    lines += wrapped(estimate, width: style.width - 2, indent: "    ").enumerated().map {
      $0.offset == 0 ? "  " + $0.element : $0.element
    }
    var narrower = style
    narrower.width -= 2
    for note in function.notes.map({ $0.note(function) }) {
      lines += noteLines(note, narrower).map { "  " + $0 }
    }
    if let gate = function.gate, comparison.functions.count > 1 { lines.append("  gate: \(gate.word)") }
    for line in (function.correction?.lines ?? []) + (function.model?.lines ?? []) {
      lines += wrapped(Escaping.terminal(line), width: style.width - 2, indent: "       ").map { "  " + $0 }
    }
    let away = timeAwayRows(function)
    if !away.isEmpty {
      let table = timeAwayTable(away, ascii: !style.unicode)
      for part in table.split(to: style.width - 2, ellipsis: style.ellipsis) {
        lines += [""] + part.lines(indent: 2, style: style.bold)
      }
    }
    lines += calleeDifference(function, style)
    return lines
  }

  private func calleeDifference(_ function: FunctionComparison, _ style: TextStyle) -> [String] {
    let rows = calleeRows(function)
    guard !rows.isEmpty else { return [] }
    let before = DurationColumn(rows.map { $0.before ?? 0 }, ascii: !style.unicode)
    let after = DurationColumn(rows.map { $0.after ?? 0 }, ascii: !style.unicode)
    let difference = DurationColumn(rows.map(\.difference), ascii: !style.unicode)
    var table = TextTable([
      ("self time a call", .left), ("before \(before.unit)", .right), ("after \(after.unit)", .right),
      ("change \(difference.unit)", .right), ("% of it", .right),
    ])
    for row in rows.prefix(15) {
      let paint: @Sendable (String) -> String = { row.difference < 0 ? style.good($0) : style.bad($0) }
      table.add(
        [
          Escaping.terminal(row.name), before.format(row.before), after.format(row.after),
          (row.difference > 0 ? "+" : "") + difference.format(row.difference),
          row.share.map { Figures.fixed($0 * 100, 1) } ?? "-",
        ], paint: row.difference == 0 ? [:] : [3: paint])
    }
    table = table.fitted(to: style.width - 2, drops: [4, 1, 2], leastName: 16, ellipsis: style.ellipsis)
    let more = rows.count > 15 ? ["  and \(rows.count - 15) more callees"] : []
    return [""] + table.lines(indent: 2, style: style.bold) + more
  }

  struct CalleeDifference {
    var name: String
    /// Calls of the callee for one call of the function.
    var beforeCalls: Double
    var afterCalls: Double
    /// Self time for one call of the function, nanoseconds; nil where the side does not have the callee.
    var before: Double?
    var after: Double?
    var beforeTotal: Double
    var afterTotal: Double
    var difference: Double { (after ?? 0) - (before ?? 0) }
    /// Of the change of the whole call; nil where that is 0.
    var share: Double?
  }

  /// The difference of a call, attributed to the function itself and its callees by self time, which adds up; the largest
  /// difference first. Empty unless both sides have callees.
  func calleeRows(_ function: FunctionComparison) -> [CalleeDifference] {
    guard context.wantsCallees, let before = function.before.callees, let after = function.after.callees,
      before.parentCalls > 0,
      after.parentCalls > 0, !(before.rows.isEmpty && after.rows.isEmpty)
    else { return [] }
    func perCall(_ value: Int64, _ table: CalleeTable) -> Double { Double(value) / Double(table.parentCalls) }
    struct Sum {
      var calls = 0.0
      var selfTime = 0.0
      var total = 0.0
    }
    func sums(_ table: CalleeTable) -> [String: Sum] {
      var result: [String: Sum] = [:]
      for row in table.rows {
        let name = FunctionPattern.strippingSuffixes(row.function.symbol)
        result[name, default: Sum()].calls += Double(row.calls) / Double(table.parentCalls)
        result[name, default: Sum()].selfTime += perCall(row.selfTime, table)
        result[name, default: Sum()].total += perCall(row.total, table)
      }
      return result
    }
    let (left, right) = (sums(before), sums(after))
    let change = perCall(after.parentTotal, after) - perCall(before.parentTotal, before)
    var rows = [
      CalleeDifference(
        name: "(\(function.name) itself)", beforeCalls: 1, afterCalls: 1,
        before: perCall(before.parentSelf, before),
        after: perCall(after.parentSelf, after), beforeTotal: perCall(before.parentTotal, before),
        afterTotal: perCall(after.parentTotal, after))
    ]
    for name in Set(left.keys).union(right.keys).sorted() {
      rows.append(
        CalleeDifference(
          name: name, beforeCalls: left[name]?.calls ?? 0, afterCalls: right[name]?.calls ?? 0,
          before: left[name]?.selfTime, after: right[name]?.selfTime, beforeTotal: left[name]?.total ?? 0,
          afterTotal: right[name]?.total ?? 0))
    }
    if change != 0 { for index in rows.indices { rows[index].share = rows[index].difference / change } }
    return rows.sorted { (abs($1.difference), $0.name) < (abs($0.difference), $1.name) }
  }
}
