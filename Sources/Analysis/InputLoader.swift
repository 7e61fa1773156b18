internal import FoundationEssentials
internal import FunctionGraph
internal import TraceInput

/// Analyses out of a trace or a stored baseline, whichever the input turns out to be.
public struct InputLoader: Sendable {
  /// A stored analysis longer than this is refused.
  static let longestBaseline = 1 << 29

  private let request: AnalysisRequest

  public init(request: AnalysisRequest) {
    self.request = request
  }

  /// One analysis of a trace; as many as a baseline holds.
  ///
  /// - Parameter jobs: how many threads may read it.
  public func load(
    path: String, jobs: Int = 1, progress: (UInt64, UInt64?) -> Void = { _, _ in }
  ) throws(AnalysisError) -> [TraceAnalysis] {
    let input = try Self.open(path)
    guard input.isJSON else {
      return [try TraceAnalyzer(path: path, request: request, jobs: jobs).analyze(input, progress: progress)]
    }
    return try stored(try Self.contents(input))
  }

  private static func open(_ path: String) throws(AnalysisError) -> SniffedInput {
    do throws(TraceError) { return try SniffedInput(path: path) } catch { throw .trace(error) }
  }

  private static func contents(_ input: consuming SniffedInput) throws(AnalysisError) -> [UInt8] {
    do throws(TraceError) { return try input.contents(limit: longestBaseline) } catch { throw .trace(error) }
  }

  private func stored(_ bytes: [UInt8]) throws(AnalysisError) -> [TraceAnalysis] {
    do throws(BaselineError) {
      let document = try AnalysisDocument(baseline: Data(bytes))
      let conditions = StoredConditions(
        filters: document.filters, size: document.size, pageSize: document.pageSize)
      return document.traces.map { trace in
        var analysis = selected(trace.analysis())
        analysis.stored = conditions
        return analysis
      }
    } catch {
      throw .baseline(error)
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
