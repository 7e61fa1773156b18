/// One thing that a trace says, in the form that text and binary readers share.
///
/// A flat value: what a kind does not use keeps its default. Names are numbers in the tables of the reader that made
/// the event.
public struct Event: Sendable {
  public enum Kind: UInt8, Sendable {
    /// A function was entered: `name() {`, `funcgraph_entry`.
    case entry
    /// A function was left: `}`, `funcgraph_exit`. Carries the duration.
    case exit
    /// Both in one line of text: `name();`. Carries the duration.
    case leaf
    /// Events of this CPU were lost before this point: `lostEvents` of them, 0 where the source does not say.
    case lost
    /// From here on this CPU runs another task (`pid`, `comm`); `previousPid` and `previousComm` ran before.
    case taskSwitch
    /// A heading of a text that holds both sides: what follows belongs to `side`.
    case heading
    /// From a reader that leaves out functions: the task was seen at `depth` in one of those, so that calls which are
    /// open at that depth or deeper have no exit. Names no function.
    case unwound
    /// A `sched_switch` record, whose time counts: this CPU goes from `previousPid` to `pid`. Unlike `taskSwitch` it says
    /// nothing of which calls belong together: the task that goes still runs a few functions behind it.
    case switched
    /// An interrupt begins on this CPU, on top of `pid`; `interrupt` says which.
    case interruptEntry
    /// It ends.
    case interruptExit
  }

  /// The side that a heading in a text announces ("Before this patch:").
  public enum Side: UInt8, Sendable {
    case before, after
  }

  public var kind: Kind
  /// Which of two traces that stand side by side on one line: 0 the left one (or the only one), 1 the next.
  public var column: UInt8 = 0
  public var side: Side = .before
  /// Index into `InterruptSource.all`.
  public var interrupt: UInt8 = 0
  /// Index into `TraceDescription.buffers`.
  public var buffer: UInt16 = 0
  /// −1 where the source has none.
  public var cpu: Int32 = -1
  /// −1 where the source has none. Task 0 (idle) is another task on every CPU.
  public var pid: Int32 = -1
  public var comm: StringTable.ID = .none
  public var previousPid: Int32 = -1
  public var previousComm: StringTable.ID = .none
  public var function: FunctionID = .none
  /// Call depth as the source gives it (text: from the indentation), 0 for the outermost; −1 where the layout was lost.
  public var depth: Int32 = -1
  /// Only `lost`: how often, where a reader that leaves out functions sums several up of one CPU.
  public var losses: UInt32 = 1
  /// Of the record itself: an exit's is when it was left.
  public var timestamp: Timestamp = .none
  /// Nanoseconds; nil where the source has none (funcgraph-duration off).
  public var duration: Int64?
  /// How coarse the source printed `duration`, nanoseconds: 1 in trace.dat; a text's last digit.
  public var resolution: UInt32 = 1
  /// Only `lost`; 0 where the source does not say how many.
  public var lostEvents: UInt64 = 0

  public init(kind: Kind) {
    self.kind = kind
  }
}
