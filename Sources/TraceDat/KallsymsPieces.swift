internal import FunctionGraph

/// A kallsyms that comes piece by piece, given on as whole lines: its 9 MB need not be in memory then, which would take
/// longer to get from the system than to look through.
struct KallsymsPieces {
  /// Bytes of a piece: it stays in the processor's cache between being made and being looked through.
  static let pieceSize = 64 << 10
  /// Bytes of the longest line; a symbol's name has 512 at most (include/linux/kallsyms.h, KSYM_NAME_LEN), a module's 56.
  private static let longest = 4 << 10

  /// In front is room for the beginning of a line that the piece before has.
  private let block: RawBlock
  private var begun = 0
  /// Of the whole lines that were given.
  private var offset = 0

  init(pieceSize: Int = KallsymsPieces.pieceSize) {
    block = RawBlock(capacity: Self.longest + pieceSize)
  }

  /// Where the next piece belongs.
  var room: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: block.memory[Self.longest...])
  }

  /// Takes the first `count` bytes of `room`, of the last ones too those behind the last newline.
  ///
  /// - Parameter body: called with whole lines, and where in the text they begin.
  /// - Returns: false where a line is too long to be one.
  mutating func take(
    _ count: Int, isLast: Bool, _ body: (_ lines: UnsafeRawBufferPointer, _ offset: Int) -> Void
  ) -> Bool {
    let bytes = UnsafeRawBufferPointer(rebasing: block.memory[Self.longest - begun..<Self.longest + count])
    var end = bytes.count
    if !isLast {
      // What was there before has no newline.
      while end > begun, bytes[end - 1] != 0x0a { end -= 1 }
      if end == begun { end = 0 }
    }
    if end > 0 { body(UnsafeRawBufferPointer(rebasing: bytes[..<end]), offset) }
    offset += end
    begun = bytes.count - end
    guard begun <= Self.longest else { return false }
    // What overlaps is copied too.
    UnsafeMutableRawBufferPointer(rebasing: block.memory[Self.longest - begun..<Self.longest])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[end...]))
    return true
  }

  /// Gives a text as whole lines.
  ///
  /// - Parameters:
  ///   - size: bytes of the text.
  ///   - fill: fills a buffer with the next bytes; false where there are fewer.
  ///   - body: called with whole lines, and where in the text they begin; false ends it.
  /// - Returns: false where there were fewer bytes, or a line is too long to be one.
  static func visit(
    size: UInt64, fill: (UnsafeMutableRawBufferPointer) throws(TraceError) -> Bool,
    _ body: (_ lines: UnsafeRawBufferPointer, _ offset: Int) -> Bool
  ) throws(TraceError) -> Bool {
    var left = size
    return try visit(
      pieces: {
        let count = min(UInt64(pieceSize), left)
        left -= count
        return (Int(count), left == 0)
      }, fill: fill, body)
  }

  /// The same of a part of a text that lies in a file at `offset`.
  ///
  /// - Parameter range: bytes of the text.
  static func visit(
    _ range: Range<UInt64>, of file: FileBytes, at offset: UInt64,
    _ body: (_ lines: UnsafeRawBufferPointer, _ offset: Int) -> Bool
  ) throws(TraceError) -> Bool {
    var done = range.lowerBound
    return try visit(size: UInt64(range.count)) { (room) throws(TraceError) in
      let count = try file.read(at: offset + done, into: room)
      done += UInt64(count)
      return count == room.count
    } _: { lines, place in
      body(lines, place)
    }
  }

  /// The same of the front of a text in a file, which may become shorter meanwhile.
  ///
  /// - Parameter front: called for each piece.
  static func visit(
    _ front: Front, of file: FileBytes, at offset: UInt64,
    _ body: (_ lines: UnsafeRawBufferPointer, _ offset: Int) -> Bool
  ) throws(TraceError) -> Bool {
    var done: UInt64 = 0
    return try visit(pieces: front.next) { (room) throws(TraceError) in
      let count = try file.read(at: offset + done, into: room)
      done += UInt64(count)
      return count == room.count
    } _: { lines, place in
      body(lines, place)
    }
  }

  /// - Parameter next: how many bytes come next, `pieceSize` at most and 0 behind the last, and whether they are the last.
  private static func visit(
    pieces next: () -> (count: Int, isLast: Bool),
    fill: (UnsafeMutableRawBufferPointer) throws(TraceError) -> Bool,
    _ body: (_ lines: UnsafeRawBufferPointer, _ offset: Int) -> Bool
  ) throws(TraceError) -> Bool {
    var pieces = KallsymsPieces()
    var wantsMore = true
    while wantsMore {
      let (count, isLast) = next()
      if count == 0 { break }
      let room = UnsafeMutableRawBufferPointer(rebasing: pieces.room[..<count])
      guard try fill(room) else { return false }
      let isWhole = pieces.take(count, isLast: isLast) { lines, offset in
        wantsMore = body(lines, offset)
      }
      if !isWhole { return false }
    }
    return true
  }

  /// What one thread goes through of a text piece by piece until another one takes half of what is left.
  final class Front: Sendable {
    private let span: Guarded<Range<UInt64>>

    /// - Parameter size: bytes of the text.
    init(size: UInt64) {
      span = Guarded(0..<size)
    }

    func next() -> (count: Int, isLast: Bool) {
      span.withLock { left in
        let piece = left.prefix(pieceSize)
        left = piece.endIndex..<left.upperBound
        return (piece.count, left.isEmpty)
      }
    }

    /// Takes the second half of what is left, from where a line begins.
    ///
    /// - Returns: bytes of the text; nil where so little is left that it is not worth it.
    func takeHalf(of file: FileBytes, at offset: UInt64) throws(TraceError) -> Range<UInt64>? {
      let left = span.withLock { $0 }
      guard left.count >= 4 * pieceSize else { return nil }
      let middle = left.lowerBound + UInt64(left.count) / 2
      guard let start = try lineStart(file, at: offset, behind: middle, size: left.upperBound) else {
        return nil
      }
      return span.withLock { left in
        guard left.contains(start) else { return nil }
        defer { left = left.lowerBound..<start }
        return start..<left.upperBound
      }
    }
  }

  /// Where in a text the first line begins behind `place`; nil where none is near.
  private static func lineStart(
    _ file: FileBytes, at offset: UInt64, behind place: UInt64, size: UInt64
  ) throws(TraceError) -> UInt64? {
    let bytes = RawBlock(capacity: Int(min(UInt64(longest), size - place)))
    bytes.count = try file.read(at: offset + place, into: bytes.memory)
    return bytes.bytes.firstIndex(of: 0x0a).map { place + UInt64($0) + 1 }
  }
}
