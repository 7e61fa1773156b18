internal import CVector
internal import FunctionGraph

/// When a text that can be read at any place is looked through by ranges, and when line by line.
struct TextRanges {
  let size: UInt64
  private let jobs: Int
  let read: TextReader.PositionedRead
  /// Bytes in a range.
  var rangeSize = SievedRanges.rangeSize
  /// Whether the machine's wide vectors are used.
  var isWide = pinstat_has_avx2() != 0
  private(set) var queue: SievedRanges?
  /// The range whose items are being taken, and the next item.
  private var current: SievedRange?
  private var item = 0
  /// The next range: lines in front of it are read one by one.
  private var ahead: SievedRange?
  private var isOver = false
  /// How often a range was not read to its end.
  private var stops = 0
  private static let mostStops = 64

  init(size: UInt64, jobs: Int, read: @escaping TextReader.PositionedRead) {
    self.size = size
    self.jobs = jobs
    self.read = read
  }

  /// Some items of a range were taken, and not all.
  var isInside: Bool { current != nil }

  mutating func stop() {
    queue?.stop()
    queue = nil
    isOver = true
  }

  /// What stands at `position`, not beyond the start of the next range.
  func fill(_ block: UnsafeMutableRawBufferPointer, at position: UInt64) throws(TraceError) -> Int {
    guard let next = ahead?.first ?? queue?.start, position < next else { return try read(position, block) }
    let count = min(next - position, UInt64(block.count))
    return try read(position, UnsafeMutableRawBufferPointer(rebasing: block[..<Int(count)]))
  }

  /// Takes what ranges have left, from `position` on, where a line begins.
  ///
  /// - Returns: up to where the text is read now; nil where lines are to be read one by one.
  mutating func take(
    _ sieve: TextSieve, _ parser: inout TextParser, at position: UInt64, upTo batchSize: Int,
    into batch: inout [Event]
  ) -> UInt64? {
    if isOver { return nil }
    if queue == nil { begin(sieve, parser, at: position, isLineStart: true) }
    guard queue != nil else { return nil }
    if current == nil {
      if ahead == nil || position > ahead?.first ?? 0 { ahead = queue?.take(from: position) }
      // So much matters that little is saved: all functions at once are cheaper.
      if queue?.isCrowded ?? false {
        sieve.giveUp()
        return nil
      }
      guard let next = ahead else {
        stop()
        return nil
      }
      guard next.first == position else { return nil }
      current = next
      item = 0
    }
    guard let range = current else { return nil }
    switch parser.takeRange(range, from: item, sieve, upTo: batchSize, into: &batch) {
    case .full(let next):
      item = next
      return position
    case .read:
      current = nil
      ahead = nil
      return range.end
    case .stopped(let end):
      current = nil
      ahead = nil
      stops += 1
      if stops > Self.mostStops { stop() }
      return end
    }
  }

  /// Begins to look through what follows the lines that are delivered whole, on other threads while they are read.
  ///
  /// - Parameter position: how far the text is read.
  mutating func beginAhead(_ sieve: TextSieve, _ parser: TextParser, after position: UInt64) {
    guard queue == nil, !isOver, jobs > 1, let end = sieve.wholeEnd, end > position else { return }
    begin(sieve, parser, at: end, isLineStart: false)
  }

  /// Begins to look through ranges, where it is worth it.
  private mutating func begin(
    _ sieve: TextSieve, _ parser: TextParser, at position: UInt64, isLineStart: Bool
  ) {
    queue = ranges(
      parser.strict.layout, from: position, isLineStart: isLineStart, watches: parser.noticesTimeAway,
      isWanted: sieve.isWantedName)
  }

  /// The ranges from `position` on; nil where it is not worth it.
  ///
  /// - Parameters:
  ///   - isLineStart: whether a line begins there.
  ///   - watches: whether task switches and interrupts are not passed over.
  ///   - isWanted: nil where all functions are.
  func ranges(
    _ layout: StrictLane.Layout, from position: UInt64, isLineStart: Bool = true, watches: Bool,
    isWanted: (@Sendable (String) -> Bool)?
  ) -> SievedRanges? {
    guard size > position, size - position >= 2 * rangeSize else { return nil }
    if case .none = layout { return nil }
    let read = read
    let isWide = isWide
    return SievedRanges(
      from: position, isLineStart: isLineStart, to: size, rangeSize: rangeSize, jobs: jobs
    ) {
      RangeSieve(
        layout, number: $0, isWide: isWide, watches: watches, isWanted: isWanted, read: read)
    }
  }
}
