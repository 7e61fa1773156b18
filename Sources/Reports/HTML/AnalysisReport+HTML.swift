internal import Analysis
internal import FunctionGraph

extension AnalysisReport {
  /// Functions, of all traces together, that are shown in detail; the tables have all of them.
  static let htmlDetails = 12

  /// One self-contained HTML document.
  public var html: String {
    // Each trace's longest functions, as many of each as there is room for.
    let room = max(1, Self.htmlDetails / max(1, traces.count))
    let shown = traces.enumerated().prefix(Self.htmlDetails).map { index, trace in
      (
        index: index,
        functions: Array(trace.functions.indices.filter { trace.functions[$0].count > 0 }.prefix(room))
      )
    }
    let budget = ChartBudget(functions: shown.reduce(0) { $0 + $1.functions.count })
    var rules = ""
    var sections: Markup = ""
    for (index, trace) in traces.enumerated() {
      let chosen = shown.first { $0.index == index }?.functions ?? []
      var details: Markup = ""
      for number in chosen {
        let function = trace.functions[number]
        let tree = function.tree.flatMap { SidedCalleeTree(before: [$0], after: [], most: budget.nodes) }
        let icicle = tree.flatMap {
          $0.nodes.count > 1 ? Icicle(tree: $0, isComparison: false, prefix: "t\(index)-\(number)") : nil
        }
        rules += icicle?.rules ?? ""
        details += section(trace, function, view(index, number), icicle, budget)
      }
      let rest = trace.functions.count - chosen.count
      let more: Markup =
        rest > 0 && !trace.functions.isEmpty
        ? "<p class=\"soft\">\(counted(rest, "more function")) in the table alone; <code>-f</code> names those to see in detail.</p>"
        : ""
      sections += """
        <section data-trace="\(trace.path)"><h2 class="mono">\(trace.path)</h2>
        <p class="soft">\(trace.contents)</p>
        \(noteList(notes(for: trace, context)))
        \(trace.functions.isEmpty ? "" : durationTable(trace))</section>
        \(details)\(more)

        """
    }
    let body: Markup = """
      <main>
      <header><p class="kicker">pinstat analyze</p><h1>\(headline)</h1></header>
      \(sections)
      \(conditionTables([("", traces)], context))
      </main>
      \(pageFooter(context))
      """
    return Page(title: "pinstat: \(headline)", body: body, rules: rules).html
  }

  private var headline: String {
    let names = Set(traces.flatMap { $0.functions.map(\.function.symbol) })
    let subject = names.count == 1 ? names.first ?? "" : counted(names.count, "function")
    return traces.count == 1 ? "Durations of \(subject)" : "Durations of \(subject) in \(traces.count) traces"
  }

  private func durationTable(_ trace: TraceAnalysis) -> Markup {
    let largest = trace.functions.filter { $0.count > 0 }.map { Double($0.durations.maximum) }
    let quantiles = trace.functions.map { $0.durations.quantiles([0.5, 0.9, 0.99]) }
    func column(_ value: (Int) -> Double?) -> DurationColumn {
      DurationColumn(trace.functions.indices.compactMap(value), among: largest, ascii: false)
    }
    func known(_ index: Int, _ value: Int64) -> Double? {
      trace.functions[index].count > 0 ? Double(value) : nil
    }
    let values: [(key: String, title: String, value: (Int) -> Double?)] = [
      ("min_us", "min", { known($0, trace.functions[$0].durations.minimum) }),
      ("p50_us", "p50", { quantiles[$0][0] }), ("p90_us", "p90", { quantiles[$0][1] }),
      ("p99_us", "p99", { quantiles[$0][2] }),
      ("max_us", "max", { known($0, trace.functions[$0].durations.maximum) }),
      ("mean_us", "mean", { trace.functions[$0].durations.mean }),
      ("stddev_us", "sd", { trace.functions[$0].durations.standardDeviation }),
    ]
    let columns = values.map { column($0.value) }
    let total = DurationColumn(trace.functions.map { Double($0.durations.total) }, ascii: false)
    let hasIncomplete = trace.functions.contains { $0.incomplete > 0 }
    var titles: [(Markup, Bool)] = [("function", false), ("calls", true)]
    if hasIncomplete { titles.append(("incomplete", true)) }
    titles += zip(values, columns).map { ("\($0.title) \($1.unit)", true) }
    titles.append(("total \(total.unit)", true))
    let away = TimeAwayColumns(context.wantsTimeAway ? trace.functions : [], total)
    titles += away.titles.map { ("\($0)", true) }
    if context.size != nil { titles.append(("GiB/s", true)) }
    var table = HTMLTable("Durations by function, the longest total first", titles)
    table.isLong = trace.functions.count > 5
    for (index, function) in trace.functions.enumerated() {
      var cells: [Markup] = ["\(function.title)", figure("count", function.count)]
      if hasIncomplete { cells.append(figure("incomplete", function.incomplete)) }
      cells += zip(values, columns).map { value, column in
        figure(value.key, value.value(index).map { $0 / 1_000 }, column.format(value.value(index)))
      }
      cells.append(
        figure(
          "total_us", Double(function.durations.total) / 1_000, total.format(Double(function.durations.total))
        ))
      cells += away.figures("", function.offCPU?.nanoseconds, function.interrupts?.nanoseconds)
      if let size = context.size {
        let rate = throughput(bytes: size, nanoseconds: quantiles[index][0])
        cells.append(figure("throughput_gib_s", rate, rate.map { Figures.significant($0, 4) } ?? "-"))
      }
      table.rows.append(cells)
    }
    return table.markup
  }

