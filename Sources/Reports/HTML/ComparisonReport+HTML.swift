internal import Analysis
internal import FunctionGraph
internal import Glibc
internal import Statistics

extension ComparisonReport {
  /// Functions that are shown in detail; a table has all of them.
  static let htmlDetails = 12

  /// One self-contained HTML document.
  public var html: String {
    let detailed = Array(comparison.functions.prefix(Self.htmlDetails))
    let budget = ChartBudget(functions: detailed.count)
    var rules = ""
    var sections: Markup = ""
    for (index, function) in detailed.enumerated() {
      let tree = SidedCalleeTree(
        before: comparison.before.trees(of: function.name), after: comparison.after.trees(of: function.name),
        most: budget.nodes)
      let icicle = tree.flatMap {
        $0.nodes.count > 1 ? Icicle(tree: $0, isComparison: true, prefix: "t\(index)") : nil
      }
      rules += icicle?.rules ?? ""
      sections += section(function, icicle, budget)
    }
    let rest = comparison.functions.count - detailed.count
    let more: Markup =
      rest > 0
      ? "<p class=\"soft\">\(counted(rest, "more function")) in the table alone; <code>-f</code> names those to see in detail.</p>"
      : ""
    let body: Markup = """
      <main>
      \(heading)
      \(comparison.functions.count > 1 ? overview : "")
      \(sections)\(more)
      \(conditions)
      </main>
      \(pageFooter(context))
      """
    return Page(title: title, body: body, rules: rules).html
  }

  private var title: String {
    guard comparison.functions.count == 1, let function = comparison.functions.first else {
      return "pinstat: \(counted(comparison.functions.count, "function")) compared"
    }
    return "pinstat: \(function.name) \(function.verdict.rawValue)"
  }

  // MARK: Verdict

  private var heading: Markup {
    let functions = comparison.functions
    var lines: Markup = ""
    if functions.count == 1, let function = functions.first {
      lines += "<h1>\(function.name) \(badge(function.verdict))</h1>\n\(claim(function))"
    } else {
      let counts = Verdict.allCases.compactMap { verdict -> Markup? in
        let count = functions.filter { $0.verdict == verdict }.count
        return count > 0
          ? "<span class=\"badge \(verdict.rawValue)\">\(count) \(verdict.symbolAndWord)</span>" : nil
      }
      lines += """
        <h1>\(counted(functions.count, "function")) compared</h1>
        <p class="claim line">\(Markup(joining: counts, separator: " "))</p>

        """
    }
    if let gate = comparison.gate {
      lines +=
        "<p class=\"line\">Gate <code>\(comparison.request.gates.text)</code>: <span class=\"badge \(gate.word)\">\(gate.word)</span></p>\n"
    }
    let subject: Markup = functions.count == 1 ? " data-function=\"\(functions[0].name)\"" : ""
    let sides = Markup(
      joining: [("before", comparison.before), ("after", comparison.after)].map { name, side in
        let more = side.runs.count > 3 ? " and \(side.runs.count - 3) more" : ""
        let paths = side.paths.prefix(3).joined(separator: ", ")
        return """
          <dt><span class="key \(name)"></span>\(name)</dt><dd><span class="mono">\(paths)</span>\(more): \(side.summary)</dd>

          """
      })
    return """
      <header\(subject)>
      <p class="kicker">pinstat compare, \(comparison.request.metric.rawValue) duration</p>
      \(lines)<dl class="sides">\(sides)</dl>
      \(noteList(comparison.notes.map(\.note) + timeAwayNotes))
      </header>
      """
  }

  private func badge(_ verdict: Verdict) -> Markup {
    "<span class=\"badge \(verdict.rawValue)\">\(verdict.symbolAndWord)</span>"
  }

  private func claim(_ function: FunctionComparison) -> Markup {
    var text: Markup =
      "<b>\(figure("speedup", function.speedup, Figures.significant(function.speedup)))×</b> speedup"
    if let interval = function.interval {
      text += """
        , \(figure("confidence", interval.confidence, Figures.percent(interval.confidence))) confidence \
        \(figure("speedup_low", interval.lower, Figures.significant(interval.lower, 4))) to \
        \(figure("speedup_high", interval.upper, Figures.significant(interval.upper, 4)))
        """
    } else {
      text += ", no interval"
    }
    if let p = function.pValue { text += ", \(figure("p_value", p, Figures.pEquation(p)))" }
    if function.pValue != nil, let delta = function.cliffsDelta {
      text += ", Cliff’s delta \(figure("effect_size", delta, Figures.significant(delta, 2).trimmingZeros))"
    }
    return "<p class=\"claim\">\(text)</p>\n"
  }

  // MARK: All functions

