internal import CVector
internal import FunctionGraph
internal import Glibc

/// Reads strict lines one behind the other, as long as they end in a function part that was seen before.
///
/// Where the parts of a line stand is foreseen and all of it compared with what is expected there, so that nothing but the line
/// feed is searched for. What is not as expected is left to the caller, who tells what such a line turned out to be.
final class LineScanner {

  /// Lines that are read at once.
  static let batch = 256
  /// Lines that begin so many bytes in front of the end of the bytes, or nearer, are left to the caller.
  static let reach = Int(PINSTAT_REACH)

  private let isWide: Int32
  private var tails: TailCache
  /// What `read` has found, by line.
  let lines: UnsafeMutablePointer<pinstat_line>
  /// By lane: lines as deep or less deep are not passed over;
  let thresholds: UnsafeMutablePointer<Int32>
  /// and the depth of the innermost open call behind the last line that was, in the kernel's text.
  let openings: UnsafeMutablePointer<Int32>
  static let mostLanes = Int(PINSTAT_LANES)
  /// A `pinstat_scanner`, and memory of which a part is that.
  private let scanner: UnsafeMutableRawPointer
  private let memory: UnsafeMutableRawPointer
  private let isReport: Bool

  /// - Parameters:
  ///   - isWide: whether the machine's wide vectors are used.
  ///   - watches: whether lines of task switches and interrupts are left to the caller, not passed over.
  init(_ layout: StrictLane.Layout, isWide: Bool, watches: Bool) {
    self.isWide = isWide ? 1 : 0
    lines = .allocate(capacity: Self.batch)
    memset(lines, 0, Self.batch * MemoryLayout<pinstat_line>.stride)
    // Zeros of the system: what is not used is not touched.
    let size = pinstat_scanner_size()
    guard let memory = calloc(1, size + 64 + Int(PINSTAT_REST)) else { fatalError("out of memory") }
    self.memory = memory
    scanner = memory.alignedUp(toMultipleOf: 64)
    thresholds = pinstat_thresholds(scanner)
    openings = pinstat_openings(scanner)
    let rest = (scanner + size).assumingMemoryBound(to: UInt8.self)
    tails = TailCache(scanner, rest, isWide: self.isWide)
    isReport = layout.isReport
    switch layout {
    case .graph(let graph):
      pinstat_prepare(scanner, rest, UInt32(graph.width), graph.fronts.expected)
    case .columns(let columns):
      let width = columns.hasTime ? PINSTAT_TIMED_COLUMNS : PINSTAT_COLUMNS
      pinstat_prepare(scanner, rest, UInt32(width), nil)
    case .report, .none:
      pinstat_prepare(scanner, rest, 0, nil)
    }
    // Where lines have no times these tell nothing.
    if watches, layout.hasTimes { pinstat_watch(scanner, Self.watched, UInt32(Self.watched.count)) }
  }

  /// What the names of these events begin with.
  private static let watched: [UInt64] = {
    let names =
      ["sched_switch"] + InterruptSource.all.flatMap { ["\($0.name)_entry:", "\($0.name)_exit:"] }
    let words = Set(
      names.map { name in
        name.utf8.prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      })
    precondition(words.count <= Int(PINSTAT_WATCHED))
    return words.sorted()
  }()

  deinit {
    lines.deallocate()
    free(memory)
  }

  /// Whether the line in front of the next one was a call's: lines of other events are passed over behind one.
  ///
  /// Behind a line that is neither one may be that line's rest, or what says whether it was a heading.
  func settle(_ isSettled: Bool) { pinstat_set_settled(scanner, isSettled ? 1 : 0) }

  /// Reads lines into `lines`.
  ///
  /// - Parameters:
  ///   - base: where the offsets count from.
  ///   - start: where the first line begins; gets where the first one begins that was not read.
  ///   - stop: lines that begin here or behind it are not read; `reach` bytes behind it can be loaded.
  ///   - run: what the lines come to is added.
  /// - Returns: how many were read, `batch` at most.
  func read(
    _ base: UnsafeRawPointer, _ start: inout Int, _ stop: Int, _ run: inout pinstat_run
  ) -> Int {
    guard start < stop else { return 0 }
    var count = 0
    let next = pinstat_read(isWide, scanner, base + start, base + stop, lines, Self.batch, &count, &run)
    if let next { start = base.distance(to: next) }
    return count
  }

