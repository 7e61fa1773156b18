internal import CVector
internal import Glibc

/// A line of the kernel's own layout with more columns than CPU and duration (funcgraph-abstime, funcgraph-proc, latency-format,
/// together or alone):
///
///      507.520070 |   1)  vfiomap-560   |  ...1. | + 33.030 us   |        } /* get_next_timer_interrupt */
///
/// The front, from the CPU to the duration column, is one of a few in all of a text: `ColumnFronts` knows it as a whole, as the
/// general parser has read it once.
struct StrictColumnsLayout: Sendable, Equatable {
  /// Seconds and microseconds in front of the CPU, with what is behind them in `timeWidth` bytes.
  let hasTime: Bool
  /// Calls pair by task then, else by CPU.
  let hasTask: Bool

  static let timeWidth = Int(PINSTAT_TIME_WIDTH)

  /// Where the front begins.
  var start: Int { hasTime ? Self.timeWidth : 0 }

  init(hasTime: Bool, hasTask: Bool) {
    self.hasTime = hasTime
    self.hasTask = hasTask
  }

  /// The layout that `line` has, line feed included; nil where it has none of these.
  init?(_ line: UnsafeRawPointer, limit: UnsafeRawPointer) {
    let hasTime = Self.time(line) != nil
    guard hasTime || Self.mayHaveColumns(line) else { return nil }
    for hasTask in [false, true] {
      let layout = StrictColumnsLayout(hasTime: hasTime, hasTask: hasTask)
      if let front = layout.learn(line, limit: limit),
        layout.read(line, front.count, limit: limit, DurationShapes.kernel) != nil
      {
        self = layout
        return
      }
    }
    return nil
  }

  /// Whether a CPU stands at the start, and no duration column behind it.
  private static func mayHaveColumns(_ line: UnsafeRawPointer) -> Bool {
    guard line.load(as: UInt8.self) == 0x20 else { return false }
    for width in 1...3 where (line + width + 1).load(as: UInt8.self) == UInt8(ascii: ")") {
      return (line + width).load(as: UInt8.self).isDigit
        && DurationShapes.kernel.read(line + width + 3) == nil
    }
    return false
  }

  /// What stands in front of a line's duration column, as the general parser reads it.
  ///
  /// - Returns: nil where the line has to be read by that.
  func learn(_ line: UnsafeRawPointer, limit: UnsafeRawPointer) -> ColumnFronts.Front? {
    guard line < limit else { return nil }
    if hasTime { guard Self.time(line) != nil else { return nil } }
    let most = min(line.distance(to: limit), ColumnFronts.longestLine)
    guard let feed = memchr(line, 0x0A, most) else { return nil }
    let text = Line(UnsafeRawBufferPointer(start: line, count: line.distance(to: UnsafeRawPointer(feed))))
    let first = text.skipFront()
    let columns = GraphColumns(text, at: first)
    let mark = columns.functionColumn - Int(PINSTAT_KERNEL_COLUMN)
    let count = mark - start
    guard columns.cpu >= 0, columns.base == 2, columns.rightHalf == nil, !columns.endsInColumn,
      (columns.time != nil) == hasTime, columns.time?.isTime ?? true, (columns.pid >= 0) == hasTask,
      count >= Int(PINSTAT_COLUMNS_LEAST), count <= Int(PINSTAT_COLUMNS_MOST),
      DurationShapes.kernel.read(line + mark)?.width == Int(PINSTAT_KERNEL_COLUMN)
    else { return nil }
    // Nothing that stands for something else, no quote mark, and nothing that changes from line to line: a CPU comes first.
    var index = 0
    while index < first { if text[index] != 0x20 { return nil } else { index += 1 } }
    for byte in text[start..<mark] {
      guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "&") else { return nil }
    }
    index = text.skipBlanks(start)
    if hasTime, text[index] == UInt8(ascii: "|") { index = text.skipBlanks(index + 1) }
    let end = text.skipDigits(index)
    guard end > index, text[end] == UInt8(ascii: ")"), text[mark - 1] == 0x20,
      mark - 2 == end || text[mark - 2] == UInt8(ascii: "|")
    else { return nil }
    return ColumnFronts.Front(count: count, cpu: columns.cpu, pid: columns.pid, comm: columns.comm)
  }

  /// - Parameters:
  ///   - line: its first byte, before `limit`; its front is known.
  ///   - count: bytes of the front.
  ///   - limit: the end of the bytes that were read; `StrictCall.slack` more can be loaded.
  @inline(__always)
  func read(
    _ line: UnsafeRawPointer, _ count: Int, limit: UnsafeRawPointer, _ shapes: DurationShapes
  ) -> StrictColumnsLine? {
    var time: UInt64 = 0
    if hasTime {
      guard let read = Self.time(line) else { return nil }
      time = read
    }
    let mark = line + (start &+ count)
    guard let column = shapes.read(mark),
      let call = StrictCall(
        mark + column.width, limit: limit, hasDuration: column.point != DurationShapes.blank)
    else { return nil }
    return StrictColumnsLine(time: time, point: column.point, mark: mark, call: call)
  }

  /// The time at the start of a line, `%5lu.%06lu |  ` (kernel/trace/trace_functions_graph.c, `print_graph_abs_time`), which fills
  /// `timeWidth` bytes where the seconds have five digits or less, and goes on behind them where they have up to eight.
  ///
  /// - Returns: nanoseconds.
  @inline(__always)
  static func time(_ line: UnsafeRawPointer) -> UInt64? {
    let points = pinstat_equal16(line, UInt8(ascii: "."))
    guard points != 0 else { return nil }
    let point = points.trailingZeroBitCount
    guard point >= 5, point <= 8 else { return nil }
    let blanks = pinstat_equal16(line, 0x20)
    let first = (~blanks).trailingZeroBitCount
    let end = point &+ 7
    let all: UInt32 = 0xFFFF
    let digits = ((1 &<< UInt32(end)) &- (1 &<< UInt32(first))) & ~(1 &<< UInt32(point))
    let bar = (1 &<< UInt32(end &+ 1)) & all
    guard first < point, points == 1 &<< UInt32(point), pinstat_digits16(line) == digits,
      pinstat_equal16(line, UInt8(ascii: "|")) == bar,
      blanks == all & ~digits & ~bar & ~points
    else { return nil }
    let head = line.loadUnaligned(as: UInt64.self).littleEndian
    let seconds = head &<< UInt64(truncatingIfNeeded: 64 &- 8 &* point)
    let decimals = (line + (point &+ 1)).loadUnaligned(as: UInt64.self).littleEndian &<< 16
    return DurationShapes.eightDigits(seconds) &* 1_000_000_000 &+ DurationShapes.eightDigits(decimals)
      &* 1000
  }
}

