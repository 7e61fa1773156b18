public import FunctionGraph
internal import Glibc

/// Text to events: tracefs `trace` and `trace_pipe`, `perf ftrace`, `trace-cmd report`, and lines of either that
/// someone pasted, quoted, wrapped or cut.
///
/// The dialect is told line by line, for mails mix them. Memory is constant: one buffer for the current block and the
/// beginning of a line that goes on in the next block, one event batch, and the tables of names.
///
/// Not a call and not an event: interrupt arrows, comments of other trace events, overrun notes, elisions, tables and
/// prose. A line that has the tracer's columns and cannot be read becomes a diagnostic.
public struct TextReader: EventReader, ~Copyable {
  /// Bytes that one call of the `read` closure may fill.
  public static let blockSize = 256 << 10
  /// Longer lines are skipped with a diagnostic.
  public static let longestLine = 1 << 20
  /// A batch is handed out when it has this many events.
  static let batchSize = 4096

  /// Fills a buffer with what stands at a place of the text; how many bytes it wrote, 0 at the end. Called on several
  /// threads at once.
  public typealias PositionedRead =
    @Sendable (UInt64, UnsafeMutableRawBufferPointer) throws(TraceError) -> Int

  private let read: (UnsafeMutableRawBufferPointer) throws(TraceError) -> Int
  /// Where the text can be read at any place: what `read` is not called for then.
  private var ranges: TextRanges?
  /// The beginning of an unfinished line, then a block. Pages that are never touched take no memory.
  private let buffer: UnsafeMutableRawBufferPointer
  /// The bytes `start ..< end` of the buffer are not yet parsed.
  private var start = 0
  private var end = 0
  /// Up to here the unfinished line is known to have no line end.
  private var scanned = 0
  private var atEnd = false
  /// Inside a line that is too long, up to its end.
  private var skipsLine = false
  private var parser = TextParser()

  public private(set) var bytesRead: UInt64 = 0

