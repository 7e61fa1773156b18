/// Any number of traces in one value that adds up: what a fleet's hosts send instead of their traces.
///
/// Of each function of each kernel it holds what adds up (`DurationSums`), and of each trace the few figures that
/// a comparison takes as one sample (`KeptRuns`). Merging is associative and commutative: whatever was merged with
/// whatever first, the same traces give the same summary, but for the rounding in the sum of squared deviations. Memory
/// is bounded: by functions, and by rows of runs and failures, of which a sample that does not depend on the order either is
/// kept.
public struct TraceSummary: Sendable {
  /// What one set of figures is of. Buffers are taken together.
  public struct Key: Hashable, Comparable, Sendable {
    /// Release, as in `uname -r`; empty where a trace does not say it.
    public var kernel: String
    /// As the trace has it, suffix kept.
    public var function: String
    public var module: String

    public init(kernel: String, function: String, module: String) {
      self.kernel = kernel
      self.function = function
      self.module = module
    }

    public static func < (a: Key, b: Key) -> Bool {
      (a.kernel, a.function, a.module) < (b.kernel, b.function, b.module)
    }
  }

  public struct Function: Hashable, Sendable {
    /// Traces that have the function.
    public var runs = 0
    public var sums = DurationSums()
    /// Calls by status, those without a known duration included.
    public var complete = 0
    public var unfinished = 0
    public var noEntry = 0
    public var lost = 0
    /// Calls whose duration is not known.
    public var incomplete = 0

    public init() {}

    mutating func merge(_ other: Function) -> Bool {
      guard sums.merge(other.sums) else { return false }
      runs = runs.plus(other.runs)
      complete = complete.plus(other.complete)
      unfinished = unfinished.plus(other.unfinished)
      noEntry = noEntry.plus(other.noEntry)
      lost = lost.plus(other.lost)
      incomplete = incomplete.plus(other.incomplete)
      return true
    }
  }

  /// What the traces were analyzed with; more than one value where that was not the same for all.
  public struct Conditions: Hashable, Sendable {
    public var functionsSelected: Set<String> = []
    /// Each the options that left out calls, as they were given.
    public var filters: Set<[String]> = []
    public var sizes: Set<UInt64> = []
    public var pageSizes: Set<UInt64> = []
    public var backings: Set<String> = []
    public var recorded: Set<String> = []

    public init() {}

    mutating func merge(_ other: Conditions) {
      functionsSelected.formUnion(other.functionsSelected)
      filters.formUnion(other.filters)
      sizes.formUnion(other.sizes)
      pageSizes.formUnion(other.pageSizes)
      backings.formUnion(other.backings)
      recorded.formUnion(other.recorded)
    }

    /// Names of those of which there is more than one value, as options have them.
    public var mixed: [String] {
      var names: [String] = []
      if filters.count > 1 { names.append("filters") }
      if sizes.count > 1 { names.append("--size") }
      if pageSizes.count > 1 { names.append("--page-size") }
      if backings.count > 1 { names.append("--backing") }
      if recorded.count > 1 { names.append("--recorded") }
      return names
    }
  }

  /// Functions times kernels; each has a sketch of up to 32 KiB.
  public static let functionsLimit = 1 << 16

  public private(set) var functions: [Key: Function] = [:]
  /// Functions of further traces that were left out because of `functionsLimit`, and their calls.
  public internal(set) var functionsCut = 0
  public internal(set) var callsCut = 0
  /// Traces in `functions`, whether or not `runs` has a row of them.
  public internal(set) var runCount = 0
  public internal(set) var runs: KeptRuns
  /// Traces that could not be read.
  public internal(set) var failedCount = 0
  public internal(set) var failures: KeptFailures
  public internal(set) var conditions = Conditions()

  public init(rowLimit: Int = KeptRuns.defaultLimit) {
    runs = KeptRuns(limit: rowLimit)
    failures = KeptFailures()
  }

  /// Of one trace that could not be read.
  public init(failure: Failure, conditions: Conditions = Conditions()) {
    self.init()
    failedCount = 1
    failures.insert(failure)
    self.conditions = conditions
  }

