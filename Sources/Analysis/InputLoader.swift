internal import FoundationEssentials
internal import FunctionGraph
public import TraceInput

/// Analyses out of a trace or a stored baseline, whichever the input turns out to be.
public struct InputLoader: Sendable {
  /// What the traces of a summary are taken together by.
  public enum SummaryUnit: Sendable {
    /// A host's as one, with the figures of its runs.
    case host
    /// A kernel's as one, with the distribution of all their calls.
    case kernel
  }

  private let request: AnalysisRequest
  private let summaryUnit: SummaryUnit
  private let ahead: TraceAhead?

  /// - Parameters:
  ///   - request: what is wanted of each input.
  ///   - summaryUnit: what becomes of summaries.
  ///   - ahead: one of the inputs, if that was opened before.
  public init(request: AnalysisRequest, summaryUnit: SummaryUnit = .kernel, ahead: TraceAhead? = nil) {
    self.request = request
    self.summaryUnit = summaryUnit
    self.ahead = ahead
  }

  /// Says how many inputs there are: of a single one nothing is kept for others.
  ///
  /// - Parameter count: of all that are loaded from now on.
  public static func expect(inputs count: Int) {
    TraceReader.expectsMore(count > 1)
  }

  /// One analysis of a trace; as many as a baseline holds.
  ///
  /// - Parameters:
  ///   - path: `-` is standard input.
  ///   - jobs: how many threads may read it.
  ///   - progress: called on the threads that read.
  public func load(
    path: String, jobs: Int = 1, progress: @escaping TraceAnalyzer.Progress = { _, _ in }
  ) throws(AnalysisError) -> [TraceAnalysis] {
    let input = try open(path)
    guard input.isJSON else {
      var analysis = try TraceAnalyzer(path: path, request: request, jobs: jobs)
        .analyze(input, progress: progress)
      analysis.host = hostName(ofUname: analysis.description.uname)
      return [analysis]
    }
    return try stored(input, path: path)
  }

  private func open(_ path: String) throws(AnalysisError) -> SniffedInput {
    if let input = ahead?.take(path: path) { return input }
    do throws(TraceError) { return try SniffedInput(path: path) } catch { throw .trace(error) }
  }

  private func stored(_ input: consuming SniffedInput, path: String) throws(AnalysisError) -> [TraceAnalysis]
  {
    var analyses: [TraceAnalysis] = []
    var summary: TraceSummary?
    try StoredReader.read(input) { (item) throws(AnalysisError) in
      switch item {
      case .analysis(let document):
        let conditions = StoredConditions(
          filters: document.filters, size: document.size, pageSize: document.pageSize)
        analyses += document.traces.map { trace in
          var analysis = selected(trace.analysis())
          analysis.stored = conditions
          return analysis
        }
      case .summary(let document):
        do throws(BaselineError) {
          var sum = summary ?? TraceSummary()
          summary = nil
          try sum.mergeMatching(try document.summary())
          summary = sum
        } catch {
          throw .baseline(error)
        }
      }
    }
    guard let summary else { return analyses }
    guard summary.runCount > 0 else {
      throw .baseline(
        BaselineError("it is a summary of \(summary.failedCount) traces that could not be read"))
    }
    switch summaryUnit {
    case .host: return analyses + summary.hosts(path: path, request.selection)
    case .kernel: return analyses + summary.kernels(path: path, request.selection).map(selected)
    }
  }

  /// The selected functions of a stored analysis; what was not stored cannot be selected.
  private func selected(_ analysis: TraceAnalysis) -> TraceAnalysis {
    var result = analysis
    let names = analysis.functions.map(\.function.symbol)
    result.functions = analysis.functions.filter { request.selection.contains($0.function.symbol) }
    for name in request.selection.required {
      let pattern = FunctionPattern(name)
      if names.contains(where: pattern.matches) { continue }
      result.missing.append(
        MissingFunction(
          name: name, nearest: nearestNames(to: name, among: names),
          family: familyNames(of: name, among: names),
          traceIsEmpty: false, isFilteredOut: false))
    }
    return result
  }
}

/// The traced machine's name out of `uname -a`; empty where it was not set, as in a rescue shell.
func hostName(ofUname uname: String) -> String {
  let words = uname.split(separator: " ")
  guard words.count > 2, words[0] == "Linux" else { return "" }
  let name = String(words[1])
  return ["(none)", "localhost", "localhost.localdomain"].contains(name) ? "" : name
}