  /// - Parameter read: fills a block from its front and returns how many bytes it wrote, 0 at the end.
  public init(read: @escaping (UnsafeMutableRawBufferPointer) throws(TraceError) -> Int) {
    self.read = read
    let capacity = Self.longestLine + Self.blockSize
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: capacity + StrictCall.slack, alignment: 64)
    // Loads of the strict lane may reach into the slack behind the bytes that were read.
    memset(memory.baseAddress! + capacity, 0, StrictCall.slack)
    buffer = UnsafeMutableRawBufferPointer(rebasing: memory[..<capacity])
  }

  /// A text that can be read at any place, so that several threads can look for lines.
  ///
  /// - Parameters:
  ///   - size: bytes, as far as is known: it may shrink or grow meanwhile.
  ///   - jobs: how many threads may read.
  ///   - read: gives the bytes from a place on.
  public init(size: UInt64, jobs: Int, read: @escaping PositionedRead) {
    self.init { (buffer) throws(TraceError) in 0 }
    ranges = TextRanges(size: size, jobs: jobs, read: read)
  }

  /// The same with ranges of another size.
  @_spi(Testing)
  public init(
    size: UInt64, jobs: Int, rangeSize: UInt64, isNarrow: Bool = false, read: @escaping PositionedRead
  ) {
    self.init(size: size, jobs: jobs, read: read)
    ranges?.rangeSize = max(1, rangeSize)
    if isNarrow { ranges?.isWide = false }
  }

  deinit {
    ranges?.queue?.stop()
    buffer.deallocate()
  }

  public var functions: FunctionTable { parser.functions }
  public var comms: StringTable { parser.comms }
  public var description: TraceDescription { parser.description }
  public var diagnostics: Diagnostics { parser.diagnostics }

  /// Delivers the calls of some functions only, and of the others what these need to be paired. To be called before the
  /// first `next`. At the end `leftOut` says whether it went well; where not, the text has to be read again.
  ///
  /// - Parameters:
  ///   - orSumUp: whether `tally` is called where it does not. A long text of which lines cannot be left out soon is
  ///     given up then, as that is several times as fast.
  ///   - isWanted: of a symbol.
  public mutating func selectFunctions(
    orSumUp: Bool = false, _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool
  ) {
    select(after: TextSieve.wholeBytes, orSumUp: orSumUp, isWanted)
  }

  private mutating func select(
    after bytes: UInt64, orSumUp: Bool, _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool
  ) {
    // Delivering every line takes five times as long as summing up (1 s and 0.2 s for 200 MB): a start that was delivered in
    // vain is soon made up for.
    let isLong = ranges.map { $0.size >= 8 * bytes } ?? false
    parser.sieve = TextSieve(
      wholeBytes: bytes, mostWhole: orSumUp && isLong ? 3 * bytes : .max, isWanted: isWanted)
  }

  /// The same, leaving out lines after so many bytes already.
  @_spi(Testing)
  public mutating func selectFunctions(
    after bytes: UInt64, orSumUp: Bool = false, _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool
  ) {
    select(after: bytes, orSumUp: orSumUp, isWanted)
  }

  /// Functions whose names are kept however many there are in front of them.
  public mutating func keepNames(_ isNeeded: @escaping @Sendable (_ symbol: String) -> Bool) {
    parser.isNeeded = isNeeded
  }

  /// Delivers task switches and interrupts that other trace events in the text tell of, where they have times. To be called
  /// before everything else. Where there are such lines, `selectFunctions` and `tally` give up.
  public mutating func noticeTimeAway() {
    parser.noticesTimeAway = true
  }

  /// What was seen of all functions, delivered or not; nil where all were delivered.
  public var leftOut: (exits: UInt64, deepest: Int32, isComplete: Bool)? {
    parser.sieve.map { ($0.exits, $0.deepest, !$0.needsAll) }
  }

  /// For tests that hold the lane for strict lines against the general one: every line takes the latter.
  @_spi(Testing)
  public mutating func readAllTheGeneralWay() {
    parser.strict.isOn = false
  }

  /// Reads the whole text and sums its calls up, without making events or calls of its lines. To be called instead of `next`, where the
  /// text can be read at any place.
  ///
  /// - Parameters:
  ///   - withPaths: fills `TraceTally.paths` and `sums`.
  ///   - isWanted: which functions' durations and callees are wanted, by symbol.
  ///   - makeSink: a sink for the lane of this number; there is one lane.
  /// - Returns: nil where the text has to be read event by event, from its beginning.
  public mutating func tally(
    withPaths: Bool = true, _ isWanted: @escaping @Sendable (_ symbol: String) -> Bool,
    makeSink: (_ lane: Int) -> any DurationSink
  ) throws(TraceError) -> TraceTally? {
    guard let ranges, parser.sieve == nil else { return nil }
    var batch: [Event] = []
    guard try next(&batch), !skipsLine, parser.acceptsStrictLines, !parser.trace.buffers.isEmpty else {
      return nil
    }
    let position = bytesRead - UInt64(end - start)
    let layout = parser.strict.layout
    guard
      let queue = ranges.ranges(
        layout, from: position, watches: parser.noticesTimeAway, isWanted: nil)
    else { return nil }
    defer { queue.stop() }
    let tally = TextTally(layout, withPaths: withPaths, isWanted: isWanted, sink: makeSink(0))
    tally.take(batch, parser)
    var read = position
    while !tally.needsEvents, let range = queue.take(from: read) {
      // One that could not be read was left out.
      guard range.first == read else { return nil }
      tally.take(range, &parser)
      read = range.end
    }
    bytesRead = read
    start = 0
    end = 0
    scanned = 0
    while !tally.needsEvents, try next(&batch) { tally.take(batch, parser) }
    return tally.finish()
  }

  public mutating func next(_ batch: inout [Event]) throws(TraceError) -> Bool {
    batch.removeAll(keepingCapacity: true)
    while batch.count < Self.batchSize {
      if let sieve = parser.sieve {
        sieve.endWhole(after: bytesRead, parser.nesting)
        if sieve.needsAll {
          batch.removeAll(keepingCapacity: true)
          return false
        }
        if takeRanges(sieve, &batch) { continue }
      }
      if !parseLines(&batch) {
        if atEnd {
          finish(&batch)
          return !batch.isEmpty
        }
        try fill()
        if !batch.isEmpty { return true }
      }
    }
    return true
  }

  /// Parses whole lines until there is no more or the batch is full; false where more bytes are needed.
  private mutating func parseLines(_ batch: inout [Event]) -> Bool {
    guard let base = buffer.baseAddress else { return false }
    while batch.count < Self.batchSize {
      if parser.acceptsStrictLines, !skipsLine, scanned == start {
        let read = parser.parseStrictLines(
          UnsafeRawBufferPointer(start: base + start, count: end - start), upTo: Self.batchSize, into: &batch)
        if read > 0 {
          start += read
          scanned = start
          continue
        }
      }
      guard scanned < end, let hit = memchr(base + scanned, 0x0A, end - scanned) else {
        scanned = end
        return false
      }
      let lineEnd = (base + 0).distance(to: hit)
      if skipsLine {
        skipsLine = false
        parser.skipLine()
      } else {
        parse(UnsafeRawBufferPointer(start: base + start, count: lineEnd - start), &batch)
      }
      start = lineEnd + 1
      scanned = start
    }
    return true
  }

  /// Moves the unfinished line to the front and reads one block behind it.
  private mutating func fill() throws(TraceError) {
    guard let base = buffer.baseAddress else { return }
    let rest = end - start
    if rest > Self.longestLine || skipsLine {
      if !skipsLine { parser.recordOverlongLine() }
      skipsLine = true
      end = 0
    } else {
      if rest > 0 && start > 0 { memmove(base, base + start, rest) }
      end = rest
    }
    start = 0
    scanned = end
    let room = min(Self.blockSize, buffer.count - end)
    let block = UnsafeMutableRawBufferPointer(start: base + end, count: room)
    let count: Int
    if let ranges { count = try ranges.fill(block, at: bytesRead) } else { count = try read(block) }
    let taken = max(0, min(count, room))
    if taken == 0 { atEnd = true }
    end += taken
    bytesRead += UInt64(taken)
  }

  /// Goes on with what ranges have left of the text; false where the next lines are to be read one by one.
  private mutating func takeRanges(_ sieve: TextSieve, _ batch: inout [Event]) -> Bool {
    if sieve.isWhole { ranges?.beginAhead(sieve, parser, after: bytesRead) }
    guard let isInside = ranges?.isInside, !sieve.isWhole else { return false }
    guard isInside || !skipsLine && parser.acceptsStrictLines else { return false }
    let position = bytesRead - UInt64(end - start)
    guard let next = ranges?.take(sieve, &parser, at: position, upTo: Self.batchSize, into: &batch) else {
      return false
    }
    bytesRead = next
    start = 0
    end = 0
    scanned = 0
    return true
  }

  /// The last line, which may have no line end, and what was still waiting for more.
  private mutating func finish(_ batch: inout [Event]) {
    if start < end, !skipsLine, let base = buffer.baseAddress {
      parse(UnsafeRawBufferPointer(start: base + start, count: end - start), &batch)
    }
    start = end
    if let sieve = parser.sieve {
      parser.sift(sieve, into: &batch) { $0.finish(into: &$1) }
    } else {
      parser.finish(into: &batch)
    }
  }

  private mutating func parse(_ line: UnsafeRawBufferPointer, _ batch: inout [Event]) {
    if let sieve = parser.sieve {
      parser.sift(sieve, into: &batch) { $0.parse(line, into: &$1) }
    } else {
      parser.parse(line, into: &batch)
    }
  }

  /// Whether the first bytes of an input show a function-graph trace in text.
  ///
  /// True where a line of them is a call, a note of lost events, or the header that the tracer or trace-cmd writes.
  /// A false proves nothing: in a mail the trace may stand far below. The prefix may end in the middle of a line.
  public static func looksLikeTrace(_ prefix: UnsafeRawBufferPointer) -> Bool {
    guard let base = prefix.baseAddress else { return false }
    var parser = TextParser()
    var events: [Event] = []
    var start = 0
    while start < prefix.count {
      let hit = memchr(base + start, 0x0A, prefix.count - start)
      let end = hit.map { base.distance(to: UnsafeRawPointer($0)) } ?? prefix.count
      parser.parse(UnsafeRawBufferPointer(start: base + start, count: end - start), into: &events)
      if events.contains(where: { $0.kind != .heading }) || parser.sawHeader { return true }
      events.removeAll(keepingCapacity: true)
      start = end + 1
    }
    return false
  }
}