/// A line without its front.
struct StrictColumnsLine {
  /// Nanoseconds; 0 where lines have none.
  var time: UInt64
  /// Of the duration, for `DurationShapes.value`.
  var point: Int
  var mark: UnsafeRawPointer
  var call: StrictCall
}

/// The fronts of such lines that were seen, and what they say: a look-up instead of reading them.
struct ColumnFronts {
  /// What the general parser has read.
  struct Front {
    var count: Int
    var cpu: Int32
    var pid: Int32
    /// In the line.
    var comm: Range<Int>
  }

  /// Up to 32 bytes, zeros behind.
  private typealias Words = SIMD4<UInt64>

  private struct Entry {
    var words: Words
    /// 0 is free.
    var count = 0
    var task: TaskCache.Task
  }

  /// Lines of which fronts are learned are shorter.
  static let longestLine = 400
  private static let size = 1 << 10
  private var entries: [Entry] = []
  /// Of fronts that were seen; the last one first.
  private var counts: [Int] = []

  /// What a front says, and how long it is.
  ///
  /// - Parameter front: 32 bytes of it can be loaded.
  @inline(__always)
  mutating func find(_ front: UnsafeRawPointer) -> (count: Int, task: TaskCache.Task)? {
    guard let count = counts.first else { return nil }
    if let task = find(front, count) { return (count, task) }
    return findOther(front)
  }

  /// Numbers of tasks may have one more digit.
  @inline(never)
  private mutating func findOther(_ front: UnsafeRawPointer) -> (count: Int, task: TaskCache.Task)? {
    for place in counts.indices.dropFirst() {
      if let task = find(front, counts[place]) {
        counts.swapAt(0, place)
        return (counts[0], task)
      }
    }
    return nil
  }

  @inline(__always)
  private func find(_ front: UnsafeRawPointer, _ count: Int) -> TaskCache.Task? {
    let (words, place) = Self.words(front, count)
    guard entries[place].count == count, entries[place].words == words else { return nil }
    return entries[place].task
  }

  mutating func remember(_ front: UnsafeRawPointer, _ count: Int, _ task: TaskCache.Task) {
    let (words, place) = Self.words(front, count)
    if entries.isEmpty { entries = Array(repeating: Entry(words: words, task: task), count: Self.size) }
    entries[place] = Entry(words: words, count: count, task: task)
    counts.removeAll { $0 == count }
    counts.insert(count, at: 0)
  }

  @inline(__always)
  private static func words(_ front: UnsafeRawPointer, _ count: Int) -> (Words, Int) {
    let bits = UInt64(truncatingIfNeeded: count &* 8)
    // Shifts by more than 64 give 0, those by less than 0 shift the other way.
    let masks = Words(
      ~(~0 << bits), ~(~0 << (Int64(bits) - 64 > 0 ? bits - 64 : 0)),
      ~(~0 << (Int64(bits) - 128 > 0 ? bits - 128 : 0)), ~(~0 << (Int64(bits) - 192 > 0 ? bits - 192 : 0)))
    let words = front.loadUnaligned(as: Words.self) & masks
    let mixed =
      words[0] &* 0x9e37_79b9_7f4a_7c15 &+ words[1] &* 0xbf58_476d_1ce4_e5b9 &+ words[2]
      &* 0x94d0_49bb_1331_11eb &+ words[3] &* 0xd6e8_feb8_6659_fd93
    return (words, Int(truncatingIfNeeded: mixed &>> 54))
  }
}
