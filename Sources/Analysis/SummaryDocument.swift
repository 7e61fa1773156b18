public import FoundationEssentials
internal import Statistics

/// The JSON of a summary, `pinstat/summary/1`: what `analyze --format summary` writes a line of for each trace, and `merge`
/// writes one of for all.
///
/// What adds up is in whole nanoseconds (`..._ns`), so that it adds up exactly; what is there to be read, and is not read
/// again, in microseconds as everywhere else.
public struct SummaryDocument: Codable, Sendable {
  public static let schemaName = "pinstat/summary/1"

  public struct Function: Codable, Sendable {
    public var kernel: String
    public var function: String
    public var module: String
    /// Traces that have it.
    public var runs: Int
    public var count: Int
    public var incomplete: Int
    public var complete: Int
    public var unfinished: Int
    public var noEntry: Int
    public var lost: Int
    public var totalNs: Int64
    public var minNs: Int64?
    public var maxNs: Int64?
    public var squaredDeviationsNs2: Double
    public var resolutionNs: UInt32
    public var zeroResolutionNs: UInt32
    /// Of the sketch, and so of the quantiles below.
    public var relativeError: Double
    /// The message DDSketch of the durations in nanoseconds, base64.
    public var ddsketch: String
    // For readers; not read again.
    public var minUs: Double?
    public var p50Us: Double?
    public var p90Us: Double?
    public var p99Us: Double?
    public var maxUs: Double?
    public var meanUs: Double?
    public var stddevUs: Double?
    public var totalUs: Double?
  }

  public struct Row: Codable, Sendable {
    public var function: String
    public var module: String
    public var count: Int
    public var incomplete: Int
    public var totalNs: Int64?
    public var minNs: Int64?
    public var maxNs: Int64?
    public var medianNs: Double?
    public var p99Ns: Double?
    public var resolutionNs: UInt32?
    /// Of median and p99, where they are not exact.
    public var relativeError: Double?
  }

  public struct Run: Codable, Sendable {
    public var host: String
    public var path: String
    public var kernel: String
    public var format: String
    public var clock: String
    public var cpus: Int?
    public var losses: Int
    public var lostEvents: UInt64
    public var mayLackCalls: Bool
    public var nested: Bool
    public var deepest: Int32
    public var functions: [Row]
  }

  public struct Failure: Codable, Sendable {
    public var host: String
    public var path: String
    public var error: String
  }

  public var schema: String
  public var tool: AnalysisDocument.Tool
  public var functionsSelected: [String]
  public var filters: [[String]]
  public var sizes: [UInt64]
  public var pageSizes: [UInt64]
  public var backings: [String]
  public var recorded: [String]
  /// Traces in `functions`; `runs` has no more than that, and fewer where there were too many to keep.
  public var runCount: Int
  public var failedCount: Int
  public var functions: [Function]
  public var functionsCut: Int
  public var callsCut: Int
  public var runs: [Run]
  /// The rank from which on runs were left out, sixteen hexadecimal digits; absent where all are there.
  public var runsCutFrom: String?
  public var failures: [Failure]
}

// MARK: - Writing

