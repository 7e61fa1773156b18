internal import CVector
internal import FunctionGraph

/// What is left of a range of a text after a `RangeSieve`: the lines that a `TextSieve` may have to look at, with what the
/// others in front of each come to.
/// Made on one thread and handed to another one when it is complete.
final class SievedRange: @unchecked Sendable {
  enum Kind: UInt8 {
    /// A strict line.
    case call
    /// `CPU:1 [LOST 1242 EVENTS]`, or several such lines of one CPU with nothing between them that is not in `lines`.
    case lost
    /// Any other line.
    case other
    /// No line: the end of the range.
    case end
  }

  struct Item: BitwiseCopyable {
    var kind: Kind
    /// Of another line, where all lines are wanted: its time, nanoseconds, where it has one, which is in order then.
    var time: UInt64?
    /// Of a loss, and of a call in the kernel's own text.
    var cpu: Int32 = -1
    /// Of a loss: how many lines it is, and what they come to.
    var losses: UInt32 = 0
    var lostEvents: UInt64 = 0
    /// Lines in front of it, since the item before it, that are left out: strict ones, in which no wanted function is named and
    /// no wanted call ends. Of several losses those between them too.
    var lines = 0
    /// Lines of other events among these, which are not counted there.
    var others = 0
    /// Those of them that end a call.
    var exits: UInt64 = 0
    var deepest: Int32 = -1
    /// Of a report: the times of the first and the last of them; they do not go back in between.
    var firstTime: UInt64 = 0
    var lastTime: UInt64 = 0
    /// The end of its part of `openings`.
    var openings = 0
    /// Its line in `text`, without the line feed. A loss has none where what is in front of it says that it can be nothing else.
    var start = 0
    var count = 0
    /// In the text, behind its line feed.
    var end: UInt64 = 0

    fileprivate mutating func extend(_ loss: StrictLoss, _ run: pinstat_run, _ end: UInt64, openings: Int) {
      losses &+= 1
      lostEvents &+= loss.events
      if lines == 0 { firstTime = run.first_time }
      if run.lines > 0 { lastTime = run.last_time }
      lines += Int(run.lines)
      others += Int(run.others)
      exits &+= run.exits
      deepest = max(deepest, run.deepest)
      self.openings = openings
      self.end = end
    }
  }

  /// The depth of the innermost call that is open on a CPU after the lines that were left out there; where lines name tasks, of
  /// a task, and where it was seen.
  struct Opening: BitwiseCopyable {
    var cpu: Int32
    var pid: Int32 = -1
    var depth: Int32
  }

  /// A line of a call, where all are wanted.
  struct Record: BitwiseCopyable {
    /// `RangeSieve.Tail`; 0 stands for the next item's line.
    var value: UInt32
    /// CPU or task, as the sieve numbers them.
    var lane: UInt16
    var depth: UInt8
    /// Decimals that the duration's number lacks.
    var scale: UInt8
    /// Nanoseconds; of an entry 0.
    var duration: Int64
  }

  /// A time as it was read: few are asked for.
  struct Stamp: BitwiseCopyable {
    /// Halves of a `pinstat_stamp`; the first is all ones where the second one is nanoseconds.
    private let high: UInt64
    private let low: UInt64

    init(_ line: pinstat_line) {
      high = line.stamp_high
      low = line.stamp_low
    }

    init(nanoseconds: UInt64) {
      high = .max
      low = nanoseconds
    }

    var timestamp: Timestamp { .nanoseconds(high == .max ? low : pinstat_time_of_halves(high, low)) }
  }

  /// A task that was seen first on that CPU here.
  struct Task {
    var cpu: Int32
    var pid: Int32
    var comm: [UInt8]
  }

  /// Where all lines are wanted.
  @exclusivity(unchecked) var records: [Record] = []
  /// The records' times, where lines have them.
  @exclusivity(unchecked) var times: [Stamp] = []
  /// Functions and tasks that the sieve numbered when it saw them first here, in the order of their numbers.
  var names: [(symbol: [UInt8], module: [UInt8])] = []
  var tasks: [Task] = []
  /// Which of several sieves numbered them.
  var sieve = 0

  @exclusivity(unchecked) private(set) var items: [Item] = []
  @exclusivity(unchecked) private(set) var openings: [Opening] = []
  /// Lines, each with its line feed, and what may be loaded behind the last one.
  @exclusivity(unchecked) private(set) var text: [UInt8] = []
  /// Where its first line begins, and where the first one behind it does.
  var first: UInt64 = 0
  var end: UInt64 = 0
  /// False where the range has to be read line by line: too much of it matters, or it could not be read.
  @exclusivity(unchecked) var isUsable = true
  /// It has too much that matters.
  private(set) var isCrowded = false

  /// What it holds.
  var byteCount: Int {
    text.count + items.count * MemoryLayout<Item>.stride + openings.count * MemoryLayout<Opening>.stride
      + records.count * MemoryLayout<Record>.stride + times.count * MemoryLayout<Stamp>.stride
  }

  private static let mostItems = 1 << 12
  private static let mostText = 1 << 18

  func append(_ opening: Opening) { openings.append(opening) }

  /// What a range with some losses has, so that its arrays do not grow step by step.
  private func reserve() {
    items.reserveCapacity(1 << 8)
    openings.reserveCapacity(1 << 8)
    text.reserveCapacity(1 << 13)
  }

  func append(_ item: Item, line: UnsafeRawBufferPointer) {
    if items.isEmpty { reserve() }
    var item = item
    item.openings = openings.count
    item.start = text.count
    item.count = line.count
    if item.kind != .end {
      text.append(contentsOf: line)
      text.append(0x0A)
    }
    items.append(item)
    if items.count > Self.mostItems || text.count > Self.mostText || openings.count > 8 * Self.mostItems {
      isUsable = false
      isCrowded = true
    }
  }

  /// Whether the last item is a loss of that CPU.
  @inline(__always)
  func endsInLoss(of cpu: Int32) -> Bool {
    guard let last = items.indices.last else { return false }
    return items[last].kind == .lost && items[last].cpu == cpu
  }

  /// Adds a loss to the last item, which is one of the same CPU.
  ///
  /// - Parameters:
  ///   - run: the lines between them.
  ///   - end: behind its line feed.
  @inline(__always)
  func extendLoss(_ loss: StrictLoss, _ run: pinstat_run, _ end: UInt64) {
    guard let last = items.indices.last else { return }
    items[last].extend(loss, run, end, openings: openings.count)
  }

  func close() {
    text.append(contentsOf: repeatElement(0, count: StrictCall.slack))
  }
}
