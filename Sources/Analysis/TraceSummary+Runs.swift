internal import FunctionGraph

extension TraceSummary {
  /// One trace: where it is from, and the figures of its functions that a comparison takes as one sample.
  public struct Run: Hashable, Sendable {
    public struct Row: Hashable, Sendable {
      public var function: String
      public var module: String
      public var incomplete: Int
      /// Nil where no call has a known duration.
      public var figures: RunFigures?

      public init(function: String, module: String, incomplete: Int, figures: RunFigures?) {
        self.function = function
        self.module = module
        self.incomplete = incomplete
        self.figures = figures
      }
    }

    /// Empty where it is not known.
    public var host = ""
    public var path = ""
    public var kernel = ""
    /// As `TraceDescription.Format` names it.
    public var format = ""
    public var clock = ""
    public var cpus: Int?
    /// Places where events were lost, and how many events, as far as that is known.
    public var losses = 0
    public var lostEvents: UInt64 = 0
    /// Calls may be missing: events were lost, or the file was damaged.
    public var mayLackCalls = false
    public var isNested = false
    public var deepest: Int32 = -1
    public var rows: [Row] = []

    public init() {}

    init(_ analysis: TraceAnalysis, _ functions: [(Key, Comparator.RunDurations)]) {
      host = analysis.host
      path = analysis.path
      kernel = analysis.description.kernelRelease
      format = analysis.description.format.name
      clock = analysis.description.buffers.first?.clock ?? ""
      cpus = analysis.description.cpuCount
      losses = analysis.quality.losses
      let overrun = analysis.description.buffers.reduce(UInt64(0)) { $0.plus($1.overrun) }
      lostEvents = max(overrun, analysis.quality.lostEvents)
      mayLackCalls = analysis.mayLackCalls
      isNested = analysis.quality.isNested
      deepest = analysis.quality.deepest
      rows = functions.map { key, run in
        Row(
          function: key.function, module: key.module, incomplete: run.incomplete,
          figures: run.count == 0
            ? nil
            : RunFigures(
              count: run.count, total: run.total,
              minimum: run.parts.filter { $0.count > 0 }.map(\.durations.minimum).min() ?? 0,
              maximum: run.parts.filter { $0.count > 0 }.map(\.durations.maximum).max() ?? 0,
              median: Samples.quantile(of: run, 0.5), p99: Samples.quantile(of: run, 0.99),
              resolution: run.parts.map(\.durations.resolution).max() ?? 1,
              relativeError: run.parts.map(\.durations.quantileError).max() ?? 0))
      }
    }

    /// The place in the order in which runs are kept, from what the run is alone: uniform over runs.
    ///
    /// FNV-1a, 64 bits (Fowler, Noll and Vo; IETF draft-eastlake-fnv), then the finalizer of SplitMix64 (Steele, Lea and
    /// Flood, OOPSLA 2014), as the high bits of FNV alone follow the last bytes too closely.
    public var rank: UInt64 {
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      func add(_ text: String) {
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0xff) &* 0x100_0000_01b3
      }
      func add(_ number: Int64) {
        for shift in stride(from: 0, to: 64, by: 8) {
          hash = (hash ^ (UInt64(truncatingIfNeeded: number) >> UInt64(shift) & 0xff)) &* 0x100_0000_01b3
        }
      }
      for text in [host, path, kernel] { add(text) }
      for row in rows {
        add(row.function)
        guard let figures = row.figures else { continue }
        for number in [Int64(figures.count), figures.total, figures.minimum, figures.maximum] { add(number) }
      }
      hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
      hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
      return hash ^ hash >> 31
    }
  }

  /// Rows of runs, a uniform sample of the runs where there are more than a limit.
  ///
  /// Kept are the runs of the lowest ranks, as in bottom-k sampling (Cohen and Kaplan, "Summarizing data using bottom-k
  /// sketches", PODC 2007), until their rows reach the limit; `ceiling` is the rank of the first that was left out,
  /// from which on none is taken any more. That depends on the set of runs alone, so merging stays associative.
  public struct KeptRuns: Sendable {
    /// Rows: a run counts as one, and one for each function. Some 50 MB at most as JSON.
    public static let defaultLimit = 200_000

    public let limit: Int
    private var kept: [(rank: UInt64, run: Run)] = []
    private var weight = 0
    /// The rank of the first run that was left out; nil while all are kept.
    private var ceiling: UInt64?

    public init(limit: Int) {
      self.limit = max(1, limit)
    }

    /// The ceiling with the limit applied.
    var settledCeiling: UInt64? { pruned.ceiling }
    public var isComplete: Bool { settledCeiling == nil }
    public var count: Int { pruned.kept.count }
    /// By host, path and kernel.
    public var sorted: [Run] {
      pruned.kept.map { ($0.run.host, $0.run.path, $0.run.kernel, $0.rank, $0.run) }
        .sorted { ($0.0, $0.1, $0.2, $0.3) < ($1.0, $1.1, $1.2, $1.3) }.map(\.4)
    }

    mutating func insert(_ run: Run) { insert(run, rank: run.rank) }

    private mutating func insert(_ run: Run, rank: UInt64) {
      if let ceiling, rank >= ceiling { return }
      kept.append((rank, run))
      weight += 1 + run.rows.count
      if weight > 2 * limit { self = pruned }
    }

    mutating func merge(_ other: KeptRuns) {
      if let bound = other.ceiling { lowerCeiling(to: bound) }
      for (rank, run) in other.kept { insert(run, rank: rank) }
    }

    /// Takes up what another process left out.
    mutating func lowerCeiling(to bound: UInt64) {
      ceiling = Swift.min(ceiling ?? .max, bound)
    }

    /// With what lies from the ceiling on left out, and the ceiling where the limit puts it.
    private var pruned: KeptRuns {
      var result = KeptRuns(limit: limit)
      result.ceiling = ceiling
      for (rank, run) in kept.sorted(by: { $0.rank < $1.rank }) {
        if let ceiling = result.ceiling, rank >= ceiling { break }
        if result.weight + 1 + run.rows.count > limit {
          result.ceiling = rank
          break
        }
        result.weight += 1 + run.rows.count
        result.kept.append((rank, run))
      }
      // Runs of one rank are kept or left out together.
      if let ceiling = result.ceiling {
        while let last = result.kept.last, last.rank >= ceiling {
          result.weight -= 1 + last.run.rows.count
          result.kept.removeLast()
        }
      }
      return result
    }

    func filtered(_ isWanted: (Run) -> Bool) -> KeptRuns {
      var result = self
      result.kept = pruned.kept.filter { isWanted($0.run) }
      result.weight = result.kept.reduce(0) { $0 + 1 + $1.run.rows.count }
      return result
    }

    /// Runs that stand there more than once, which count more than once: the same summary was given twice.
    public var duplicates: [Run] {
      let ordered = pruned.kept
      var found: [Run] = []
      for index in ordered.indices.dropFirst()
      where ordered[index].rank == ordered[index - 1].rank && ordered[index].run == ordered[index - 1].run {
        found.append(ordered[index].run)
      }
      return found
    }
  }
}