  /// Of one trace.
  public init(_ analysis: TraceAnalysis, conditions: Conditions = Conditions()) {
    self.init()
    self.conditions = conditions
    runCount = 1
    let kernel = analysis.description.kernelRelease
    var rows: [Key: [FunctionDurations]] = [:]
    for source in analysis.functions {
      let key = Key(kernel: kernel, function: source.function.symbol, module: source.function.module)
      var function = Function()
      if rows[key] == nil { function.runs = 1 }
      rows[key, default: []].append(source)
      function.sums = source.durations.sums ?? DurationSums()
      function.complete = source.complete
      function.unfinished = source.unfinished
      function.noEntry = source.noEntry
      function.lost = source.lost
      function.incomplete = source.incomplete
      _ = add(function, at: key)
    }
    runs.insert(
      Run(analysis, rows.keys.sorted().map { ($0, Comparator.RunDurations(parts: rows[$0] ?? [])) }))
  }

  /// - Returns: false where the sketches' relative errors differ.
  mutating func add(_ function: Function, at key: Key) -> Bool {
    if let index = functions.index(forKey: key) {
      return functions.values[index].merge(function)
    }
    guard functions.count < Self.functionsLimit else {
      functionsCut = functionsCut.plus(1)
      callsCut = callsCut.plus(function.sums.count)
      return true
    }
    functions[key] = function
    return true
  }

  /// - Throws: `SummaryError`, and nothing happens, where sketches do not match.
  public mutating func merge(_ other: TraceSummary) throws(SummaryError) {
    for (key, function) in other.functions {
      guard let expected = functions[key]?.sums.sketch.relativeError else { continue }
      let found = function.sums.sketch.relativeError
      if found != expected {
        throw SummaryError(function: key.function, relativeError: found, expected: expected)
      }
    }
    for (key, function) in other.functions { _ = add(function, at: key) }
    functionsCut = functionsCut.plus(other.functionsCut)
    callsCut = callsCut.plus(other.callsCut)
    runCount = runCount.plus(other.runCount)
    runs.merge(other.runs)
    failedCount = failedCount.plus(other.failedCount)
    failures.merge(other.failures)
    conditions.merge(other.conditions)
  }

  /// What is of kernels and functions that `isWanted` takes; runs by their kernel alone.
  public func filtered(kernel isWanted: (String) -> Bool) -> TraceSummary {
    var result = self
    result.functions = functions.filter { isWanted($0.key.kernel) }
    result.runs = runs.filtered { isWanted($0.kernel) }
    // Of the runs that are not kept only the number is known, so that of their kernels is taken from the functions.
    if runs.isComplete {
      result.runCount = result.runs.count
    } else {
      result.runCount = result.functions.values.map(\.runs).max() ?? 0
    }
    return result
  }
}

/// Sketches that cannot be merged.
public struct SummaryError: Error, Sendable {
  public var function: String
  public var relativeError: Double
  public var expected: Double
}

extension TraceSummary {
  /// A trace that could not be read, and why.
  public struct Failure: Hashable, Comparable, Sendable {
    public var host: String
    public var path: String
    /// A sentence.
    public var error: String

    public init(host: String, path: String, error: String) {
      self.host = host
      self.path = path
      self.error = error
    }

    public static func < (a: Failure, b: Failure) -> Bool {
      (a.host, a.path, a.error) < (b.host, b.path, b.error)
    }
  }

  /// The failures that come first by host and path, up to a limit: the same ones whatever the order of merging.
  public struct KeptFailures: Sendable {
    public static let limit = 1_000
    private var kept: [Failure] = []

    public init() {}

    public var sorted: [Failure] { Array(kept.sorted().prefix(Self.limit)) }

    mutating func insert(_ failure: Failure) {
      kept.append(failure)
      if kept.count >= 2 * Self.limit { kept = sorted }
    }

    mutating func merge(_ other: KeptFailures) {
      for failure in other.kept { insert(failure) }
    }
  }
}
