public import FunctionGraph

/// What was found in one trace: one value, before anything is printed.
public struct TraceAnalysis: Sendable {
  /// As it was named on the command line; `-` for standard input.
  public var path: String
  public var description: TraceDescription
  /// One a buffer and symbol, in the order of buffers and then of total time, longest first.
  public var functions: [FunctionDurations]
  public var quality: TraceQuality
  /// Functions that were asked for by name and are not there.
  public var missing: [MissingFunction]
  /// Of an analysis that was stored, the conditions that it was made under.
  public var stored: StoredConditions?
  /// Of a run that a summary holds.
  public var summary: SummaryOrigin?
  public var isOfSummary: Bool { summary != nil }
  /// The traced machine's name; empty where it is not known.
  public var host = ""

  public init(
    path: String, description: TraceDescription, functions: [FunctionDurations], quality: TraceQuality,
    missing: [MissingFunction]
  ) {
    self.path = path
    self.description = description
    self.functions = functions
    self.quality = quality
    self.missing = missing
  }
}

/// What a stored analysis was made with, which cannot be changed any more.
public struct StoredConditions: Sendable, Hashable {
  /// The options that left out calls, as they were given.
  public var filters: [String]
  /// Bytes that one call maps.
  public var size: UInt64?
  public var pageSize: UInt64?

  public init(filters: [String], size: UInt64?, pageSize: UInt64?) {
    self.filters = filters
    self.size = size
    self.pageSize = pageSize
  }
}

/// A function that was named and is not in the trace.
public struct MissingFunction: Sendable, Hashable {
  public var name: String
  public var nearest: [String]
  public var family: [String]
  /// The trace has no function calls at all.
  public var traceIsEmpty: Bool
  /// It is in the trace, but the filters left nothing of it.
  public var isFilteredOut: Bool
}

/// The calls of one function in one buffer of one trace.
public struct FunctionDurations: Sendable {
  public var buffer: String
  public var function: FunctionName
  public var durations: DurationSample
  /// Calls by status, those without a known duration included.
  public var complete = 0
  public var unfinished = 0
  public var noEntry = 0
  public var lost = 0
  /// Calls whose duration is not known.
  public var incomplete = 0
  /// Nanoseconds; of the calls with a known self time.
  public var selfTime: Int64 = 0
  public var selfTimeCalls = 0
  /// Time off the CPU inside the calls; nil where it cannot be told, or was not asked for.
  public var offCPU: TimeAwaySum?
  /// The same of interrupts.
  public var interrupts: TimeAwaySum?
  public var callees: CalleeTable?
  /// Only where `AnalysisRequest.wantsTimeline`.
  public var timeline: CallTimeline?
  /// Where callees are wanted, of the functions that have the longest totals.
  public var tree: CalleeTree?

  public init(buffer: String, function: FunctionName, durations: DurationSample = DurationSample()) {
    self.buffer = buffer
    self.function = function
    self.durations = durations
  }

  /// Calls with a known duration.
  public var count: Int { durations.count }

  mutating func add(_ call: Call) {
    switch call.status {
    case .complete: complete += 1
    case .unfinished: unfinished += 1
    case .noEntry: noEntry += 1
    case .lost: lost += 1
    }
    if let duration = call.duration {
      durations.add(duration, resolution: call.resolution)
      timeline?.add(call.timestamp, duration)
    } else {
      incomplete += 1
    }
    if let selfTime = call.selfTime {
      self.selfTime &+= selfTime
      selfTimeCalls += 1
    }
  }
}

/// Where the time of a function's calls goes.
public struct CalleeTable: Sendable {
  public struct Row: Sendable, Hashable {
    public var function: FunctionName
    /// Calls of the callee below the function, at any depth.
    public var calls: Int
    /// Nanoseconds in the callee and below it; a recursive callee counts once.
    public var total: Int64
    /// Nanoseconds in the callee itself.
    public var selfTime: Int64
    /// How deep below the function it was seen first; 1 is a direct callee.
    public var level: Int
    /// Nanoseconds, of `total`, during which the task was off the CPU, and in interrupts; nil where that cannot be told.
    public var offCPU: Int64?
    public var interrupts: Int64?

    public init(function: FunctionName, calls: Int, total: Int64, selfTime: Int64, level: Int) {
      self.function = function
      self.calls = calls
      self.total = total
      self.selfTime = selfTime
      self.level = level
    }
  }

  /// Calls of the function that were whole, the basis of every figure here.
  public var parentCalls: Int
  /// Nanoseconds of those calls.
  public var parentTotal: Int64
  public var parentSelf: Int64
  /// As of the rows.
  public var parentOffCPU: Int64?
  public var parentInterrupts: Int64?
  /// By total time, longest first.
  public var rows: [Row]
}

/// How far the figures of a trace can be trusted.
public struct TraceQuality: Sendable {
  public var losses = 0
  public var lostEvents: UInt64 = 0
  public var diagnostics = Diagnostics()
  /// Callees of some function are recorded: the trace was taken of a graph.
  public var isNested = false
  public var deepest: Int32 = -1
  /// Selected calls that have no duration although they ended (funcgraph-duration off).
  public var withoutDuration = 0
  /// Calls without a time that `--from` or `--to` had to leave out.
  public var withoutTime = 0
  /// Selected calls that `skipFirst` left out.
  public var skipped = 0
  /// All calls in the trace whose exit was seen, selected or not, and unfinished ones of selected functions.
  public var calls = 0
  public var pathsTruncated = false
  /// Calls of more functions than `TraceAnalyzer.functionsLimit`, left out.
  public var callsBeyondLimit = 0
  /// A summary says of it that calls may be missing.
  public var lacksCallsAsStored = false

  public init() {}
}
