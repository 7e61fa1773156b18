public import Analysis
internal import FunctionGraph
internal import Statistics

/// The report of `analyze`: one value, and a renderer a format.
public struct AnalysisReport: Sendable {
  public var traces: [TraceAnalysis]
  public var context: ReportContext

  /// What the model says of the functions that it simulates, by trace and function.
  var views: [[ModelView?]] = []

  public init(traces: [TraceAnalysis], context: ReportContext) {
    self.traces = traces
    self.context = context
  }

  /// Adds the model beside the measurement.
  public mutating func meet(_ request: ModelRequest) {
    views = traces.map { trace in trace.functions.map { ModelView.of(trace, $0, request) } }
  }

  func view(_ trace: Int, _ function: Int) -> ModelView? {
    views.indices.contains(trace) && views[trace].indices.contains(function) ? views[trace][function] : nil
  }
}

extension TraceDescription {
  /// `trace.dat v7, kernel 6.17.13, clock local, 2 CPUs`.
  var summary: String {
    var parts = [format.name]
    if !kernelRelease.isEmpty { parts.append("kernel \(kernelRelease)") }
    if let clock = buffers.first?.clock, !clock.isEmpty { parts.append("clock \(clock)") }
    if let cpuCount { parts.append(counted(cpuCount, "CPU")) }
    return parts.joined(separator: ", ")
  }
}

extension TraceAnalysis {
  /// `trace.dat v7, kernel 6.17.13, clock local, 2 CPUs; 1203 calls, 12 of them selected and whole`.
  public var contents: String {
    "\(description.summary); \(quality.calls) calls, \(functions.reduce(0) { $0 + $1.count }) of them selected and whole"
  }
}

extension FunctionDurations {
  /// `vfio_pin_map_dma`, with the buffer in front where it has a name.
  var title: String {
    titleWithoutModule + (function.module.isEmpty ? "" : " [\(function.module)]")
  }

  var titleWithoutModule: String { (buffer.isEmpty ? "" : buffer + ": ") + function.symbol }
}

// MARK: Terminal

