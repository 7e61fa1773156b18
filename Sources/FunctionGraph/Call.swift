/// One call of a function: an entry and an exit that belong together, or what is left of them.
public struct Call: Sendable {
  public enum Status: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    /// Entry and exit were seen.
    case complete
    /// No exit was seen; there is no duration.
    case unfinished
    /// The exit came without its entry. Its duration is good where there is one: the exit record carries it.
    case noEntry
    /// Entry and exit were seen, and events were lost between them: self time and callees are not whole.
    case lost
  }

  public var function: FunctionID
  public var status: Status
  /// Which of two traces side by side on one line, as in `Event.column`.
  public var column: UInt8
  /// The side that the last heading before this call announced; nil before any heading.
  public var side: Event.Side?
  /// Index into `TraceDescription.buffers`.
  public var buffer: UInt16
  /// The CPU that recorded the exit; of a leaf line and an unfinished call, the entry. −1 where unknown.
  public var cpu: Int32
  /// −1 where unknown.
  public var pid: Int32
  public var comm: StringTable.ID
  /// 0 for the outermost; −1 where unknown.
  public var depth: Int32
  /// Of the entry record (not `calltime`, which is on the local clock whatever the trace clock is).
  public var timestamp: Timestamp
  /// Of the exit record; `.none` where there is none: unfinished calls, and leaf lines of text, which show the entry's.
  public var end: Timestamp = .none
  /// Nanoseconds; nil for an unfinished call, and where the source prints no durations.
  public var duration: Int64?
  /// How coarse the source printed the duration, nanoseconds.
  public var resolution: UInt32
  /// Nanoseconds not spent in recorded callees; nil where a callee's duration or the duration itself is unknown. May be
  /// negative as recorded: an interrupt's tree inside a very short call.
  public var selfTime: Int64?
  /// Nanoseconds inside it, and inside its callees, during which the task was on no CPU, as `sched_switch` records tell:
  /// 0 where the trace has none, which `CallBuilder.timeAwaySources` says. Not taken off the duration. nil where it cannot
  /// be told: calls that are not whole, records that are missing, text without times.
  public var offCPU: Int64? {
    get { offCPUOrLess < 0 ? nil : offCPUOrLess }
    set { offCPUOrLess = newValue ?? -1 }
  }
  /// The same of interrupts that came in between, and of the softirqs behind them.
  public var interrupts: Int64? {
    get { interruptsOrLess < 0 ? nil : interruptsOrLess }
    set { interruptsOrLess = newValue ?? -1 }
  }
  /// Below 0 for nil, in half the space.
  var offCPUOrLess: Int64 = -1
  var interruptsOrLess: Int64 = -1
  /// Where in the tree of call paths; `CallPaths.root` unless paths are tracked.
  public var path: CallPaths.ID
  /// Tells the tasks of one trace apart: calls that end in the same `stack` are nested or follow one another.
  public var stack: UInt32
  /// Order of entry in the trace (of the exit where there is no entry); where `CallReader.pairsByCPU`, on its CPU.
  public var sequence: UInt64
}

extension Call {
  /// One without a self time, a path or a side.
  package init(
    function: FunctionID, status: Status, buffer: UInt16, cpu: Int32, pid: Int32, comm: StringTable.ID,
    depth: Int32, timestamp: Timestamp, end: Timestamp, duration: Int64?, resolution: UInt32, sequence: UInt64
  ) {
    self.init(
      function: function, status: status, column: 0, side: nil, buffer: buffer, cpu: cpu, pid: pid,
      comm: comm, depth: depth, timestamp: timestamp, end: end, duration: duration, resolution: resolution,
      selfTime: nil, path: CallPaths.root, stack: 0, sequence: sequence)
  }
}
