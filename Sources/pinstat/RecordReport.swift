import Analysis
import FunctionGraph
import PinningModel
import Reports

/// What `pinstat record` says of its traces: as analyze does of one side's, as compare of two.
struct RecordReport {
  private let command: RecordCommand
  private let series: RecordedSeries
  private let kept: [String]
  private let model: ModelRequest?

  /// - Parameter kept: the files that the traces were written to, where they were.
  init(_ command: RecordCommand, _ series: RecordedSeries, kept: [String], model: ModelRequest?) {
    self.command = command
    self.series = series
    self.kept = kept
    self.model = model
  }

  /// - Returns: false where a function that was named was not called.
  func write() throws -> Bool {
    let request = AnalysisRequest(
      selection: command.selection, wantsCallees: command.callees || model != nil,
      wantsSelfTime: command.format == .json)
    let loader = InputLoader(request: request)
    var sides: [[TraceAnalysis]] = Array(repeating: [], count: series.sides)
    var missing: [String: (count: Int, first: MissingFunction, place: String)] = [:]
    for (index, recorded) in series.traces.enumerated() {
      let name =
        kept.count == series.traces.count && kept.count > 1 || isOneTrace ? place(index) : recorded.name
      let analyses: [TraceAnalysis]
      do throws(AnalysisError) {
        analyses = try loader.load(path: recorded.trace.path)
      } catch {
        throw Failure(name, error)
      }
      for var analysis in analyses {
        analysis.path = name
        for function in analysis.missing {
          missing[function.name, default: (0, function, name)].count += 1
        }
        sides[recorded.side].append(analysis)
      }
    }
    for (_, what) in missing.sorted(by: { $0.key < $1.key }) {
      let several = series.traces.count > 1 ? " in \(what.count) of \(series.traces.count) runs" : ""
      let empty = what.first.traceIsEmpty ? "" : "; others were"
      say("\(what.first.name) was not called while the command ran\(several)\(empty)")
    }
    let hasCalls = sides.allSatisfy { side in side.contains { !$0.functions.isEmpty } }
    if !hasCalls { return missing.isEmpty }
    if series.sides == 2 {
      try compare(sides)
    } else {
      try analyze(sides[0])
    }
    return missing.isEmpty
  }

  private var isOneTrace: Bool { series.traces.count == 1 }

  private func place(_ index: Int) -> String {
    kept.count == series.traces.count ? kept[index] : series.traces[index].name
  }

  private var context: ReportContext {
    ReportContext(
      size: command.conditions.size?.bytes, pageSize: command.conditions.pageSize?.bytes,
      backing: command.conditions.resolvedBacking?.rawValue, recorded: command.recording,
      functions: command.patterns.map(\.text))
  }

  private func analyze(_ analyses: [TraceAnalysis]) throws {
    var context = context
    context.wantsCallees = command.callees
    var report = AnalysisReport(traces: analyses, context: context)
    if let model { report.meet(model) }
    try write(remarks: command.format == .csv ? report.remarks : []) { style in
      switch command.format {
      case .text, .commit: Array(report.text(style).utf8)
      case .csv: Array((command.callees ? report.calleesCSV : report.csv).utf8)
      case .json: try report.json()
      case .markdown: Array(report.markdown.utf8)
      }
    }
  }

  private func compare(_ sides: [[TraceAnalysis]]) throws {
    var request = ComparisonRequest()
    request.size = command.conditions.size?.bytes
    request.model = model
    let comparison: Comparison
    do throws(ComparisonError) {
      comparison = try Comparator(selection: command.selection, request: request).compare(
        ComparedSide(runs: sides[0]), ComparedSide(runs: sides[1]))
    } catch {
      throw Failure(error)
    }
    var context = context
    context.wantsCallees = command.callees
    let report = ComparisonReport(comparison: comparison, context: context)
    try write(remarks: command.format == .csv ? report.remarks : []) { style in
      switch command.format {
      case .text: Array(report.text(style).utf8)
      case .csv: Array(report.csv.utf8)
      case .json: try report.json()
      case .markdown: Array(report.markdown.utf8)
      case .commit: Array(report.commit.utf8)
      }
    }
  }

  private func write(remarks: [String], _ body: (TextStyle) throws -> [UInt8]) throws {
    if command.quiet, command.report == nil { return }
    let toFile = command.report != nil && command.report != "-"
    let style = textStyle(
      color: command.color, toFile: toFile, descriptor: command.report == "-" ? 1 : 2)
    let file = command.report == nil ? Output(standardError: ()) : try Output(toFile ? command.report : nil)
    let bytes: [UInt8]
    do {
      bytes = try body(style)
    } catch {
      throw Failure("the report holds a figure that JSON has no form for; use another --format")
    }
    try file.write(bytes)
    try file.commit()
    if !command.quiet { for remark in remarks { say(remark) } }
  }
}
