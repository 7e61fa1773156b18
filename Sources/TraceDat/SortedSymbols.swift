internal import CVector
internal import FunctionGraph
internal import Synchronization

/// The beginning of a kallsyms in a file, as far as its addresses never fall: a kernel's own symbols. Their text is not
/// kept, but read again for a name: of 200,000 symbols a trace has a few hundred.
///
/// Read by several threads at once.
final class SortedSymbols: @unchecked Sendable {
  struct Anchor: BitwiseCopyable {
    /// Of the first symbol behind it.
    var address: UInt64
    /// Where a line begins.
    var line: UInt32
  }

  /// Lines from one anchor to the next: so many are read for a name.
  static let stride = 16

  private let file: FileBytes
  private let offset: UInt64
  private let anchors: GrowingTable<Anchor>
  /// Bytes of the text that belong here; those behind it are for others to index.
  let size: Int
  /// The highest address.
  let highest: UInt64
  /// What was read once could not be read again.
  private let isBroken = Atomic<Bool>(false)

  /// - Parameters:
  ///   - part: from the beginning of a text.
  ///   - offset: of the text in the file.
  init(_ part: Part, in file: FileBytes, at offset: UInt64) {
    self.file = file
    self.offset = offset
    anchors = part.anchors
    size = part.size
    highest = part.highest
  }

  /// The last symbol at or below `address`, of several at one address the first in the text; nil where there is none.
  ///
  /// - Parameter body: called with its address and its line.
  func withSymbol<Result>(
    at address: UInt64, _ body: (_ start: UInt64, _ line: UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    let next = anchors.partition { $0.address > address }
    guard next > 0 else { return nil }
    var found: UInt64?
    let result = withLines(next - 1) { lines -> Result? in
      found = last(in: lines, upTo: address)?.address
      // Mostly it is not the first behind the anchor, and others with its address stand here too then.
      guard let start = found, start > anchors.base[next - 1].address else { return nil }
      return first(in: lines, at: start).map { body(start, UnsafeRawBufferPointer(rebasing: lines[$0])) }
    }
    if let result = result ?? nil { return result }
    guard let start = found else {
      broke()
      return nil
    }
    // The first one with this address may stand in front of the anchors that have it.
    for number in max(0, anchors.partition { $0.address >= start } - 1)..<next {
      let found = withLines(number) { lines -> Result? in
        first(in: lines, at: start).map { body(start, UnsafeRawBufferPointer(rebasing: lines[$0])) }
      }
      if let found, let result = found { return result }
    }
    broke()
    return nil
  }

  private func broke() { isBroken.store(true, ordering: .relaxed) }

  /// - Throws: `corrupt` where the file has changed since its symbols were looked through.
  func check() throws(TraceError) {
    guard isBroken.load(ordering: .relaxed) else { return }
    throw TraceError(.corrupt, at: .byte(offset), "the file has changed while it was read")
  }

  /// The lines from an anchor to the next; nil where they cannot be read.
  private func withLines<Result>(_ number: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
    let start = Int(anchors.base[number].line)
    let end = number + 1 < anchors.count ? Int(anchors.base[number + 1].line) : size
    return withUnsafeTemporaryAllocation(byteCount: end - start, alignment: 16) { buffer in
      guard (try? file.read(at: offset + UInt64(start), into: buffer)) == buffer.count else { return nil }
      return body(UnsafeRawBufferPointer(buffer))
    }
  }

  private func last(
    in lines: UnsafeRawBufferPointer, upTo address: UInt64
  ) -> (address: UInt64, line: Range<Int>)? {
    var found: (address: UInt64, line: Range<Int>)?
    KallsymsText.visit(lines, 0..<lines.count) { start, line, _ in
      if start <= address { found = (start, line) }
    }
    return found
  }

  private func first(in lines: UnsafeRawBufferPointer, at address: UInt64) -> Range<Int>? {
    var found: Range<Int>?
    KallsymsText.visit(lines, 0..<lines.count) { start, line, _ in
      if found == nil, start == address { found = line }
    }
    return found
  }
}