extension AnalysisReport {
  /// For a terminal.
  ///
  /// - Parameters:
  ///   - style: what the terminal can show.
  ///   - jobs: how many threads may write it.
  public func text(_ style: TextStyle, jobs: Int = 1) -> String {
    var lines: [String] = []
    for (index, trace) in traces.enumerated() {
      if index > 0 { lines.append("") }
      let path = Escaping.terminal(trace.path)
      let heading = wrapped(
        "\(path): \(Escaping.terminal(trace.description.summary))", width: style.width, indent: "  ")
      // In bold what is surely the path: a blank in it may have become the end of a line.
      lines += heading.enumerated().map { row, line in
        row == 0 && line.hasPrefix(path + ":") ? style.bold(path) + line.dropFirst(path.count) : line
      }
      lines += tables(ofTrace: index, style, jobs)
      let notes = notes(for: trace, context)
      if !notes.isEmpty { lines.append("") }
      for note in notes {
        let mark = note.weight == .warning ? style.warning("warning: ") : style.dim("note: ")
        let indent = String(repeating: " ", count: note.weight.rawValue.count + 2)
        let body = wrapped(Escaping.terminal(note.text), width: style.width - indent.count)
        for (row, line) in body.enumerated() { lines.append((row == 0 ? mark : indent) + line) }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The table of all functions, and what is said of each by itself: texts of some lines each.
  private func tables(ofTrace index: Int, _ style: TextStyle, _ jobs: Int) -> [String] {
    let functions = traces[index].functions
    if functions.isEmpty { return [] }
    let hasSections = context.wantsHistogram || context.wantsCallees || !views.isEmpty
    let count = hasSections ? (functions.count + Self.sectionsAtOnce - 1) / Self.sectionsAtOnce : 0
    var parts = [String?](repeating: nil, count: 1 + count)
    parts.withUnsafeMutableBufferPointer { parts in
      inParallel(parts.count, workers: jobs) { part, _ in
        var lines: [String] = []
        if part == 0 {
          lines = [""] + durationTable(traces[index], style)
        } else {
          let first = (part - 1) * Self.sectionsAtOnce
          for number in first..<min(first + Self.sectionsAtOnce, functions.count) {
            lines += section(index, number, functions[number], style)
          }
        }
        if !lines.isEmpty { parts[part] = lines.joined(separator: "\n") }
      }
    }
    return parts.compactMap { $0 }
  }

  /// So few that those with long tables, which stand together, are not one thread's.
  private static let sectionsAtOnce = 8

  private func section(
    _ trace: Int, _ number: Int, _ function: FunctionDurations, _ style: TextStyle
  ) -> [String] {
    var lines = context.wantsHistogram ? histogram(function, style) : []
    if context.wantsCallees, let callees = function.callees {
      lines += calleeTable(function, callees, style)
    }
    if let view = view(trace, number) {
      lines.append("")
      for line in view.lines {
        lines += wrapped(Escaping.terminal(line), width: style.width, indent: "       ")
      }
    }
    return lines
  }

  /// A row of the table, nanoseconds; looked up once, as a function's durations are much to copy.
  private struct RowFigures {
    var minimum: Double?
    var p50: Double?
    var p90: Double?
    var p99: Double?
    var maximum: Double?
    var mean: Double?
    var standardDeviation: Double?
    var total: Double?

    init(_ durations: DurationSample) {
      guard durations.count > 0 else { return }
      let quantiles = durations.quantiles([0.5, 0.9, 0.99])
      minimum = Double(durations.minimum)
      (p50, p90, p99) = (quantiles[0], quantiles[1], quantiles[2])
      maximum = Double(durations.maximum)
      mean = durations.mean
      standardDeviation = durations.standardDeviation
      total = Double(durations.total)
    }
  }

  private func durationTable(_ trace: TraceAnalysis, _ style: TextStyle) -> [String] {
    let rows = trace.functions
    let ascii = !style.unicode
    let figures = rows.map { RowFigures($0.durations) }
    let largest = figures.compactMap(\.maximum)
    func column(_ value: KeyPath<RowFigures, Double?>, isTotal: Bool = false) -> (DurationColumn, [Double?]) {
      let values = figures.map { $0[keyPath: value] }
      return (DurationColumn(values.compactMap { $0 }, among: isTotal ? nil : largest, ascii: ascii), values)
    }
    func totals(_ value: (Int) -> Double?) -> (DurationColumn, [Double?]) {
      let values = rows.indices.map(value)
      return (DurationColumn(values.compactMap { $0 }, ascii: ascii), values)
    }
    var columns: [(String, (DurationColumn, [Double?]))] = [
      ("min", column(\.minimum)), ("p50", column(\.p50)), ("p90", column(\.p90)), ("p99", column(\.p99)),
      ("max", column(\.maximum)), ("mean", column(\.mean)), ("sd", column(\.standardDeviation)),
      ("total", column(\.total, isTotal: true)),
    ]
    // Parts of the total, where the trace tells of them.
    if context.wantsTimeAway, rows.contains(where: { $0.offCPU != nil }) {
      columns.append(("off-CPU", totals { rows[$0].offCPU.map { Double($0.nanoseconds) } }))
    }
    if context.wantsTimeAway, rows.contains(where: { $0.interrupts != nil }) {
      columns.append(("irq", totals { rows[$0].interrupts.map { Double($0.nanoseconds) } }))
    }
    // Each column once, however many tables are tried.
    func right(_ title: String, _ cells: [String]) -> TextTable.FilledColumn {
      TextTable.FilledColumn(title, .right, cells)
    }
    func names(_ title: KeyPath<FunctionDurations, String>) -> TextTable.FilledColumn {
      TextTable.FilledColumn("function", .left, rows.map { Escaping.terminal($0[keyPath: title]) })
    }
    var counts = [right("calls", rows.map { String($0.count) })]
    if rows.contains(where: { $0.incomplete > 0 }) {
      counts.append(right("incomplete", rows.map { String($0.incomplete) }))
    }
    let durations = columns.map { title, column in
      right("\(title) \(column.0.unit)", column.1.map { column.0.format($0) })
    }
    var rates: [TextTable.FilledColumn] = []
    if let size = context.size {
      let cells = figures.map { throughput(bytes: size, nanoseconds: $0.p50) }
      rates.append(right("GiB/s", cells.map { $0.map { Figures.significant($0, 4) } ?? "-" }))
    }
    // All columns on one line where they fit, else in two tables, or in as many as it takes.
    let titled = names(\.title)
    let whole = [titled] + counts + durations + rates
    if TextTable.width(of: whole) <= style.width { return TextTable(whole).lines(style: style.bold) }
    func halves(_ names: TextTable.FilledColumn) -> [[TextTable.FilledColumn]] {
      [[names] + counts + durations[..<5] + rates, [names] + durations[5...]]
    }
    // Modules go first: other formats have them, and no two rows become alike.
    let short = names(\.titleWithoutModule)
    let choices = [halves(titled)] + (Set(short.cells).count == rows.count ? [halves(short)] : [])
    let fitting = choices.first { $0.allSatisfy { TextTable.width(of: $0) <= style.width } }
    let parts =
      fitting?.map { TextTable($0) }
      ?? choices[choices.count - 1].flatMap { fittingParts(TextTable($0), style) }
    return Array(parts.map { $0.lines(style: style.bold) }.joined(separator: [""]))
  }

  /// Names are cut before a table is split.
  private func fittingParts(_ table: TextTable, _ style: TextStyle) -> [TextTable] {
    let cut = table.fitted(to: style.width, leastName: 0, ellipsis: style.ellipsis)
    let name = cut.rows.map { displayWidth($0[0]) }.max() ?? 0
    return cut.width <= style.width && name >= 20
      ? [cut] : table.split(to: style.width, ellipsis: style.ellipsis)
  }

  private func histogram(_ function: FunctionDurations, _ style: TextStyle) -> [String] {
    let values = function.durations.compared(seed: 0)
    guard !values.isEmpty else { return [] }
    let isWide = (values.max() ?? 1) / max(values.min() ?? 1, 1e-9) > 10
    let scale: Histogram.Scale = isWide ? .logarithmic : .linear
    let histogram = Histogram(
      values, bins: Histogram.suggestedBins(values, scale: scale, most: 20), scale: scale)
    guard histogram.edges.count > 1 || !histogram.counts.isEmpty else { return [] }
    let column = DurationColumn(histogram.edges, ascii: !style.unicode)
    let labels = histogram.counts.indices.map { bin in
      histogram.edges.count > bin + 1
        ? "\(column.format(histogram.edges[bin])) - \(column.format(histogram.edges[bin + 1]))"
        : column.format(histogram.edges.first)
    }
    let labelWidth = labels.map(displayWidth).max() ?? 0
    let countWidth = histogram.counts.map { String($0).count }.max() ?? 1
    let room = max(10, style.width - labelWidth - countWidth - 6)
    let largest = max(1, histogram.counts.max() ?? 1)
    let sampled = function.durations.isExact ? "" : ", of a sample of \(values.count)"
    var lines = [
      "", style.bold("\(Escaping.terminal(function.title)): calls by duration, \(column.unit)\(sampled)"),
    ]
    for (bin, count) in histogram.counts.enumerated() {
      let label = String(repeating: " ", count: labelWidth - displayWidth(labels[bin])) + labels[bin]
      let number = String(repeating: " ", count: countWidth - String(count).count) + String(count)
      lines.append("  \(label)  \(number)  " + bar(Double(count) / Double(largest), room, style))
      while lines[lines.count - 1].last == " " { lines[lines.count - 1].removeLast() }
    }
    return lines
  }

  private func calleeTable(
    _ function: FunctionDurations, _ callees: CalleeTable, _ style: TextStyle
  ) -> [String] {
    var lines = [""]
    let heading =
      "\(Escaping.terminal(function.title)): where the time of \(counted(callees.parentCalls, "whole call")) goes"
    lines.append(style.bold(heading))
    guard callees.parentCalls > 0, !callees.rows.isEmpty else {
      let reason =
        callees.parentCalls > 0
        ? "no callees are recorded" : "none of its calls is whole and outside of the other selected functions"
      lines.append("  " + reason)
      return lines
    }
    let total = DurationColumn(
      callees.rows.map { Double($0.total) } + [Double(callees.parentTotal)], ascii: !style.unicode)
    let away = TimeAwayColumns(callees, total)
    var table = TextTable(
      [
        ("callee", .left), ("calls", .right), ("per call", .right), ("total \(total.unit)", .right),
        ("self \(total.unit)", .right), ("% total", .right), ("% self", .right),
      ] + away.titles.map { ($0, .right) })
    func percent(_ part: Int64) -> String {
      callees.parentTotal > 0 ? Figures.fixed(Double(part) / Double(callees.parentTotal) * 100, 1) : "-"
    }
    func perCall(_ calls: Int) -> String {
      Figures.significant(Double(calls) / Double(callees.parentCalls), 3).trimmingZeros
    }
    table.add(
      [
        "(\(Escaping.terminal(function.function.symbol)) itself)", String(callees.parentCalls), "1",
        total.format(Double(callees.parentTotal)), total.format(Double(callees.parentSelf)),
        percent(callees.parentTotal), percent(callees.parentSelf),
      ] + away.cells(callees.parentOffCPU, callees.parentInterrupts))
    for row in callees.rows {
      table.add(
        [
          Escaping.terminal(row.function.symbol), String(row.calls), perCall(row.calls),
          total.format(Double(row.total)),
          total.format(Double(row.selfTime)), percent(row.total), percent(row.selfTime),
        ] + away.cells(row.offCPU, row.interrupts))
    }
    return lines
      + table.fitted(
        to: style.width - 2, drops: [6, 2, 4, 5, 1] + away.titles.indices.map { 7 + $0 }, leastName: 16,
        ellipsis: style.ellipsis
      )
      .lines(indent: 2, style: style.bold)
  }
}

/// A horizontal bar of up to `width` columns.
func bar(_ fraction: Double, _ width: Int, _ style: TextStyle) -> String {
  let eighths = Int((max(0, min(1, fraction)) * Double(width) * 8).rounded())
  guard style.unicode else {
    return String(repeating: "#", count: fraction > 0 ? max(1, (eighths + 4) / 8) : 0)
  }
  let parts: [String] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
  if fraction > 0, eighths == 0 { return "▏" }
  return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
}

// MARK: CSV, JSON, Markdown

extension AnalysisReport {
  public static let csvHeader =
    "trace,buffer,function,module,count,incomplete,min_us,p50_us,p90_us,p99_us,max_us,mean_us,stddev_us,total_us,throughput_gib_s"

  /// One row a trace, buffer and function.
  public var csv: String {
    var text = Self.csvHeader + "\n"
    for trace in traces {
      for row in trace.functions {
        let sample = row.durations
        let quantiles = sample.quantiles([0.5, 0.9, 0.99])
        func exact(_ value: Int64) -> String { sample.count > 0 ? Figures.microseconds(value) : "" }
        func computed(_ value: Double?) -> String { value.map(Figures.microseconds) ?? "" }
        let rate = context.size.flatMap { throughput(bytes: $0, nanoseconds: quantiles[0]) }
        let cells = [
          Escaping.csv(trace.path), Escaping.csvName(row.buffer), Escaping.csvName(row.function.symbol),
          Escaping.csvName(row.function.module), String(row.count), String(row.incomplete),
          exact(sample.minimum),
          computed(quantiles[0]), computed(quantiles[1]), computed(quantiles[2]), exact(sample.maximum),
          computed(sample.mean), computed(sample.standardDeviation), exact(sample.total),
          rate.map { Figures.decimal($0, atLeast: 3) } ?? "",
        ]
        text += cells.joined(separator: ",") + "\n"
      }
    }
    return text
  }

  public static let calleesCSVHeader =
    "trace,buffer,function,callee,module,level,parent_calls,calls,total_us,self_us,share_total,share_self,irq_us,off_cpu_us"

  /// `--callees` in CSV: one row a trace, buffer, function and callee.
  public var calleesCSV: String {
    var text = Self.calleesCSVHeader + "\n"
    for trace in traces {
      for row in trace.functions {
        guard let callees = row.callees else { continue }
        var own = CalleeTable.Row(
          function: row.function, calls: callees.parentCalls, total: callees.parentTotal,
          selfTime: callees.parentSelf,
          level: 0)
        own.offCPU = callees.parentOffCPU
        own.interrupts = callees.parentInterrupts
        for callee in [own] + callees.rows {
          func share(_ part: Int64) -> String {
            callees.parentTotal > 0
              ? Figures.decimal(Double(part) / Double(callees.parentTotal), atLeast: 3) : ""
          }
          let cells = [
            Escaping.csv(trace.path), Escaping.csvName(row.buffer), Escaping.csvName(row.function.symbol),
            Escaping.csvName(callee.function.symbol), Escaping.csvName(callee.function.module),
            String(callee.level),
            String(callees.parentCalls), String(callee.calls), Figures.microseconds(callee.total),
            Figures.microseconds(callee.selfTime), share(callee.total), share(callee.selfTime),
            callee.interrupts.map(Figures.microseconds) ?? "",
            callee.offCPU.map(Figures.microseconds) ?? "",
          ]
          text += cells.joined(separator: ",") + "\n"
        }
      }
    }
    return text
  }

  /// The stored form, with durations: serves as a baseline.
  public var document: AnalysisDocument {
    AnalysisDocument(
      tool: .init(name: "pinstat", version: pinstatVersion), functionsSelected: context.functions,
      size: context.size, pageSize: context.pageSize, backing: context.backing,
      recorded: context.recorded.rawValue,
      filters: context.filters,
      traces: traces.enumerated().map { index, trace in
        var stored = AnalysisDocument.Trace(
          trace, size: context.size, warnings: notes(for: trace, context).map(\.text))
        for number in stored.functions.indices {
          if !context.wantsCallees {
            stored.functions[number].callees = nil
            stored.functions[number].tree = nil
          }
          stored.functions[number].model = view(index, number).map(AnalysisDocument.Model.init)
        }
        return stored
      })
  }

  /// One JSON object on one line.
  public func json() throws -> [UInt8] {
    try Array(document.encoded()) + [UInt8(ascii: "\n")]
  }

  public var markdown: String {
    var lines: [String] = []
    for (index, trace) in traces.enumerated() {
      if !lines.isEmpty { lines.append("") }
      lines += [
        "### \(Escaping.markdownCode(trace.path))", "", Escaping.markdown(trace.description.summary), "",
      ]
      let columns = DurationColumn(
        trace.functions.filter { $0.count > 0 }.flatMap {
          [Double($0.durations.minimum), Double($0.durations.maximum)]
        },
        ascii: false)
      let totals = DurationColumn(trace.functions.map { Double($0.durations.total) }, ascii: false)
      let showsRate = context.size != nil
      let away = TimeAwayColumns(context.wantsTimeAway ? trace.functions : [], totals)
      var table = TextTable(
        [
          ("function", .left), ("calls", .right), ("incomplete", .right), ("min \(columns.unit)", .right),
          ("p50 \(columns.unit)", .right), ("p90 \(columns.unit)", .right), ("p99 \(columns.unit)", .right),
          ("max \(columns.unit)", .right), ("mean \(columns.unit)", .right), ("sd \(columns.unit)", .right),
          ("total \(totals.unit)", .right),
        ] + away.titles.map { ($0, .right) } + (showsRate ? [("GiB/s", .right)] : []))
      for row in trace.functions {
        let quantiles = row.durations.quantiles([0.5, 0.9, 0.99])
        let isKnown = row.count > 0
        var cells = [
          Escaping.markdownCode(row.title), String(row.count), String(row.incomplete),
          columns.format(isKnown ? Double(row.durations.minimum) : nil), columns.format(quantiles[0]),
          columns.format(quantiles[1]), columns.format(quantiles[2]),
          columns.format(isKnown ? Double(row.durations.maximum) : nil), columns.format(row.durations.mean),
          columns.format(row.durations.standardDeviation),
          totals.format(isKnown ? Double(row.durations.total) : nil),
        ]
        cells += away.cells(row.offCPU?.nanoseconds, row.interrupts?.nanoseconds)
        if let size = context.size {
          cells.append(
            throughput(bytes: size, nanoseconds: quantiles[0]).map { Figures.significant($0, 4) } ?? "-")
        }
        table.add(cells)
      }
      lines += table.markdown
      for function in trace.functions {
        guard context.wantsCallees, let callees = function.callees, !callees.rows.isEmpty else { continue }
        lines += [
          "",
          "Callees of \(Escaping.markdownCode(function.title)), \(counted(callees.parentCalls, "whole call")):",
          "",
        ]
        let unit = DurationColumn(callees.rows.map { Double($0.total) }, ascii: false)
        let away = TimeAwayColumns(callees, unit)
        var table = TextTable(
          [
            ("callee", .left), ("calls", .right), ("total \(unit.unit)", .right),
            ("self \(unit.unit)", .right), ("% total", .right),
          ] + away.titles.map { ($0, .right) })
        for row in callees.rows {
          let share = callees.parentTotal > 0 ? Double(row.total) / Double(callees.parentTotal) * 100 : 0
          table.add(
            [
              Escaping.markdownCode(row.function.symbol), String(row.calls), unit.format(Double(row.total)),
              unit.format(Double(row.selfTime)), Figures.fixed(share, 1),
            ] + away.cells(row.offCPU, row.interrupts))
        }
        lines += table.markdown
      }
      let views = trace.functions.indices.compactMap { view(index, $0) }
      let notes = notes(for: trace, context)
      if !notes.isEmpty || !views.isEmpty { lines.append("") }
      lines += views.flatMap(\.lines).map { "- " + Escaping.markdown($0) }
      lines += notes.map { "- **\($0.weight.rawValue)**: \(Escaping.markdown($0.text))" }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
