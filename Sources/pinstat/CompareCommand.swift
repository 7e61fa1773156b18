import Analysis
import ArgumentParser
import FunctionGraph
import PinningModel
import Reports
import TraceInput

struct CompareCommand: ParsableCommand {
  enum Format: String, Choice {
    case text, csv, json, markdown, html, junit, commit
  }

  static let configuration = CommandConfiguration(
    commandName: "compare", _superCommandName: Pinstat.superCommand,
    abstract: "Before against after: speedup, confidence interval, verdict, exit code.",
    discussion: """
      Give two traces or stored baselines, several a side with --before and --after, or one text that holds both sides \
      under headings such as "Before this patch:" and "After this patch:". Several traces a side are what a sound \
      verdict needs: each trace is then one sample.

      EXAMPLES
        pinstat compare before.dat after.dat
        pinstat compare --before old*.dat --after new*.dat
        pinstat compare --max-slowdown 5% --format junit baseline.json new.dat
        pinstat compare --format commit mail.txt
        pinstat compare --callees before.dat after.dat

      EXIT CODES
        0   done, and every gate holds
        1   a gate fails
        2   input or output failed, or a function that was named is missing
        3   the data cannot decide a gate (see --undecided)
        64  wrong usage
      """)

  @Argument(
    help: ArgumentHelp("BEFORE and AFTER, or one text that holds both.", valueName: "trace"),
    completion: .file())
  var traces: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp("Traces of the before side.", valueName: "trace"), completion: .file())
  var before: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp("Traces of the after side.", valueName: "trace"), completion: .file())
  var after: [String] = []

  @OptionGroup(title: "Selection") var selection: SelectionOptions
  @OptionGroup(title: "Conditions") var conditions: ConditionOptions

  @Option(name: .long, help: "What is compared.")
  var metric = Metric.median

  @Option(name: .long, help: "1 less the confidence asked for.")
  var alpha = 0.05

  @Option(
    name: .long, help: ArgumentHelp("Differences within this share count as the same.", valueName: "share"))
  var sameWithin = Share(value: 0.02)

  @Option(
    name: .long, help: ArgumentHelp("Gate: after may take at most this much longer (5%).", valueName: "share")
  )
  var maxSlowdown: Share?

  @Option(
    name: .long, help: ArgumentHelp("Gate: after has to be this many times as fast (2x).", valueName: "ratio")
  )
  var minSpeedup: Ratio?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Relative spread between runs, assumed where there is one trace a side.", valueName: "share"))
  var runSpread = Share(value: 0.03)

  @Option(name: .long, help: ArgumentHelp("Seed of subsamples and bootstrap.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What an undecided gate counts as: pass (0) or fail (1), instead of 3.", valueName: "pass|fail"))
  var undecided: UndecidedPolicy?

  @Option(name: .long, help: "The before side's variant of the kernel code. (default: as recognized)")
  var variantBefore: PinningModel.Variant?

  @Option(name: .long, help: "The after side's variant. (default: as recognized)")
  var variantAfter: PinningModel.Variant?

  @Flag(name: .long, help: "The difference, attributed to the function itself and its callees.")
  var callees = false

  @Option(name: .long, help: "How the report is written.")
  var format = Format.text

  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    let hasSides = !before.isEmpty || !after.isEmpty
    if hasSides, before.isEmpty || after.isEmpty {
      throw ValidationError("--before and --after go together.")
    }
    if hasSides, !traces.isEmpty {
      throw ValidationError("Give the sides either as BEFORE AFTER or with --before and --after.")
    }
    if !hasSides, traces.isEmpty || traces.count > 2 {
      throw ValidationError(
        "Expected BEFORE AFTER, or one text that holds both; several traces a side go with --before and --after."
      )
    }
    if !(alpha > 0 && alpha < 1) { throw ValidationError("--alpha lies between 0 and 1.") }
    if runSpread.value > 1 { throw ValidationError("--run-spread is a share of at most 100%.") }
    if let problem = demandOneStandardInput(traces + before + after) { throw ValidationError(problem) }
  }

  func run() throws {
    throw ExitCode(status())
  }

  private func status() -> Int32 {
    let progress = Progress(output.progress, quiet: output.quiet)
    do {
      let model = try conditions.model(before: variantBefore, after: variantAfter)
      let sides = try loadSides(progress, wantsCallees: callees || model != nil || format == .html)
      progress.finish()
      var request = ComparisonRequest()
      request.metric = metric
      request.alpha = alpha
      request.sameWithin = sameWithin.value
      request.runSpread = runSpread.value
      request.gates = Gates(maxSlowdown: maxSlowdown?.value, minSpeedup: minSpeedup?.value)
      request.seed = seed
      request.filters = selection.filterTexts
      request.size = conditions.size?.bytes
      request.model = model
      var comparison: Comparison
      do throws(ComparisonError) {
        comparison = try Comparator(selection: selection.selection, request: request).compare(
          sides.before, sides.after)
      } catch {
        throw Failure(error)
      }
      if sides.isOneText {
        comparison.notes.removeAll { if case .sameInput = $0 { true } else { false } }
      }
      if max(sides.sections.before, sides.sections.after) > 1 {
        comparison.notes.insert(
          .sectionsTogether(before: sides.sections.before, after: sides.sections.after), at: 0)
      }
      if sides.byColumn { comparison.notes.insert(.sidesByColumn, at: 0) }
      return report(comparison, seconds: progress.seconds)
    } catch {
      progress.finish()
      let sentence = (error as? Failure)?.sentence ?? "\(error)"
      say(sentence)
      if format == .junit {
        let name =
          selection.allFunctions ? "*" : selection.selection.patterns.map(\.text).joined(separator: " ")
        _ = writeReport(to: output) { Array(ComparisonReport.junit(error: sentence, function: name).utf8) }
      }
      return ExitStatus.inputFailed
    }
  }

  private struct Sides {
    var before: ComparedSide
    var after: ComparedSide
    /// Both sides stand in one text, told apart by headings or by columns.
    var isOneText = false
    var byColumn = false
    var sections = (before: 1, after: 1)
  }

  private func loadSides(_ progress: Progress, wantsCallees: Bool) throws -> Sides {
    let request = AnalysisRequest(
      selection: selection.selection, filter: selection.filter, wantsCallees: wantsCallees,
      wantsSelfTime: false, wantsTimeline: format == .html, wantsTimeAway: callees || format == .html)
    if traces.count == 1 { return try loadText(traces[0], request, progress) }
    let left = before.isEmpty ? [traces[0]] : before
    let right = after.isEmpty ? [traces[1]] : after
    let loaded = load(
      left + right, InputLoader(request: request, summaryUnit: .host, ahead: Pinstat.ahead), output,
      progress)
    var failures: [String] = []
    var analyses: [[TraceAnalysis]] = []
    for input in loaded {
      switch input.result {
      case .success(let found): analyses.append(found)
      case .failure(let error): failures.append(Failure(input.path, error).sentence)
      }
    }
    // Every unreadable file is named; the last one by the caller.
    if let last = failures.popLast() {
      for sentence in failures { say(sentence) }
      throw Failure(last)
    }
    return Sides(
      before: ComparedSide(runs: Array(analyses[..<left.count].joined())),
      after: ComparedSide(runs: Array(analyses[left.count...].joined())))
  }

  private func loadText(_ path: String, _ request: AnalysisRequest, _ progress: Progress) throws -> Sides {
    do {
      let sides = try loadedSides(path, request, progress)
      return Sides(
        before: ComparedSide(runs: [sides.before]), after: ComparedSide(runs: [sides.after]), isOneText: true,
        byColumn: sides.byColumn, sections: sides.sections)
    } catch let error as TraceError {
      throw Failure(path, error)
    } catch let error as AnalysisError {
      throw Failure(path, error)
    }
  }

  private func loadedSides(
    _ path: String, _ request: AnalysisRequest, _ progress: Progress
  ) throws -> SidedAnalysis {
    let input = try SniffedInput(path: path)
    if input.isTraceDat || input.isJSON {
      let what = input.isJSON ? "stored analysis or summary" : "trace.dat"
      throw TraceError(.unsupported, "one \(what) holds one side; give BEFORE and AFTER")
    }
    return try TraceAnalyzer(path: path, request: request).analyzeSides(input) {
      progress.update(input: 0, read: $0, total: $1)
    }
  }

  private func report(_ comparison: Comparison, seconds: Double) -> Int32 {
    var context = conditions.context(selection)
    context.wantsCallees = callees || format == .html
    context.commandLine = ["pinstat"] + CommandLine.arguments.dropFirst()
    let report = ComparisonReport(comparison: comparison, context: context)
    let policy: GateOutcome
    switch undecided {
    case .pass: policy = .holds
    case .fail: policy = .fails
    case nil: policy = .undecided
    }
    let written = writeReport(to: output) { () -> [UInt8] in
      switch format {
      case .text: Array(report.text(textStyle(color: output.color, toFile: output.output != nil)).utf8)
      case .csv: Array(report.csv.utf8)
      case .json: try report.json()
      case .markdown: Array(report.markdown.utf8)
      case .html: Array(report.html.utf8)
      case .junit: Array(report.junit(undecided: policy, seconds: seconds).utf8)
      case .commit: Array(report.commit.utf8)
      }
    } remarks: {
      format == .csv || format == .junit ? report.remarks : []
    }
    if written != ExitStatus.done { return written }
    switch comparison.gate == .undecided ? policy : comparison.gate {
    case nil, .holds: return ExitStatus.done
    case .fails: return ExitStatus.gateFails
    case .undecided: return ExitStatus.undecided
    case .error: return ExitStatus.inputFailed
    }
  }
}
