import Analysis
import ArgumentParser
import PinningModel
import Reports

struct AnalyzeCommand: ParsableCommand {
  enum Format: String, Choice {
    case text, csv, json, markdown, html, summary
  }

  static let configuration = CommandConfiguration(
    commandName: "analyze", _superCommandName: Pinstat.superCommand,
    abstract: "Durations of the selected functions in each trace.",
    discussion: """
      EXAMPLES
        pinstat analyze trace.dat
        pinstat analyze --all-functions --callees trace.dat
        pinstat analyze -f 'vfio_*' -f iommu_map --histogram trace.dat
        pinstat analyze --size 8G --format json -o baseline.json run*.dat
        pinstat analyze --format summary --host $(hostname) -o summary.json trace.dat
        trace-cmd report | pinstat analyze -
      """)

  @Argument(
    help: ArgumentHelp("Traces: files, or - for standard input.", valueName: "trace"), completion: .file())
  var traces: [String]

  @OptionGroup(title: "Selection") var selection: SelectionOptions
  @OptionGroup(title: "Conditions") var conditions: ConditionOptions

  @Option(name: .long, help: "The variant of the kernel code, for the model. (default: as recognized)")
  var variant: PinningModel.Variant?

  @Flag(name: .long, help: "Where the time goes: calls, total and self time of each callee.")
  var callees = false

  @Flag(name: .long, help: "A histogram of the durations (text).")
  var histogram = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The traced machine's name, in JSON and summaries. (default: as the trace has it)", valueName: "name"))
  var host: String?

  @Option(
    name: .long,
    help:
      "How the report is written; csv with --callees is the table of callees, summary a line of JSON a trace, for merge. (default: text)"
  )
  var format: Format?

  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if let problem = demandOneStandardInput(traces) { throw ValidationError(problem) }
  }

  func run() throws {
    throw ExitCode(status())
  }

  private func status() -> Int32 {
    let progress = Progress(output.progress, quiet: output.quiet)
    let model: ModelRequest?
    do {
      model = try conditions.model(before: variant, after: nil)
    } catch {
      say((error as? Failure)?.sentence ?? "\(error)")
      return ExitStatus.inputFailed
    }
    let wantsTimeAway = format != .summary && (callees || output.verbose || format == .html)
    let request = AnalysisRequest(
      selection: selection.selection, filter: selection.filter,
      wantsCallees: callees || model != nil || format == .html,
      wantsTree: format == .json || format == .html,
      wantsSelfTime: format == .json, wantsTimeline: format == .json || format == .html,
      wantsTimeAway: wantsTimeAway || format == .json)
    if format == .summary {
      return Summarizing(
        request: request, conditions: conditions.context(selection).summaryConditions, host: host,
        output: output
      ).run(traces, progress)
    }
    let loaded = load(traces, InputLoader(request: request, ahead: Pinstat.ahead), output, progress)

    var status = ExitStatus.done
    var analyses: [TraceAnalysis] = []
    for input in loaded {
      switch input.result {
      case .success(let found):
        for var analysis in found {
          if let host { analysis.host = host }
          if let reason = analysis.reasonForNoCalls {
            say(Failure(noCalls: reason, path: analysis.path).sentence)
            status = ExitStatus.inputFailed
            continue
          }
          for missing in analysis.missing {
            say(Failure(missing: missing, path: analysis.path).sentence)
            status = ExitStatus.inputFailed
          }
          if analysis.functions.isEmpty, analysis.missing.isEmpty, !output.quiet {
            say("\(displayed(analysis.path)): no call of a function that matches -f in it")
          }
          if !analysis.functions.isEmpty || analysis.missing.isEmpty { analyses.append(analysis) }
        }
      case .failure(let error):
        say(Failure(input.path, error).sentence)
        status = ExitStatus.inputFailed
      }
    }
    guard !analyses.isEmpty else { return ExitStatus.inputFailed }

    var context = conditions.context(selection)
    context.wantsCallees = callees
    context.wantsTimeAway = wantsTimeAway
    context.wantsHistogram = histogram
    context.commandLine = ["pinstat"] + CommandLine.arguments.dropFirst()
    var report = AnalysisReport(traces: analyses, context: context)
    if let model { report.meet(model) }
    return max(
      status,
      writeReport(to: output) { () -> [UInt8] in
        switch format ?? .text {
        case .text:
          Array(
            report.text(
              textStyle(color: output.color, toFile: output.output != nil),
              jobs: output.jobs ?? availableCores()
            ).utf8)
        case .csv: Array((callees ? report.calleesCSV : report.csv).utf8)
        case .json: try report.json()
        case .markdown: Array(report.markdown.utf8)
        case .html: Array(report.html.utf8)
        case .summary: []
        }
      } remarks: {
        format == .csv ? report.remarks : []
      })
  }
}

/// Writes a report and says its remarks, which formats for machines have no place for; gives the exit status.
func writeReport(
  to options: OutputOptions, _ body: () throws -> [UInt8], remarks: () -> [String] = { [] }
) -> Int32 {
  do {
    let file = try Output(options.output)
    try file.write(try body())
    try file.commit()
    if !options.quiet { for remark in remarks() { say(remark) } }
    return ExitStatus.done
  } catch let error as OutputError {
    say("\(error.path): cannot be written: \(systemReason(error.code)); nothing of it was left behind")
  } catch {
    say("the report holds a figure that JSON has no form for; use another --format")
  }
  return ExitStatus.inputFailed
}
