internal import Analysis
internal import FunctionGraph

// What the pages of analyze and compare have in common.

func noteList(_ notes: [Note]) -> Markup {
  guard !notes.isEmpty else { return "" }
  let ordered = notes.filter { $0.weight == .warning } + notes.filter { $0.weight != .warning }
  let items = ordered.map { note -> Markup in
    // The model's lines say themselves what they are.
    let (label, text) =
      note.text.hasPrefix("model: ")
      ? ("model", String(note.text.dropFirst(7))) : (note.weight.rawValue, note.text)
    return "<li class=\"\(note.weight.rawValue)\"><b>\(label)</b>\(text)</li>\n"
  }
  return "<ul class=\"notes\">\n\(Markup(joining: items))</ul>\n"
}

func pageFooter(_ context: ReportContext) -> Markup {
  "<footer>pinstat \(pinstatVersion). This page is whole in itself: it loads nothing.</footer>"
}

/// `Every call is a dot; ...`.
func dotsText(_ series: [CallSeries], _ budget: ChartBudget) -> String {
  let runs = series.flatMap(\.runs)
  let isSampled = runs.contains { !$0.isWhole }
  let most = series.map { max(100, budget.dots / max(1, $0.runs.count)) }
  let isThinned = zip(series, most).contains { lane, most in lane.runs.contains { $0.durations.count > most }
  }
  var text =
    isSampled || isThinned
    ? "A dot for some of the calls, evenly chosen by rank: "
      + series.map { lane in
        let most = max(100, budget.dots / max(1, lane.runs.count))
        let shown = lane.runs.reduce(0) { $0 + min(most, $1.durations.count) }
        return "\(shown) of \(lane.count) \(lane.name)"
      }.joined(separator: ", ") + "."
    : "Every call is a dot."
  if series.contains(where: { $0.runs.count > 1 }) {
    text += " A line of dots a run; diamonds: the runs’ medians."
  }
  return text
}

func timelineText(_ lane: CallSeries, _ budget: ChartBudget) -> String {
  let most = max(100, budget.dots / max(1, lane.runs.count))
  let thinned =
    lane.runs.map { run in
      let count = run.points.isEmpty ? run.durations.count : run.points.count
      return run.every * max(1, (count + most - 1) / most)
    }.max() ?? 1
  let which = thinned > 1 ? "One call of \(thinned) is a dot" : "Every call is a dot"
  let line = lane.count >= 15 ? "; line: median of consecutive calls" : ""
  let noTimes = lane.runs.contains { !$0.hasTimes } ? "; the input tells no times" : ""
  return which + line + noTimes + "."
}

func leftOutText(_ tree: SidedCalleeTree) -> String {
  tree.leftOut > 0
    ? "The shortest \(counted(tree.leftOut, "path")) of \(tree.leftOut + tree.paths) are drawn together." : ""
}

/// The tree of callees as a table, for those who read rather than look.
func pathTable(_ tree: SidedCalleeTree) -> Markup {
  let isComparison = tree.nodes.contains { $0.after != nil }
  let before = DurationColumn(tree.nodes.map { $0.before?.total ?? 0 }, ascii: false)
  let after = DurationColumn(tree.nodes.map { $0.after?.total ?? 0 }, ascii: false)
  var columns: [(Markup, Bool)] = [("function, below its caller", false), ("level", true)]
  columns +=
    isComparison
    ? [
      ("calls before", true), ("calls after", true), ("before \(before.unit)", true),
      ("after \(after.unit)", true),
      ("change", true),
    ] : [("calls", true), ("time \(before.unit)", true), ("itself \(before.unit)", true)]
  var table = HTMLTable("Callees by path, for one call", columns)
  func calls(_ figures: SidedCalleeTree.Figures?) -> String {
    figures.map { Figures.significant($0.calls, 4).trimmingZeros } ?? "-"
  }
  for node in tree.nodes {
    let indent = String(repeating: "\u{a0}\u{a0}", count: min(node.level, 30))
    let kind = node.rest > 0 ? "rest" : "tree"
    var cells: [Markup] = ["\(indent)\(node.name)", "\(node.level)"]
    if isComparison {
      cells += [
        figure("\(kind).before_calls", node.before?.calls, calls(node.before)),
        figure("\(kind).after_calls", node.after?.calls, calls(node.after)),
        figure(
          "\(kind).before_total_us", node.before.map { $0.total / 1_000 }, before.format(node.before?.total)),
        figure(
          "\(kind).after_total_us", node.after.map { $0.total / 1_000 }, after.format(node.after?.total)),
        "\(Icicle.changeText(node))",
      ]
    } else {
      cells += [
        figure("\(kind).calls", node.before?.calls, calls(node.before)),
        figure("\(kind).total_us", node.before.map { $0.total / 1_000 }, before.format(node.before?.total)),
        figure(
          "\(kind).self_us", node.before.map { $0.selfTime / 1_000 }, before.format(node.before?.selfTime)),
      ]
    }
    table.rows.append(cells)
  }
  return "<details><summary>The same as a table</summary>\(table.markup)</details>\n"
}

