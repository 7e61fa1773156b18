/// The calls of a whole trace, summed up where they were read: what is known of each function and of each path, without
/// the calls themselves.
public struct TraceTally: Sendable {
  /// The calls of one function in one buffer, as far as one lane (the CPUs that were read together) saw them.
  public struct Function: Sendable {
    public var buffer: UInt16
    public var function: FunctionID
    public var complete = 0
    public var unfinished = 0
    public var noEntry = 0
    public var lost = 0
    /// Nanoseconds, of the calls with a known self time.
    public var selfTime: Int64 = 0
    public var selfTimeCalls = 0
    /// The coarsest resolution that a duration was printed with, nanoseconds.
    public var resolution: UInt32 = 1
    /// Which `DurationSink` got the durations, and under which number.
    public var lane: Int
    public var number: Int

    package init(buffer: UInt16, function: FunctionID, lane: Int, number: Int) {
      self.buffer = buffer
      self.function = function
      self.lane = lane
      self.number = number
    }
  }

  /// Calls that ended on one path, nanoseconds.
  public struct PathSum: BitwiseCopyable, Sendable {
    public var calls = 0
    public var total: Int64 = 0
    public var selfTime: Int64 = 0

    public init() {}

    @inlinable package init(calls: Int, total: Int64 = 0, selfTime: Int64 = 0) {
      self.calls = calls
      self.total = total
      self.selfTime = selfTime
    }

    @inlinable package mutating func add(_ other: PathSum) {
      calls &+= other.calls
      total &+= other.total
      selfTime &+= other.selfTime
    }
  }

  /// Selected functions; one that several lanes saw stands here several times.
  public var functions: [Function] = []
  public var paths = CallPaths()
  /// Of whole calls of outermost selected functions and all below them, by buffer and path.
  public var sums: [(buffer: UInt16, path: CallPaths.ID, sum: PathSum)] = []
  /// Calls whose exit was seen, and unfinished ones of selected functions.
  public var calls = 0
  public var losses = 0
  public var lostEvents: UInt64 = 0
  public var deepest: Int32 = -1

  package init() {}
}

/// A duration, nanoseconds, and when the call ended, in the order of the trace's clock.
public struct TimedDuration: BitwiseCopyable, Sendable {
  /// How many of a function a `DurationSink` gets at first, and then at once, but for its last ones: most functions are
  /// called a few times, and most calls are those of a few functions.
  public static let firstBatch = 32
  public static let batchSize = 256

  public var duration: Int64
  public var end: UInt64

  @inlinable package init(duration: Int64, end: UInt64) {
    self.duration = duration
    self.end = end
  }
}

/// Takes the durations that one lane finds, some at a time. Lanes run on different threads, each with a sink of its own.
public protocol DurationSink: AnyObject {
  /// - Parameters:
  ///   - durations: in the order in which the calls ended; valid during the call only.
  ///   - number: the function's number in this lane, from 1 on.
  func add(_ durations: UnsafeBufferPointer<TimedDuration>, of number: Int)
}
