import Analysis
import Reports

/// `analyze --format summary`: a line of JSON for each input, whatever became of it.
///
/// One that failed is a line too, with its error, so that a job over thousands of traces has a row for every one of them.
struct Summarizing {
  var request: AnalysisRequest
  var conditions: TraceSummary.Conditions
  /// In place of the name that the traces have.
  var host: String?
  var output: OutputOptions

  /// So many inputs' durations are in memory at once.
  private static let batch = 64

  func run(_ paths: [String], _ progress: Progress) -> Int32 {
    var status = ExitStatus.done
    do {
      let file = try Output(output.output)
      for start in stride(from: 0, to: paths.count, by: Self.batch) {
        let part = Array(paths[start..<min(start + Self.batch, paths.count)])
        for input in load(part, InputLoader(request: request, ahead: Pinstat.ahead), output, progress) {
          switch input.result {
          case .success(let analyses):
            for analysis in analyses {
              let (summary, problem) = summarized(analysis)
              if let problem {
                say(problem)
                status = ExitStatus.inputFailed
              }
              try file.write(try summaryLine(summary))
            }
          case .failure(let error):
            let sentence = Failure(input.path, error).sentence
            say(sentence)
            status = ExitStatus.inputFailed
            try file.write(try summaryLine(failed(input.path, host ?? "", sentence)))
          }
        }
      }
      try file.commit()
      return status
    } catch let error as OutputError {
      say("\(error.path): cannot be written: \(systemReason(error.code)); nothing of it was left behind")
    } catch {
      say("the summary holds a figure that JSON has no form for")
    }
    return ExitStatus.inputFailed
  }

  /// A trace without any call that can be read is a failure; one without the named function is none: not every host of a fleet
  /// runs into it. It is said all the same, as analyze does.
  private func summarized(_ found: TraceAnalysis) -> (TraceSummary, problem: String?) {
    var analysis = found
    if let host { analysis.host = host }
    var problem: String?
    if analysis.isOfSummary {
      problem = "\(displayed(analysis.path)): it is a summary already; pinstat merge takes it as it is"
    } else if let reason = analysis.reasonForNoCalls {
      problem = Failure(noCalls: reason, path: analysis.path).sentence
    }
    if let problem { return (failed(analysis.path, analysis.host, problem), problem) }
    if let missing = analysis.missing.first {
      problem = Failure(missing: missing, path: analysis.path).sentence
    }
    return (TraceSummary(analysis, conditions: conditions), problem)
  }

  private func failed(_ path: String, _ host: String, _ sentence: String) -> TraceSummary {
    TraceSummary(failure: .init(host: host, path: path, error: printable(sentence)), conditions: conditions)
  }
}

extension ReportContext {
  /// What the traces are analyzed with, for a summary.
  var summaryConditions: TraceSummary.Conditions {
    var result = TraceSummary.Conditions()
    result.functionsSelected = Set(functions)
    result.filters = [filters]
    if let size { result.sizes = [size] }
    if let pageSize { result.pageSizes = [pageSize] }
    if let backing { result.backings = [backing] }
    result.recorded = [recorded.rawValue]
    return result
  }
}