/// The traces, the options and the command, so that a page can be made again.
func conditionTables(
  _ sides: [(String, [TraceAnalysis])], _ context: ReportContext, options: [(String, String)] = []
) -> Markup {
  var files = HTMLTable(
    "Traces",
    [
      ("file", false), ("side", false), ("bytes", true), ("format", false), ("kernel", false),
      ("clock", false),
      ("tracer", false), ("CPUs", true), ("calls", true), ("lost events", true),
    ].filter { !($0.0.html == "side" && sides.count == 1) })
  for (name, runs) in sides {
    for run in runs.prefix(200) {
      let lost = max(run.quality.lostEvents, run.description.buffers.reduce(0) { $0 &+ $1.overrun })
      let clocks = Set(run.description.buffers.map(\.clock)).filter { !$0.isEmpty }.sorted()
      files.rows.append(
        ["<span class=\"mono\">\(run.path)</span>"] + (sides.count > 1 ? ["\(name)"] : [])
          + [
            "\(run.description.byteCount.map(String.init) ?? "-")", "\(run.description.format.name)",
            "\(run.description.kernelRelease.isEmpty ? "-" : run.description.kernelRelease)",
            "\(clocks.isEmpty ? "-" : clocks.joined(separator: ", "))",
            "\(run.description.tracer.isEmpty ? "-" : run.description.tracer)",
            "\(run.description.cpuCount.map(String.init) ?? "-")", figure("calls", run.quality.calls),
            "\(String(lost))",
          ])
    }
  }
  let runs = sides.flatMap(\.1)
  var settings: [(String, String)] = [("functions", context.functions.joined(separator: " "))]
  if let size = context.size { settings.append(("mapped by one call", Figures.bytes(size))) }
  if let pageSize = context.pageSize { settings.append(("pages", Figures.bytes(pageSize))) }
  if let backing = context.backing { settings.append(("backing", backing)) }
  settings.append(("recorded", context.recorded.rawValue))
  if !context.filters.isEmpty { settings.append(("filters", context.filters.joined(separator: " "))) }
  settings += options
  let machines = Set(runs.map(\.description.uname)).filter { !$0.isEmpty }.sorted()
  settings += machines.prefix(8).map { ("machine", $0) }
  let writers = Set(runs.map(\.description.writerVersion)).filter { !$0.isEmpty }.sorted()
  settings += writers.prefix(8).map { ("written by trace-cmd", $0) }
  let list = settings.map { name, value -> Markup in
    "<tr><th scope=\"row\">\(name)</th><td class=\"wrap\">\(value)</td></tr>\n"
  }
  let more: Markup = runs.count > files.rows.count ? "<p class=\"soft\">and more</p>" : ""
  let command: Markup =
    context.commandLine.isEmpty
    ? ""
    : "<h3>Command</h3>\n<code class=\"command\">\(context.commandLine.map(shellQuoted).joined(separator: " "))</code>\n"
  return """
    <section class="function conditions"><h2>Conditions</h2>
    <div class="files">\(files.markup)</div>\(more)
    <div class="scroll"><table><caption>Options</caption><tbody>
    \(Markup(joining: list))</tbody></table></div>
    \(command)</section>
    """
}

/// As a shell takes it back.
func shellQuoted(_ argument: String) -> String {
  let plain =
    !argument.isEmpty
    && argument.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-_./=:,+%@".utf8.contains($0)
      }
    }
  guard !plain else { return argument }
  var result = "'"
  for scalar in argument.unicodeScalars {
    if scalar == "'" { result += "'\\''" } else { result.unicodeScalars.append(scalar) }
  }
  return result + "'"
}
