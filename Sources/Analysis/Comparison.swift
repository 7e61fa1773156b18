public import FunctionGraph
public import Statistics

/// Before held against after: one value, before anything is printed.
public struct Comparison: Sendable {
  public var before: ComparedSide
  public var after: ComparedSide
  public var request: ComparisonRequest
  /// In the order of the before side's total time, longest first.
  public var functions: [FunctionComparison]
  /// Functions of one side only, by stripped name.
  public var onlyBefore: [String]
  public var onlyAfter: [String]
  /// What has to be said before any figure.
  public var notes: [ComparisonNote]
  /// Of all gates and functions, the one that counts; nil without a gate.
  public var gate: GateOutcome?
}

/// One side of a comparison: its runs.
public struct ComparedSide: Sendable {
  public var runs: [TraceAnalysis]

  public init(runs: [TraceAnalysis]) {
    self.runs = runs
  }

  /// The one value of a description that all runs share, nil where they differ or none has any.
  public func common<Value: Hashable>(_ value: (TraceAnalysis) -> Value) -> Value? {
    let values = Set(runs.map(value))
    return values.count == 1 ? values.first : nil
  }
}

/// The figure of a run, or of a side's calls, that is compared.
public enum Metric: String, Sendable, CaseIterable {
  case median, mean, min, p99, total
}

/// What one sample is.
public enum ComparisonUnit: String, Sendable {
  /// Each trace's metric.
  case run
  /// Each call's duration, of one trace a side.
  case call
}

public enum Verdict: String, Sendable, CaseIterable {
  case faster, slower, same, unclear
}

/// Thresholds that a comparison has to hold, and how they came out.
public struct Gates: Hashable, Sendable {
  /// 0.05: after may take up to 5 % longer.
  public var maxSlowdown: Double?
  /// 2: after has to be twice as fast.
  public var minSpeedup: Double?

  public init(maxSlowdown: Double? = nil, minSpeedup: Double? = nil) {
    self.maxSlowdown = maxSlowdown
    self.minSpeedup = minSpeedup
  }

  public var isEmpty: Bool { maxSlowdown == nil && minSpeedup == nil }
}

/// In ascending order of what counts: the worst of several is the greatest.
public enum GateOutcome: Int, Sendable, Comparable {
  case holds
  case undecided
  case fails
  /// There is nothing to judge.
  case error

  public static func < (a: GateOutcome, b: GateOutcome) -> Bool { a.rawValue < b.rawValue }
}

public struct ComparisonRequest: Hashable, Sendable {
  public var metric = Metric.median
  /// 1 less the confidence asked for, over all functions together (Holm).
  public var alpha = 0.05
  /// 0.02: within 2 % counts as the same.
  public var sameWithin = 0.02
  /// Relative standard deviation between runs that is assumed where there is one trace a side.
  public var runSpread = 0.03
  public var gates = Gates()
  public var seed: UInt64 = 1
  /// The filters and the mapped size that were asked for, against which stored analyses are held.
  public var filters: [String] = []
  public var size: UInt64?
  /// Adds the model to what it simulates.
  public var model: ModelRequest?

  public init() {}
}

/// One function, before against after. Durations are nanoseconds.
public struct FunctionComparison: Sendable {
  public struct Side: Sendable {
    public var runs: Int
    public var calls: Int
    public var incomplete: Int
    /// The metric over the calls, or the median of the runs' metrics.
    public var value: Double
    public var total: Int64
    /// Of all calls, whatever the metric; for the distribution strip.
    public var minimum: Int64
    public var maximum: Int64
    public var median: Double
    /// The compared samples: a value a run, or a value a call.
    public var samples: [Double]
    public var resolution: UInt32
    public var callees: CalleeTable?
    /// Time off the CPU and in interrupts inside the calls, over all runs; nil where it cannot be told of one of them.
    public var offCPU: TimeAwaySum?
    public var interrupts: TimeAwaySum?
  }

