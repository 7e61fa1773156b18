internal import FunctionGraph

/// A piece of a kallsyms, with a margin in front for the beginning of its first line, which the piece before has.
final class SymbolPiece {
  /// Bytes; a symbol's name has 512 at most (include/linux/kallsyms.h, KSYM_NAME_LEN), a module's 56.
  static let margin = 4 << 10

  private let block: RawBlock
  /// Bytes of `room` that are filled.
  var count = 0

  init(size: Int) {
    block = RawBlock(capacity: Self.margin + size)
  }

  var room: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: block.memory[Self.margin...])
  }

  /// Puts at most as many bytes as there is margin in front.
  ///
  /// - Returns: these and its own; valid as long as the piece is.
  func join(_ front: [UInt8]) -> UnsafeRawBufferPointer {
    let start = Self.margin - front.count
    UnsafeMutableRawBufferPointer(rebasing: block.memory[start...]).copyBytes(from: front)
    return UnsafeRawBufferPointer(rebasing: block.memory[start..<Self.margin + count])
  }
}

extension SymbolSearch {
  /// Bytes of a piece: it stays in the processor's cache between being made and being looked through.
  private static let pieceSize = 64 << 10

  /// Looks through a text that comes piece by piece.
  ///
  /// - Parameters:
  ///   - size: bytes of the text.
  ///   - fill: fills a buffer with the next bytes; false where there are fewer.
  /// - Returns: what `found` does; nil, too, of a text that is not so long.
  static func search(
    _ prefixes: [String], size: UInt64, fill: (UnsafeMutableRawBufferPointer) throws(TraceError) -> Bool
  ) throws(TraceError) -> SymbolIndex? {
    let piece = SymbolPiece(size: pieceSize)
    var search = SymbolSearch(prefixes)
    var left = size
    while left > 0 {
      piece.count = Int(min(UInt64(pieceSize), left))
      left -= UInt64(piece.count)
      guard try fill(UnsafeMutableRawBufferPointer(rebasing: piece.room[..<piece.count])) else { return nil }
      search.take(piece, isLast: left == 0)
    }
    return search.found()
  }
}
