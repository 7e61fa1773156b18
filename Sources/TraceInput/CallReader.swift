public import FunctionGraph

/// Calls out of a trace, batch by batch: a reader and the pairing behind it.
///
/// ```swift
/// var reader = try CallReader(path: "trace.dat")
/// var calls: [Call] = []
/// while try reader.next(&calls) {
///   for call in calls {
///     print(reader.functions[call.function].symbol, call.duration ?? -1, "ns")
///   }
/// }
/// ```
public struct CallReader: ~Copyable {
  private var events: TraceReader
  private var builder: CallBuilder
  private var batch: [Event] = []
  private var order = ReportOrder()
  private var ordered: [Event] = []
  private var isAtEnd = false
  private let tracksPaths: Bool
  /// `Call.sequence` tells the order of entries on one CPU only.
  public private(set) var pairsByCPU = false

  /// - Parameters:
  ///   - input: read from its beginning.
  ///   - tracksPaths: fills `Call.path`.
  ///   - jobs: how many threads may read, where the format makes use of several.
  ///   - onRead: as of `TraceReader`.
  public init(
    _ input: consuming SniffedInput, tracksPaths: Bool = false, jobs: Int = 1,
    onRead: @escaping @Sendable (_ read: UInt64, _ size: UInt64?) -> Void = { _, _ in }
  ) throws(TraceError) {
    let reader = try TraceReader(input, jobs: jobs, onRead: onRead)
    builder = CallBuilder(tracksPaths: tracksPaths, buffersFollowOneAnother: reader.isTraceDat)
    events = reader
    self.tracksPaths = tracksPaths
  }

  /// Opens `path`; `-` is standard input.
  public init(path: String, tracksPaths: Bool = false) throws(TraceError) {
    try self.init(SniffedInput(path: path), tracksPaths: tracksPaths)
  }

  /// Replaces `calls` with the next calls that end, in the order of their ends; an unfinished call
  /// where it is noticed, after its callees.
  ///
  /// - Returns: false at the end.
  public mutating func next(_ calls: inout [Call]) throws(TraceError) -> Bool {
    calls.removeAll(keepingCapacity: true)
    if isAtEnd { return false }
    if pairsByCPU {
      isAtEnd = try !events.nextCalls(&calls)
      return !isAtEnd
    }
    if try events.next(&batch) {
      if events.isTraceDat {
        builder.consume(batch, into: &calls)
      } else {
        ordered.removeAll(keepingCapacity: true)
        order.add(batch, into: &ordered)
        builder.consume(ordered, into: &calls)
      }
    } else {
      isAtEnd = true
      ordered.removeAll(keepingCapacity: true)
      order.drain(into: &ordered)
      builder.consume(ordered, into: &calls)
      builder.finish(into: &calls)
    }
    return true
  }

  /// Gives calls without self times, paths and `stack`, where that is cheaper. To be called before everything else, or right
  /// behind `restart`.
  public mutating func leaveOutSelfTimes() throws(TraceError) {
    pairsByCPU = try events.pairsCalls()
  }

  /// How many calls an input of this size usually has; 0 where that cannot be told.
  public var likelyCalls: UInt64 { events.likelyCalls }

  /// Gives calls of some functions only, without self times, where that is cheaper than giving all; others may come
  /// too. To be called before the first `next`. At the end `leftOut` says whether it went well.
  ///
  /// - Parameters:
  ///   - prefixes: where all wanted symbols begin with one of a few strings, these.
  ///   - orSumUp: whether `tally` is called, after a restart, where it does not go well; of a trace.dat that, or
  ///     `leaveOutSelfTimes`. It ends early then where it would take longer.
  ///   - isWanted: of a symbol.
  /// - Throws: what reading the file throws.
  public mutating func selectFunctions(
    beginning prefixes: [String] = [], orSumUp: Bool = false,
    _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool
  ) throws(TraceError) {
    try events.selectFunctions(beginning: prefixes, orSumUp: orSumUp, isWanted)
  }

  /// Fills `Call.offCPU` and `Call.interrupts`; at the end `timeAwaySources` says of which buffers they can be told. To be
  /// called before everything else. Where a trace has such records (of a text: lines of them with times), nothing of it
  /// can be left out: `selectFunctions` and `tally` then do not save anything.
  public mutating func noticeTimeAway() throws(TraceError) {
    try events.noticeTimeAway()
  }

  /// Keeps the names of these functions however many others a text has in front of them.
  public mutating func keepNames(_ isNeeded: @escaping @Sendable (_ symbol: String) -> Bool) {
    events.keepNames(isNeeded)
  }

  /// Sums up all calls at once, where the format makes that cheaper than giving them; nil where it does not, and `next`
  /// gives them then. To be called before the first `next`.
  ///
  /// - Parameters:
  ///   - isWanted: which functions' durations, self times and callees are wanted, by symbol.
  ///   - withPaths: fills `TraceTally.paths` and `sums`.
  ///   - makeSink: a sink for the durations of the lane of this number. Lanes may be read on different threads.
  public mutating func tally(
    withPaths: Bool = true, _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool,
    makeSink: (_ lane: Int) -> any DurationSink
  ) throws(TraceError) -> TraceTally? {
    try events.tally(withPaths: withPaths, isWanted, makeSink: makeSink)
  }

  public var isTraceDat: Bool { events.isTraceDat }

  /// What was seen of functions that were left out; nil where none were.
  public var leftOut: LeftOutFunctions? { events.leftOut }

  /// From the beginning again, with the calls of all functions. Only where `leftOut` is not nil, or `tally` gave something.
  public mutating func restart() {
    pairsByCPU = false
    events.restart()
    builder = CallBuilder(tracksPaths: tracksPaths, buffersFollowOneAnother: events.isTraceDat)
    order = ReportOrder()
    isAtEnd = false
  }

  public var functions: FunctionTable { events.functions }
  public var comms: StringTable { events.comms }
  public var description: TraceDescription { events.description }
  public var diagnostics: Diagnostics { events.diagnostics }
  public var bytesRead: UInt64 { events.bytesRead }
  public var size: UInt64? { events.size }
  public var paths: CallPaths { builder.paths }
  /// What each buffer has records of, by its number.
  public var timeAwaySources: [Int: TimeAwaySources] { builder.timeAwaySources }
  /// How often, and how many as far as is known, events were lost.
  public var losses: Int { pairsByCPU ? events.pairedSums.losses : builder.losses }
  public var lostEvents: UInt64 { pairsByCPU ? events.pairedSums.lostEvents : builder.lostEvents }
  /// Headings of a text that holds both sides, so far.
  public var sections: (before: Int, after: Int) { builder.sections }
  public var isNested: Bool { deepest > 0 }
  public var deepest: Int32 { max(builder.deepest, events.pairedSums.deepest, events.leftOut?.deepest ?? -1) }
}