  /// Passes over lines that are left out; parameters as for `read`.
  func skim(_ base: UnsafeRawPointer, _ start: inout Int, _ stop: Int, _ run: inout pinstat_run) {
    guard start < stop, let next = pinstat_skim(isWide, scanner, base + start, base + stop, &run) else {
      return
    }
    start = base.distance(to: next)
  }

  /// Remembers how a line goes on from its duration column, of one with values as far as that may come again: parameters as for
  /// `TailCache.remember`.
  ///
  /// - Parameter mark: where the column begins.
  func remember(
    _ mark: UnsafeRawPointer, tail: UnsafeRawPointer, _ count: Int, depth: Int, _ value: UInt32,
    isPassedOver: Bool, hasValues: Bool
  ) {
    // Other places are not looked at.
    let width =
      isReport
      ? PINSTAT_REPORT_COLUMN + Int32(pinstat_report_excess(pinstat_equal16(mark, UInt8(ascii: "."))))
      : PINSTAT_KERNEL_COLUMN
    guard mark.distance(to: tail) == Int(width) else { return }
    let stem = hasValues ? Self.stem(tail, count) : nil
    tails.remember(
      mark, tail, stem ?? count, depth: depth, value, isPassedOver: isPassedOver, isStem: stem != nil)
  }

  /// How long a tail's stem is, which `pinstat_find_values` looks for.
  private static func stem(_ tail: UnsafeRawPointer, _ count: Int) -> Int? {
    let bytes = UnsafeRawBufferPointer(start: tail, count: count)
    let end = bytes.indices.dropLast().first {
      bytes[$0] == UInt8(ascii: "=") || bytes[$0] == UInt8(ascii: "(") && bytes[$0 + 1] != UInt8(ascii: ")")
    }
    return end.map { $0 + 1 }
  }

  /// Remembers what a line with more columns than CPU and duration begins with.
  ///
  /// - Parameters:
  ///   - line: its start.
  ///   - count: of the front.
  ///   - lane: what `lines` shall say; below `mostLanes`.
  func remember(_ line: UnsafeRawPointer, _ layout: StrictColumnsLayout, _ count: Int, lane: Int32) {
    pinstat_remember_columns(scanner, line + layout.start, UInt32(count), lane, layout.hasTime ? line : nil)
  }

  /// Remembers what a report's line begins with, and where its time ends.
  ///
  /// - Parameters:
  ///   - count: of the front, up to and with the bracket.
  ///   - timeEnd: offset of the colon behind the time.
  ///   - lane: what `lines` shall say; below `mostLanes`. nil where no call of the task was seen.
  ///   - isWord: whether the task's name is one word.
  func remember(front: UnsafeRawPointer, _ count: Int, timeEnd: Int, lane: Int32?, isWord: Bool) {
    let width = timeEnd - count
    // ` %5lu.%06lu: `: eight digits of seconds at most, so that 16 bytes hold all that is behind the front.
    guard count >= Int(PINSTAT_FRONT_LEAST), count <= Int(PINSTAT_FRONT_MOST), width >= 13, width <= 16 else {
      return
    }
    var entry = pinstat_front()
    entry.count = UInt32(count) | (lane == nil ? PINSTAT_FRONT_OTHERS : 0)
    entry.lane = lane ?? 0
    entry.is_word = isWord ? 1 : 0
    withUnsafeMutableBytes(of: &entry.bytes) { bytes in
      bytes.copyMemory(from: UnsafeRawBufferPointer(start: front, count: 16))
      UnsafeMutableRawBufferPointer(rebasing: bytes[16...])
        .copyMemory(from: UnsafeRawBufferPointer(start: front + count - 16, count: 16))
    }
    var columns = pinstat_columns()
    columns.front = UInt32(count)
    columns.time_end = UInt32(timeEnd)
    let time = front + timeEnd - 16
    let shape = pinstat_shape16(time)
    withUnsafeMutableBytes(of: &columns.time) { $0.storeBytes(of: shape, as: pinstat_pair.self) }
    // The seconds end behind the first eight bytes, in front of the point.
    var place = 8
    while place > 0, (time + place).load(as: UInt8.self).isDigit { place -= 1 }
    columns.seconds = place < 7 ? ~0 << UInt64(8 * (place + 1)) : 0
    pinstat_remember_front(scanner, &entry, &columns)
  }
}
