import Analysis
import ArgumentParser
import FunctionGraph
import Reports
import TraceInput

struct ExportCommand: ParsableCommand {
  enum Format: String, Choice {
    case csv, jsonl, folded, chrome
  }

  static let configuration = CommandConfiguration(
    commandName: "export", _superCommandName: Pinstat.superCommand,
    abstract: "One row a call; or a flame graph's stacks, or a time line for Perfetto.",
    discussion: """
      folded gives lines of `task;caller;callee N`, N being the nanoseconds of the path's own time: all \
      lines add up to the durations of the outermost calls. chrome needs a trace with times (not of the \
      clock 'counter'). Both take the selected functions with everything below them.

      FORMATS
        csv, jsonl  one row a call of the selected functions, as it ends
        folded      stacks for flamegraph.pl, inferno and speedscope
        chrome      a time line for ui.perfetto.dev and chrome://tracing

      EXAMPLES
        pinstat export trace.dat > calls.csv
        pinstat export --all-functions --format jsonl trace.dat | head -3
        pinstat export -f 'vfio_*' --cpu 0-3 -o calls.csv trace.dat
        pinstat export --all-functions --format folded -o stacks.txt trace.dat
        pinstat export --all-functions --format chrome -o trace.json trace.dat
      """)

  @Argument(
    help: ArgumentHelp("Traces: files, or - for standard input.", valueName: "trace"), completion: .file())
  var traces: [String]

  @OptionGroup(title: "Selection") var selection: SelectionOptions
  @OptionGroup(title: "Conditions") var conditions: ConditionOptions

  @Option(name: .long, help: "How rows are written.")
  var format = Format.csv

  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if let problem = demandOneStandardInput(traces) { throw ValidationError(problem) }
  }

  func run() throws {
    throw ExitCode(status())
  }

  private func status() -> Int32 {
    do {
      let file = try Output(output.output)
      let progress = Progress(output.progress, quiet: output.quiet)
      if format == .csv { try file.write(CallRowWriter.csvHeader) }
      var chrome = ChromeTraceWriter()
      if format == .chrome { try file.append { chrome.begin(&$0) } }
      var status = ExitStatus.done
      for (index, path) in traces.enumerated() {
        do {
          switch format {
          case .csv, .jsonl: try export(path, index, to: file, progress)
          case .folded: try exportFolded(path, index, to: file, progress)
          case .chrome: try exportChrome(path, index, &chrome, to: file, progress)
          }
        } catch let failure as Failure {
          // What the readers have found so far comes before the reason why there is no more.
          try file.flush()
          progress.finish()
          say(failure.sentence)
          status = ExitStatus.inputFailed
        }
      }
      progress.finish()
      if format == .chrome { try file.append { chrome.end(&$0) } }
      try file.commit()
      return status
    } catch let error as OutputError {
      say("\(error.path): cannot be written: \(systemReason(error.code))")
    } catch {
      say("\(error)")
    }
    return ExitStatus.inputFailed
  }

  /// Calls that are read before rows are made of them, and fewer than which are not worth waking a thread.
  private static let callsAtOnce = 1 << 14
  private static let worthAThread = 1 << 10

  private enum Filling: Equatable {
    case more, end
    case failed(TraceError)
  }

  /// Replaces `calls` with the next ones; what was read before a failure is kept.
  private static func fill(_ calls: inout [Call], from selected: inout SelectedCalls) -> Filling {
    calls.removeAll(keepingCapacity: true)
    var batch: [Call] = []
    do throws(TraceError) {
      while calls.count < callsAtOnce {
        guard try selected.next(&batch) else { return .end }
        calls += batch
      }
      return .more
    } catch {
      return .failed(error)
    }
  }

  private func export(_ path: String, _ index: Int, to file: Output, _ progress: Progress) throws {
    let request = AnalysisRequest(selection: selection.selection, filter: selection.filter)
    var writer = CallRowWriter(format: format == .csv ? .csv : .jsonl, trace: path)
    var calls: [Call] = []
    let jobs = output.jobs ?? availableCores()
    do {
      var selected = try SelectedCalls(openTrace(path), request: request, jobs: jobs) {
        progress.update(input: index, read: $0, total: $1)
      }
      var rows: [Call] = []
      var state = Self.fill(&calls, from: &selected)
      while !calls.isEmpty || state == .more {
        progress.update(input: index, read: selected.bytesRead, total: selected.size)
        swap(&calls, &rows)
        calls.removeAll(keepingCapacity: true)
        let names = CallRowNames(
          functions: selected.functions, comms: selected.comms, buffers: selected.description.buffers)
        // Rows are made of some calls while the next ones are read.
        var failure: OutputError?
        let write = {
          do throws(OutputError) { try file.append { writer.append(rows, names, to: &$0) } } catch {
            failure = error
          }
        }
        if state != .more {
          write()
        } else if jobs > 1, rows.count > Self.worthAThread {
          atOnce({ state = Self.fill(&calls, from: &selected) }, write)
        } else {
          write()
          state = Self.fill(&calls, from: &selected)
        }
        if let failure { throw failure }
      }
      if case .failed(let error) = state { throw error }
      try finish(
        path, selected.quality, selected.description, isTraceDat: selected.isTraceDat,
        isEmpty: selected.isEmpty, missing: selected.missing, progress,
        remarks: exportRemarks(selected.quality, isOutOfOrder: selected.isOutOfOrder))
    } catch let error as TraceError {
      throw Failure(path, error)
    }
  }
  /// Says what is to be said of a trace that was read to its end, and fails where it has not what was asked for.
  func finish(
    _ path: String, _ quality: TraceQuality, _ description: TraceDescription, isTraceDat: Bool,
    isEmpty: Bool, missing: [MissingFunction], _ progress: Progress, remarks: [String]
  ) throws {
    if output.verbose {
      progress.finish()
      say("\(displayed(path)): read: \(description.format.name), \(quality.calls) calls")
    }
    if !output.quiet {
      progress.finish()
      for remark in remarks { say("\(displayed(path)): \(remark)") }
    }
    if isEmpty, let reason = quality.diagnostics.reasonForNoCalls {
      throw Failure(noCalls: reason, path: path)
    }
    if isEmpty, !isTraceDat {
      throw Failure(path, AnalysisError.noFunctionGraph(tracer: description.tracer))
    }
    if selection.filter.hasTimeRange,
      let buffer = description.buffers.first(where: { !$0.timestampsAreTime })
    {
      throw Failure(path, AnalysisError.clockIsNotTime(clock: buffer.clock))
    }
    if let missing = missing.first { throw Failure(missing: missing, path: path) }
  }
}
