import Analysis
import ArgumentParser
import PinningModel
import Reports
import TraceCapture

struct RecordCommand: ParsableCommand {
  enum Format: String, Choice {
    case text, csv, json, markdown, commit
  }

  static let configuration = CommandConfiguration(
    commandName: "record", _superCommandName: Pinstat.superCommand,
    abstract: "Trace a command with function_graph, and analyze what it did.",
    discussion: """
      Hooks the functions, runs the command, puts the tracer back as it was and reports the durations to standard error: \
      standard output is the command's. Needs root and a kernel with CONFIG_FUNCTION_GRAPH_TRACER.

      By default only the functions themselves are hooked, so that nothing below them takes longer for being traced; \
      with --depth or --callees everything below them is.

      With two commands after two --, they are run in turn and compared: drift of the machine meets both. A command that \
      has a -- of its own goes into `sh -c`.

      EXAMPLES
        pinstat record -f vfs_read -- cat /etc/hostname
        pinstat record -f vfio_pin_map_dma --runs 10 -o before.dat -- ./map-8g
        pinstat record -f 'vfio_*' --callees -- ./map-8g
        pinstat record -f vfs_write --runs 10 -- ./old -- ./new
        pinstat record -f do_sys_openat2 --duration 10s

      EXIT CODES
        as the command's; 128+n if a signal ended it, 0 if --duration did
        125      pinstat itself failed, or the functions were not called
        126, 127 the command cannot be executed, is not there
        64       wrong usage
      """)

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Function to trace; repeatable, shell globs allowed. (default: vfio_pin_map_dma)", valueName: "name"))
  var function: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Hook what is below the functions too, and record this many levels; 1 is the function itself, 0 all.",
      valueName: "n"))
  var depth: Int?

  @Flag(name: .long, help: "Where the time goes: calls, total and self time of each callee; as --depth 2.")
  var callees = false

  @Option(name: .long, help: ArgumentHelp("Record so many times, each a trace of its own.", valueName: "n"))
  var runs = 1

  @Flag(name: .long, help: "Calls of the command's own first thread only. (default: of all tasks)")
  var pid = false

  @Flag(name: .long, help: "Calls of the command and of what it starts only.")
  var children = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "End the recording, and the command, after this time (10s, 500ms).", valueName: "time"))
  var duration: Seconds?

  @Option(
    name: .long,
    help: ArgumentHelp("Ring buffer of each CPU. (default: the kernel's)", valueName: "bytes"))
  var bufferSize: ByteCount?

  @Option(
    name: .long, help: ArgumentHelp("Trace clock, as in trace_clock. (default: local)", valueName: "name"))
  var clock: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Keep what was recorded: FILE.csv and FILE.jsonl as rows, else as trace.dat; of several runs FILE-1, FILE-before-1 and so on.",
      valueName: "file"))
  var output: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Write the report there, - is standard output. (default: standard error)", valueName: "file"))
  var report: String?

  @Option(name: .long, help: "How the report is written; commit with two commands.")
  var format = Format.text

  @Option(name: .long, help: "Colour: auto, always or never; NO_COLOR is honoured.")
  var color = When.auto

  @Flag(name: .shortAndLong, help: "No report to standard error and no remarks, errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say on standard error what is being done.")
  var verbose = false

  @OptionGroup(title: "Conditions") var conditions: ConditionOptions

  @Option(
    name: .long, help: ArgumentHelp("Where tracefs is mounted. (default: as found)", valueName: "directory"))
  var tracefs: String?

  /// For tests: what stands for /proc/kallsyms.
  @Option(name: .long, help: .hidden)
  var kallsyms = "/proc/kallsyms"

  @Argument(parsing: .postTerminator, help: ArgumentHelp("What is run, after --.", valueName: "command"))
  var command: [String] = []

  /// One side, or two that are compared.
  var commands: [[String]] {
    command.isEmpty ? [] : command.split(separator: "--", omittingEmptySubsequences: false).map(Array.init)
  }

  func validate() throws {
    if command.isEmpty, duration == nil {
      throw ValidationError("Give a command after --, or a --duration.")
    }
    if commands.contains([]) { throw ValidationError("A -- without a command behind it.") }
    if commands.count > 2 {
      throw ValidationError("Two commands at most; one that has a -- of its own goes into sh -c '...'.")
    }
    if function.contains("") { throw ValidationError("-f needs a function's name.") }
    if let depth, !(0...255).contains(depth) { throw ValidationError("--depth takes 0 to 255 levels.") }
    if !(1...10_000).contains(runs) { throw ValidationError("--runs takes a number from 1 to 10000.") }
    if pid, children { throw ValidationError("--pid and --children exclude one another.") }
    if pid || children, command.isEmpty { throw ValidationError("--pid and --children are of a command.") }
    if quiet, verbose { throw ValidationError("-q and -v exclude one another.") }
    if output == "" { throw ValidationError("-o needs a file's name.") }
    if output == "-" || report == "" { throw ValidationError("-o and --report need a file's name.") }
    if let bufferSize, !(4096...1 << 40).contains(bufferSize.bytes) {
      throw ValidationError("--buffer-size is at least 4K.")
    }
    if format == .commit, commands.count != 2 {
      throw ValidationError("--format commit is of two commands: -- A -- B.")
    }
    if let recorded = conditions.recorded, recorded != .unknown {
      throw ValidationError("--recorded is for traces that others made; --depth chooses here.")
    }
  }

  func run() throws {
    throw ExitCode(status())
  }

  private func status() -> Int32 {
    do {
      var model = try conditions.model(before: nil, after: nil)
      model?.calleesAreHooked = recording == .graph
      let series = try record()
      var code = series.code
      let kept = try series.keep(at: output, selection: selection)
      if verbose { for path in kept { say("wrote \(path)") } }
      if !series.traces.isEmpty {
        let isComplete = try RecordReport(self, series, kept: kept, model: model).write()
        if !isComplete, code == ExitStatus.done { code = RecordStatus.failed }
      }
      return code
    } catch let failure as RecordFailure {
      say(failure.sentence)
      return failure.code
    } catch let failure as Failure {
      say(failure.sentence)
    } catch let error as CaptureError {
      let failure = RecordFailure(error)
      say(failure.sentence)
      return failure.code
    } catch let error as OutputError {
      say("\(error.path): cannot be written: \(systemReason(error.code)); nothing of it was left behind")
    } catch {
      say("\(error)")
    }
    return RecordStatus.failed
  }

  var patterns: [FunctionPattern] {
    (function.isEmpty ? ["vfio_pin_map_dma"] : function).map(FunctionPattern.init)
  }

  var selection: FunctionSelection { FunctionSelection(patterns: patterns) }

  private func request(_ functions: [String]) -> CaptureRequest {
    let levels = depth ?? (callees ? 2 : nil)
    return CaptureRequest(
      functions: functions, hooks: levels.map { .graph(levels: $0) } ?? .functions,
      scope: pid ? .process : children ? .descendants : .system, bufferSize: bufferSize?.bytes, clock: clock,
      duration: duration?.value)
  }

  var recording: Recording { depth != nil || callees ? .graph : .filter }

  /// Runs the commands in turn; tracefs is as it was before when this returns.
  private func record() throws -> RecordedSeries {
    // What cannot be written is known before anything is run.
    for path in [output, report == "-" ? nil : report] where path != nil { _ = try Output(path) }
    let capture = try TraceCapture(tracefs: tracefs, kallsyms: kallsyms)
    if !capture.recovered.isEmpty, !quiet {
      say("put back what a recording that was killed had left: \(capture.recovered.joined(separator: ", "))")
    }
    let functions = try traceable(capture.traceableFunctions())
    try capture.start(request(functions))
    if verbose {
      let place = capture.instance.map { $0.isEmpty ? "the top buffer" : "the instance \($0)" } ?? ""
      say("tracing \(functions.count) function\(functions.count == 1 ? "" : "s") in \(place)")
    }
    var series = RecordedSeries(runs: runs, sides: max(1, commands.count))
    recording: for run in 1...runs {
      for side in 0..<series.sides {
        if capture.interruption != nil { break recording }
        let command = commands.isEmpty ? nil : commands[side]
        if verbose, let command { say("run \(run) of \(runs): \(command.joined(separator: " "))") }
        let trace = try capture.record(
          command, version: "pinstat \(pinstatVersion) \(recording.versionMark)")
        series.append(trace, run: run, side: side)
        if series.code != ExitStatus.done || trace.interruption != nil { break recording }
      }
    }
    try capture.finish()
    if let signal = capture.interruption { series.interrupt(signal) }
    if series.code != ExitStatus.done, series.traces.count < runs * series.sides, !quiet {
      say(
        "the command ended with \(series.code): \(series.traces.count) of \(runs * series.sides) runs were made"
      )
    }
    return series
  }

  /// The kernel's symbols that the patterns mean.
  private func traceable(_ functions: TraceableFunctions) throws -> [String] {
    var found: Set<String> = []
    for pattern in patterns {
      let matches = functions.symbols.filter(pattern.matches)
      if matches.isEmpty { throw RecordFailure(untraceable: pattern, functions.symbols, kallsyms: kallsyms) }
      found.formUnion(matches)
    }
    return found.sorted()
  }
}

/// The exit codes of `record` besides the command's own; as of env(1) and timeout(1).
enum RecordStatus {
  static let failed: Int32 = 125
  static let notExecutable: Int32 = 126
  static let notFound: Int32 = 127
}
