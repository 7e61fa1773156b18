import Analysis
import FunctionGraph

/// What became of one input.
struct Loaded: Sendable {
  var path: String
  var result: Result<[TraceAnalysis], AnalysisError>
}

/// Loads every path, several at a time, and gives the results in the order of the paths.
func load(
  _ paths: [String], _ loader: InputLoader, _ options: OutputOptions, _ progress: Progress
) -> [Loaded] {
  let limit = max(1, options.jobs ?? availableCores())
  // What is left over when every path has a thread goes into the traces.
  let jobs = max(1, limit / max(1, paths.count))
  InputLoader.expect(inputs: paths.count)
  let results = Guarded([Loaded?](repeating: nil, count: paths.count))
  inParallel(paths.count, workers: limit) { index, _ in
    let path = paths[index]
    let result: Result<[TraceAnalysis], AnalysisError>
    do throws(AnalysisError) {
      result = .success(
        try loader.load(path: path, jobs: jobs) { progress.update(input: index, read: $0, total: $1) })
    } catch {
      result = .failure(error)
    }
    results.withLock { $0[index] = Loaded(path: path, result: result) }
  }
  let loaded = results.withLock { $0.compactMap { $0 } }
  progress.finish()
  if options.verbose {
    for input in loaded {
      guard case .success(let analyses) = input.result else { continue }
      for analysis in analyses { say("\(displayed(input.path)): read: \(analysis.contents)") }
    }
  }
  return loaded
}

/// Cores that this process may use.
func availableCores() -> Int { Processors.allowed.count }

/// More than one `-` would read the same standard input twice.
func demandOneStandardInput(_ paths: [String]) -> String? {
  paths.filter { $0 == "-" }.count > 1 ? "Standard input (-) can be read once only." : nil
}
