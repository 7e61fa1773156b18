import Analysis
import ArgumentParser
import FunctionGraph
import Reports
import TraceInput

struct ExportCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case csv, jsonl
  }

  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "One row a call.",
    discussion: """
      EXAMPLES
        pinstat export trace.dat > calls.csv
        pinstat export --all-functions --format jsonl trace.dat | jq .function
        pinstat export -f 'vfio_*' --cpu 0-3 -o calls.csv trace.dat
      """)

  @Argument(help: ArgumentHelp("Traces: files, or - for standard input.", valueName: "trace"))
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
      var status = ExitStatus.done
      for (index, path) in traces.enumerated() {
        do {
          try export(path, index, to: file, progress)
        } catch let failure as Failure {
          // What the readers have found so far comes before the reason why there is no more.
          try file.flush()
          progress.finish()
          say(failure.sentence)
          status = ExitStatus.inputFailed
        }
      }
      progress.finish()
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
      let input = try SniffedInput(path: path)
      if input.isJSON {
        throw TraceError(.unsupported, "it is a stored analysis, not a trace; export needs the trace itself")
      }
      var selected = try SelectedCalls(input, request: request)
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
      if output.verbose {
        progress.finish()
        say("\(displayed(path)): read: \(selected.description.format.name), \(selected.quality.calls) calls")
      }
      if !output.quiet {
        progress.finish()
        for remark in exportRemarks(selected.quality, isOutOfOrder: selected.isOutOfOrder) {
          say("\(displayed(path)): \(remark)")
        }
      }
      if selected.quality.calls == 0, let reason = selected.quality.diagnostics.reasonForNoCalls {
        throw Failure(noCalls: reason, path: path)
      }
      if selected.quality.calls == 0, !selected.isTraceDat {
        throw Failure(path, AnalysisError.noFunctionGraph(tracer: selected.description.tracer))
      }
      if selected.filter.hasTimeRange,
        let buffer = selected.description.buffers.first(where: { !$0.timestampsAreTime })
      {
        throw Failure(path, AnalysisError.clockIsNotTime(clock: buffer.clock))
      }
      if let missing = selected.missing.first { throw Failure(missing: missing, path: path) }
    } catch let error as TraceError {
      throw Failure(path, error)
    }
  }
}