  private var overview: Markup {
    let both = comparison.functions.flatMap { [$0.before.value, $0.after.value] }
    let before = DurationColumn(comparison.functions.map(\.before.value), among: both, ascii: false)
    let after = DurationColumn(comparison.functions.map(\.after.value), among: both, ascii: false)
    let drawn = 200
    let scale = RatioScale(comparison, comparison.functions.prefix(drawn))
    var table = HTMLTable(
      "All functions, by their total time before. \(RatioScale.caption)",
      [
        ("function", false), ("before \(before.unit)", true), ("after \(after.unit)", true),
        ("speedup", true),
        ("interval", true), ("p", true), ("verdict", false), ("speedup, drawn", false),
      ])
    table.isLong = true
    for (index, function) in comparison.functions.enumerated() {
      table.rows.append([
        "\(function.name)",
        figure("before.value_us", function.before.value / 1_000, before.format(function.before.value)),
        figure("after.value_us", function.after.value / 1_000, after.format(function.after.value)),
        figure("speedup", function.speedup, Figures.significant(function.speedup)),
        "\(function.intervalText(function.interval) ?? "-")",
        figure("p_value", function.pValue, function.pValue.map(Figures.pValue) ?? "-"),
        badge(function.verdict),
        index < drawn ? scale.row(function) : "",
      ])
    }
    var lines = "<section><h2>All functions</h2>\n\(table.markup)" as Markup
    for (names, side) in [(comparison.onlyBefore, "before"), (comparison.onlyAfter, "after")]
    where !names.isEmpty {
      let more = names.count > 40 ? " and \(names.count - 40) more" : ""
      lines += "<p class=\"soft\">Only \(side): \(names.prefix(40).joined(separator: ", "))\(more)</p>\n"
    }
    return "\(lines)</section>"
  }

  // MARK: One function

  private func section(_ function: FunctionComparison, _ icicle: Icicle?, _ budget: ChartBudget) -> Markup {
    let isOnly = comparison.functions.count == 1
    let series = [
      CallSeries(name: "before", runs: comparison.before.calls(of: function.name)),
      CallSeries(name: "after", runs: comparison.after.calls(of: function.name)),
    ]
    let scale = RatioScale(comparison, [function])
    let head: Markup =
      isOnly ? "" : "<h2>\(function.name) \(badge(function.verdict))</h2>\n\(claim(function))"
    var charts: Markup = """
      <figure class="wide"><figcaption><b>Speedup</b>\(RatioScale.caption)\(comparison.request.gates.isEmpty ? "" : " Dashed: gates.")</figcaption>\(scale.chart(function))</figure>
      <figure class="wide"><figcaption><b>Durations</b>\(dotsText(series, budget)) Band: the middle half of the calls; \
      line: median; bar above: its 95% interval.</figcaption>\(distributionChart(series, budget))</figure>
      <figure class="wide"><figcaption><b>Distribution functions</b>Share of the calls that took no longer.</figcaption>\
      \(distributionFunctionChart(series))</figure>

      """
    let durations = series.flatMap(\.durations)
    for lane in series {
      charts += """
        <figure><figcaption><b>Over time, \(lane.name)</b>\(timelineText(lane, budget))</figcaption>\
        \(timelineChart(lane, scale: durations, budget))</figure>

        """
    }
    if let icicle {
      charts += """
        <figure class="wide"><figcaption><b>Where the time goes</b>Callees below their callers, as wide as the mean of their \
        time before and after, for one call; the colour is the change. \(leftOutText(icicle.tree))</figcaption>\(icicle.markup)
        \(pathTable(icicle.tree))</figure>

        """
    }
    if let model = function.model, model.predictedSpeedup != nil {
      charts += """
        <figure class="wide"><figcaption><b>Measurement and model</b>Costs: \(model.costsName).</figcaption>\
        \(modelBars(function, model))\(noteList(model.lines.map { Note(.note, $0) }))</figure>

        """
    }
    // What the model says stands beside its bars, where there are any.
    let modelLines = function.model.map { $0.predictedSpeedup == nil ? $0.lines : [] } ?? []
    let notes =
      ((function.correction?.lines ?? []) + modelLines).map { Note(.note, $0) }
      + function.notes.map { $0.note(function) }
    return """
      <section class="\(isOnly ? "" : "function")" data-function="\(function.name)">
      \(head)\(sideTable(function))
      \(noteList(notes))
      <div class="charts">
      \(charts)</div>
      \(timeAwayTable(function))\(calleeDifferenceTable(function))
      </section>

      """
  }