  /// The symbol without `.isra.N` and the like, by which both sides pair.
  public var name: String
  public var unit: ComparisonUnit
  public var before: Side
  public var after: Side
  /// Before over after, as estimated.
  public var speedup: Double
  /// With the confidence that it really has; nil where one sample a side, or the metric, gives none.
  public var interval: ConfidenceInterval?
  /// What verdict and gates look at: `interval`, widened by the assumed spread between runs where calls are the unit.
  public var decisionInterval: ConfidenceInterval?
  /// Mann-Whitney, Holm-adjusted over the functions compared; nil with one sample a side.
  public var pValue: Double?
  /// The Holm-adjusted level of the interval.
  public var alpha: Double
  /// Cliff's delta: positive where before's values tend to be the larger, that is where after is faster.
  public var cliffsDelta: Double?
  public var verdict: Verdict
  public var gate: GateOutcome?
  /// Only of functions that the model simulates, and only where it was asked for.
  public var model: ModelMeeting?
  /// Durations and speedup without what hooked callees cost.
  public var correction: HookCorrection?
  public var notes: [FunctionNote]
}

/// Something about one function's comparison that the reader has to know.
public enum FunctionNote: Hashable, Sendable {
  /// One sample a side has no interval.
  case oneSample
  /// One trace against several has no interval.
  case oneAgainstSeveral
  /// Too few samples for the confidence asked for; this many a side are needed.
  case tooFew(needed: Int)
  /// The metric has no interval for calls as samples.
  case metricWithoutInterval(Metric)
  /// p99 needs this many calls a side.
  case tooFewCallsForP99(needed: Int)
  /// The spread between runs is unknown; the interval was widened by the assumed one.
  case widened(runSpread: Double)
  /// More calls than are looked at: a seeded subsample was taken.
  case subsampled(limit: Int)
  /// The difference is below what the source can print, nanoseconds.
  case belowResolution(UInt32)
  /// About how many more runs a side would decide.
  case moreRuns(Int)
  /// The smallest slowdown that these data could have shown: 0.05 is 5 %.
  case smallestDetectableSlowdown(Double)
  /// Calls without a duration on a side.
  case incompleteCalls(before: Int, after: Int)
  /// Quantiles come from a sketch with this relative error.
  case sketched(relativeError: Double)
  /// The number of calls a run differs.
  case callCountDiffers(before: Double, after: Double)
  /// Data were lost that may have held calls, so that gates decide nothing.
  case dataLost(before: Bool, after: Bool)
  /// One run a side, and of its calls only what adds up: nothing can be tested over calls.
  case callsMissing
  case model(ModelNote)
}

/// What the model adds to the notes of a function.
public enum ModelNote: Hashable, Sendable {
  case cannotTell(Event.Side, reasons: [String])
  /// Faster than any variant could be by these costs, nanoseconds.
  case belowFloor(measured: Double, floor: Double, costs: String)
  /// Recorded with -g, and no cost of a hook to correct by.
  case hooksUncorrected
  /// Corrected for hooks: more would be taken away than there is, or the number of hooks is unknown.
  case cannotCorrect
}

/// A condition in which the sides differ, or that weakens the figures of both.
public enum ComparisonNote: Hashable, Sendable {
  case kernelDiffers(before: [String], after: [String])
  case clockDiffers(before: [String], after: [String])
  case cpuCountDiffers(before: [Int], after: [Int])
  /// One side was taken of a graph, the other of single functions, as far as can be seen.
  case nestingDiffers(nested: Event.Side)
  case depthDiffers(before: Int32, after: Int32)
  case formatDiffers(before: [String], after: [String])
  case lostEvents(side: Event.Side, path: String, losses: Int, events: UInt64)
  case damaged(side: Event.Side, path: String, diagnostics: [Diagnostic], count: Int)
  /// Callees of the compared function are recorded or hooked, which is in the durations.
  case tracerInMeasurement
  case sidesByColumn
  /// A text announces a side several times: other settings, or other stages, taken together here.
  case sectionsTogether(before: Int, after: Int)
  /// A stored analysis was made with other filters than are asked for, which do not apply to it.
  case storedFiltersDiffer(path: String, stored: [String], asked: [String])
  /// The bytes that one call maps differ: between the sides, or between a stored analysis and `--size`.
  case sizeDiffers([UInt64])
  /// A side is of a summary: its hosts are the samples. Of `runs` traces `kept` are there one by one; of `lossy`
  /// hosts calls may be missing; `failed` traces could not be read.
  case summarized(side: Event.Side, path: String, runs: Int, kept: Int, failed: Int, lossy: Int)
  /// The same file on both sides.
  case sameInput(String)
}