extension SummaryDocument {
  public init(_ summary: TraceSummary, tool: AnalysisDocument.Tool) {
    schema = Self.schemaName
    self.tool = tool
    functionsSelected = summary.conditions.functionsSelected.sorted()
    filters = summary.conditions.filters.sorted { $0.lexicographicallyPrecedes($1) }
    sizes = summary.conditions.sizes.sorted()
    pageSizes = summary.conditions.pageSizes.sorted()
    backings = summary.conditions.backings.sorted()
    recorded = summary.conditions.recorded.sorted()
    runCount = summary.runCount
    failedCount = summary.failedCount
    functions = summary.functions.sorted { $0.key < $1.key }.map(Function.init)
    functionsCut = summary.functionsCut
    callsCut = summary.callsCut
    let runs = summary.runs
    self.runs = runs.sorted.map(Run.init)
    runsCutFrom = runs.settledCeiling.map { ceiling in
      let digits = String(ceiling, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    failures = summary.failures.sorted.map { .init(host: $0.host, path: $0.path, error: $0.error) }
  }

  /// Keys in a fixed order, on one line, without its end.
  public func encoded() throws -> Data { try encodedJSON(self) }
}

extension SummaryDocument.Function {
  init(_ entry: (key: TraceSummary.Key, value: TraceSummary.Function)) {
    let function = entry.value
    let sums = function.sums
    kernel = entry.key.kernel
    self.function = entry.key.function
    module = entry.key.module
    runs = function.runs
    count = sums.count
    incomplete = function.incomplete
    complete = function.complete
    unfinished = function.unfinished
    noEntry = function.noEntry
    lost = function.lost
    totalNs = sums.total
    squaredDeviationsNs2 = sums.squaredDeviations
    resolutionNs = sums.resolution
    zeroResolutionNs = sums.zeroResolution
    relativeError = sums.sketch.relativeError
    ddsketch = Data(sums.sketch.protobuf).base64EncodedString()
    guard sums.count > 0 else { return }
    minNs = sums.minimum
    maxNs = sums.maximum
    minUs = Double(sums.minimum) / 1_000
    p50Us = sums.quantile(0.5).map { $0 / 1_000 }
    p90Us = sums.quantile(0.9).map { $0 / 1_000 }
    p99Us = sums.quantile(0.99).map { $0 / 1_000 }
    maxUs = Double(sums.maximum) / 1_000
    meanUs = sums.mean.map { $0 / 1_000 }
    stddevUs = sums.standardDeviation.map { $0 / 1_000 }
    totalUs = Double(sums.total) / 1_000
  }
}

extension SummaryDocument.Run {
  init(_ run: TraceSummary.Run) {
    host = run.host
    path = run.path
    kernel = run.kernel
    format = run.format
    clock = run.clock
    cpus = run.cpus
    losses = run.losses
    lostEvents = run.lostEvents
    mayLackCalls = run.mayLackCalls
    nested = run.isNested
    deepest = run.deepest
    functions = run.rows.map { row in
      let figures = row.figures
      return .init(
        function: row.function, module: row.module, count: figures?.count ?? 0, incomplete: row.incomplete,
        totalNs: figures?.total, minNs: figures?.minimum, maxNs: figures?.maximum, medianNs: figures?.median,
        p99Ns: figures?.p99, resolutionNs: figures?.resolution,
        relativeError: figures.flatMap { $0.relativeError > 0 ? $0.relativeError : nil })
    }
  }
}

// MARK: - Reading

extension SummaryDocument {
  /// The summary that was written down, once its figures are found to be ones that can be.
  public func summary(rowLimit: Int = TraceSummary.KeptRuns.defaultLimit) throws(BaselineError)
    -> TraceSummary
  {
    let counts = [runCount, failedCount, functionsCut, callsCut]
    guard counts.allSatisfy(Stored.isCount), failedCount >= failures.count else {
      throw BaselineError("an impossible count stands at the top")
    }
    var summary = TraceSummary(rowLimit: rowLimit)
    summary.conditions.functionsSelected = Set(functionsSelected)
    summary.conditions.filters = Set(filters)
    summary.conditions.sizes = Set(sizes)
    summary.conditions.pageSizes = Set(pageSizes)
    summary.conditions.backings = Set(backings)
    summary.conditions.recorded = Set(recorded)
    summary.runCount = runCount
    summary.failedCount = failedCount
    summary.functionsCut = functionsCut
    summary.callsCut = callsCut
    for entry in functions {
      let key = TraceSummary.Key(kernel: entry.kernel, function: entry.function, module: entry.module)
      if !summary.add(try entry.value(), at: key) {
        throw BaselineError("sketches of different relative errors stand for \(entry.function)")
      }
    }
    if let runsCutFrom {
      guard runsCutFrom.utf8.count == 16, let ceiling = UInt64(runsCutFrom, radix: 16) else {
        throw BaselineError("\"runs_cut_from\" is not sixteen hexadecimal digits")
      }
      summary.runs.lowerCeiling(to: ceiling)
    }
    guard runs.count <= runCount else { throw BaselineError("there are more runs than were counted") }
    for run in runs { summary.runs.insert(try run.value()) }
    for failure in failures {
      summary.failures.insert(.init(host: failure.host, path: failure.path, error: failure.error))
    }
    return summary
  }
}

/// What a stored figure can be.
private enum Stored {
  /// As many as a sketch's count, a double, holds exactly.
  static func isCount(_ value: Int) -> Bool { (0...1 << 53).contains(value) }
}

extension SummaryDocument.Function {
  fileprivate func value() throws(BaselineError) -> TraceSummary.Function {
    guard [runs, count, incomplete, complete, unfinished, noEntry, lost].allSatisfy(Stored.isCount) else {
      throw BaselineError("an impossible number of calls stands for \(function)")
    }
    var result = TraceSummary.Function()
    result.runs = runs
    result.incomplete = incomplete
    result.complete = complete
    result.unfinished = unfinished
    result.noEntry = noEntry
    result.lost = lost
    result.sums.resolution = resolutionNs
    result.sums.zeroResolution = zeroResolutionNs
    guard totalNs >= 0, squaredDeviationsNs2.isFinite, squaredDeviationsNs2 >= 0 else {
      throw BaselineError("an impossible figure stands for \(function)")
    }
    let low = minNs ?? 0
    let high = maxNs ?? 0
    let mean = Double(totalNs) / Double(max(1, count))
    // The total may have saturated.
    guard
      count == 0
        ? totalNs == 0 && squaredDeviationsNs2 == 0
        : low >= 0 && low <= high && mean <= Double(high) * (1 + 1e-9)
          && (mean >= Double(low) * (1 - 1e-9) || totalNs == .max)
    else { throw BaselineError("minimum, mean and maximum contradict one another for \(function)") }
    guard let bytes = Data(base64Encoded: ddsketch) else {
      throw BaselineError("the sketch of \(function) is no base64")
    }
    let sketch: QuantileSketch
    do throws(SketchError) {
      sketch = try QuantileSketch(
        protobuf: Array(bytes), sum: Double(totalNs), minimum: count > 0 ? Double(low) : .infinity,
        maximum: count > 0 ? Double(high) : -.infinity)
    } catch {
      throw BaselineError("the sketch of \(function) cannot be used: \(error.phrase)")
    }
    guard sketch.count == UInt64(count) else {
      throw BaselineError("the sketch of \(function) holds \(sketch.count) calls of \(count)")
    }
    result.sums.sketch = sketch
    guard count > 0 else { return result }
    result.sums.count = count
    result.sums.total = totalNs
    result.sums.minimum = low
    result.sums.maximum = high
    result.sums.squaredDeviations = squaredDeviationsNs2
    return result
  }
}

extension SketchError {
  var phrase: String {
    switch self {
    case .malformed: "it is no whole DDSketch message"
    case .otherMapping: "its mapping is not the logarithmic one"
    case .negativeValues: "it holds negative values"
    case .fractionalCount: "it holds counts that are no counts"
    }
  }
}

extension SummaryDocument.Run {
  fileprivate func value() throws(BaselineError) -> TraceSummary.Run {
    var run = TraceSummary.Run()
    run.host = host
    run.path = path
    run.kernel = kernel
    run.format = format
    run.clock = clock
    run.cpus = cpus
    run.losses = losses
    run.lostEvents = lostEvents
    run.mayLackCalls = mayLackCalls
    run.isNested = nested
    run.deepest = deepest
    guard Stored.isCount(losses), deepest >= -1 else {
      throw BaselineError("an impossible count stands for \(path)")
    }
    for row in functions { run.rows.append(try row.value(of: path)) }
    return run
  }
}

extension SummaryDocument.Row {
  fileprivate func value(of path: String) throws(BaselineError) -> TraceSummary.Run.Row {
    guard Stored.isCount(count), Stored.isCount(incomplete) else {
      throw BaselineError("an impossible number of calls stands for \(function) of \(path)")
    }
    guard count > 0 else {
      return .init(function: function, module: module, incomplete: incomplete, figures: nil)
    }
    guard let totalNs, let minNs, let maxNs, let medianNs, let p99Ns, totalNs >= 0, minNs >= 0,
      minNs <= maxNs,
      (0...Double(maxNs) * 1.01).contains(medianNs), (0...Double(maxNs) * 1.01).contains(p99Ns),
      (0...0.5).contains(relativeError ?? 0)
    else { throw BaselineError("impossible figures stand for \(function) of \(path)") }
    return .init(
      function: function, module: module, incomplete: incomplete,
      figures: RunFigures(
        count: count, total: totalNs, minimum: minNs, maximum: maxNs, median: medianNs, p99: p99Ns,
        resolution: resolutionNs ?? 1, relativeError: relativeError ?? 0))
  }
}