  private func sideTable(_ function: FunctionComparison) -> Markup {
    let metric = comparison.request.metric
    let sides = [("before", function.before), ("after", function.after)]
    let value = DurationColumn(sides.map(\.1.value), ascii: false)
    let median = DurationColumn(sides.map(\.1.median), ascii: false)
    let low = DurationColumn(sides.map { Double($0.1.minimum) }, ascii: false)
    let high = DurationColumn(sides.map { Double($0.1.maximum) }, ascii: false)
    let total = DurationColumn(sides.map { Double($0.1.total) }, ascii: false)
    let showsValue = metric != .median || function.unit == .run
    var columns: [(Markup, Bool)] = [("", false), ("runs", true), ("calls", true)]
    if showsValue {
      columns.append(
        (
          function.unit == .run
            ? "\(metric.rawValue) of runs \(value.unit)" : "\(metric.rawValue) \(value.unit)", true
        ))
    }
    columns += [
      ("median \(median.unit)", true), ("min \(low.unit)", true), ("max \(high.unit)", true),
      ("total \(total.unit)", true),
    ]
    if context.size != nil { columns.append(("GiB/s", true)) }
    var table = HTMLTable("Both sides of \(function.name)", columns)
    for (name, side) in sides {
      var cells: [Markup] = [
        "<span class=\"key \(name)\"></span>\(name)", figure("\(name).runs", side.runs),
        figure("\(name).calls", side.calls),
      ]
      if showsValue { cells.append(figure("\(name).value_us", side.value / 1_000, value.format(side.value))) }
      cells += [
        figure("\(name).median_us", side.median / 1_000, median.format(side.median)),
        figure("\(name).min_us", Double(side.minimum) / 1_000, low.format(Double(side.minimum))),
        figure("\(name).max_us", Double(side.maximum) / 1_000, high.format(Double(side.maximum))),
        figure("\(name).total_us", Double(side.total) / 1_000, total.format(Double(side.total))),
      ]
      if let size = context.size {
        let rate = throughput(bytes: size, nanoseconds: side.median)
        cells.append(figure("\(name).throughput_gib_s", rate, rate.map { Figures.significant($0, 4) } ?? "-"))
      }
      table.rows.append(cells)
    }
    return table.markup
  }

  private func timeAwayTable(_ function: FunctionComparison) -> Markup {
    let rows = timeAwayRows(function)
    guard !rows.isEmpty else { return "" }
    let column = timeAwayColumn(rows, ascii: false)
    var table = HTMLTable(
      "Time inside one call of \(function.name) that is not its own, part of its duration",
      [
        ("", false), ("before \(column.unit)", true), ("calls with any", true),
        ("after \(column.unit)", true),
        ("calls with any", true),
      ])
    for row in rows {
      var cells: [Markup] = ["\(row.title)"]
      for (name, side) in [("before", row.before), ("after", row.after)] {
        cells.append(
          figure(
            "\(name).\(row.key)_us_per_call", side.perCall.map { $0 / 1_000 },
            side.perCall == nil ? "not separable" : column.format(side.perCall)))
        cells.append("\(side.calls)")
      }
      table.rows.append(cells)
    }
    return "<h3>Interrupts and sleep</h3>\n\(table.markup)"
  }

  private func calleeDifferenceTable(_ function: FunctionComparison) -> Markup {
    let rows = calleeRows(function)
    guard !rows.isEmpty else { return "" }
    let shown = rows.prefix(40)
    let before = DurationColumn(shown.map { $0.before ?? 0 }, ascii: false)
    let after = DurationColumn(shown.map { $0.after ?? 0 }, ascii: false)
    let difference = DurationColumn(shown.map(\.difference), ascii: false)
    var table = HTMLTable(
      "Self time in one call of \(function.name), the largest difference first",
      [
        ("function", false), ("calls before", true), ("calls after", true), ("before \(before.unit)", true),
        ("after \(after.unit)", true), ("difference \(difference.unit)", true), ("% of change", true),
      ])
    table.isLong = shown.count > 12
    for row in shown {
      table.rows.append([
        "\(row.name)",
        figure("callee.before_calls", row.beforeCalls, Figures.significant(row.beforeCalls, 4).trimmingZeros),
        figure("callee.after_calls", row.afterCalls, Figures.significant(row.afterCalls, 4).trimmingZeros),
        figure("callee.before_self_us", row.before.map { $0 / 1_000 }, before.format(row.before)),
        figure("callee.after_self_us", row.after.map { $0 / 1_000 }, after.format(row.after)),
        figure(
          "callee.difference_us", row.difference / 1_000,
          (row.difference > 0 ? "+" : "") + difference.format(row.difference).replacingMinus),
        figure(
          "callee.share_of_change", row.share,
          row.share.map { Figures.fixed($0 * 100, 1).replacingMinus } ?? "-"),
      ])
    }
    let more: Markup =
      rows.count > shown.count
      ? "<p class=\"soft\">and \(counted(rows.count - shown.count, "more callee"))</p>" : ""
    return "<h3>Where the difference comes from</h3>\n\(table.markup)\(more)"
  }

  private var conditions: Markup {
    conditionTables(
      [("before", comparison.before.runs), ("after", comparison.after.runs)], context,
      options: [
        ("metric", comparison.request.metric.rawValue), ("alpha", Figures.exact(comparison.request.alpha)),
        ("same within", Figures.percent(comparison.request.sameWithin)),
        ("run spread", Figures.percent(comparison.request.runSpread)),
        ("gates", comparison.request.gates.isEmpty ? "none" : comparison.request.gates.text),
        ("seed", String(comparison.request.seed)),
      ])
  }
}

extension Verdict {
  /// `▲ faster`.
  var symbolAndWord: String {
    switch self {
    case .faster: "▲ faster"
    case .slower: "▼ slower"
    case .same: "= same"
    case .unclear: "? unclear"
    }
  }
}

extension String {
  /// With a minus sign that is as wide as a plus.
  var replacingMinus: String { hasPrefix("-") && count > 1 ? "−" + dropFirst() : self }
}
