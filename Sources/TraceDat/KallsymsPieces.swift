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
    var pieces = KallsymsPieces()
    var left = size
    var wantsMore = true
    while left > 0, wantsMore {
      let room = UnsafeMutableRawBufferPointer(rebasing: pieces.room[..<Int(min(UInt64(pieceSize), left))])
      guard try fill(room) else { return false }
      left -= UInt64(room.count)
      let isWhole = pieces.take(room.count, isLast: left == 0) { lines, offset in
        wantsMore = body(lines, offset)
      }
      if !isWhole { return false }
    }
    return true
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

  /// A text in a file, cut in two where a line ends if more than one thread may look through it.
  ///
  /// - Returns: bytes of the text.
  static func halves(
    _ file: FileBytes, at offset: UInt64, size: UInt64, jobs: Int
  ) throws(TraceError) -> [Range<UInt64>] {
    guard jobs > 1 else { return [0..<size] }
    let middle = size / 2
    let bytes = RawBlock(capacity: Int(min(UInt64(longest), size - middle)))
    bytes.count = try file.read(at: offset + middle, into: bytes.memory)
    guard let feed = bytes.bytes.firstIndex(of: 0x0a) else { return [0..<size] }
    let end = middle + UInt64(feed) + 1
    return [0..<end, end..<size]
  }
}