  private func section(
    _ trace: TraceAnalysis, _ function: FunctionDurations, _ view: ModelView?, _ icicle: Icicle?,
    _ budget: ChartBudget
  ) -> Markup {
    let series = [CallSeries(name: "calls", runs: [RunCalls(path: trace.path, parts: [function])])]
    let durations = series[0].durations
    var charts: Markup = """
      <figure class="wide"><figcaption><b>Durations</b>\(dotsText(series, budget)) Band: the middle half of the calls; \
      line: median; bar above: its 95% interval.</figcaption>\(distributionChart(series, budget))</figure>
      <figure><figcaption><b>Histogram</b>Calls by duration.</figcaption>\(histogramChart(durations))</figure>
      <figure><figcaption><b>Distribution function</b>Share of the calls that took no longer.</figcaption>\
      \(distributionFunctionChart(series))</figure>
      <figure class="wide"><figcaption><b>Over time</b>\(timelineText(series[0], budget))</figcaption>\
      \(timelineChart(series[0], scale: durations, budget))</figure>

      """
    if let icicle {
      charts += """
        <figure class="wide"><figcaption><b>Where the time goes</b>Callees below their callers, as wide as their time in one \
        call. \(leftOutText(icicle.tree))</figcaption>\(icicle.markup)
        \(pathTable(icicle.tree))</figure>

        """
    }
    if let view, view.headroom != nil {
      charts += """
        <figure class="wide"><figcaption><b>Measurement and model</b>Costs: \(view.costsName), scaled to this \
        duration.</figcaption>\(modelBars(view))\(noteList(view.lines.map { Note(.note, $0) }))</figure>

        """
    }
    return """
      <section class="function" data-function="\(function.function.symbol)"><h2>\(function.title)</h2>
      \(noteList(view?.headroom == nil ? (view?.lines ?? []).map { Note(.note, $0) } : []))
      <div class="charts">
      \(charts)</div>
      \(calleeTable(function))
      </section>

      """
  }

  private func calleeTable(_ function: FunctionDurations) -> Markup {
    guard let callees = function.callees, callees.parentCalls > 0, !callees.rows.isEmpty else { return "" }
    var own = CalleeTable.Row(
      function: FunctionName(symbol: "(\(function.function.symbol) itself)"), calls: callees.parentCalls,
      total: callees.parentTotal, selfTime: callees.parentSelf, level: 0)
    own.offCPU = callees.parentOffCPU
    own.interrupts = callees.parentInterrupts
    let shown = [own] + callees.rows.prefix(60)
    let column = DurationColumn(shown.map { Double($0.total) }, ascii: false)
    let away = TimeAwayColumns(callees, column)
    var table = HTMLTable(
      "Where the time of \(counted(callees.parentCalls, "whole call")) goes, the longest total first",
      [
        ("callee", false), ("calls", true), ("total \(column.unit)", true), ("self \(column.unit)", true),
        ("% total", true), ("% self", true),
      ] + away.titles.map { ("\($0)", true) })
    table.isLong = shown.count > 12
    func percent(_ part: Int64) -> String {
      callees.parentTotal > 0 ? Figures.fixed(Double(part) / Double(callees.parentTotal) * 100, 1) : "-"
    }
    for row in shown {
      table.rows.append(
        [
          "\(row.function.symbol)", figure("callee.calls", row.calls),
          figure("callee.total_us", Double(row.total) / 1_000, column.format(Double(row.total))),
          figure("callee.self_us", Double(row.selfTime) / 1_000, column.format(Double(row.selfTime))),
          "\(percent(row.total))", "\(percent(row.selfTime))",
        ] + away.figures("callee.", row.offCPU, row.interrupts))
    }
    let rest = callees.rows.count - (shown.count - 1)
    let more: Markup = rest > 0 ? "<p class=\"soft\">and \(counted(rest, "more callee"))</p>" : ""
    return "<h3>Callees</h3>\n\(table.markup)\(more)"
  }
}
