internal import CVector
internal import FunctionGraph
internal import Synchronization

/// The beginning of a kallsyms in a file, as far as its addresses never fall: a kernel's own symbols. Their text is not
/// kept, but read again for a name: of 200,000 symbols a trace has a few hundred.
///
/// Read by several threads at once.
final class SortedSymbols: @unchecked Sendable {
  private struct Anchor: BitwiseCopyable {
    /// Of the first symbol behind it.
    var address: UInt64
    /// Where a line begins.
    var line: UInt32
  }

  /// Lines from one anchor to the next: so many are read for a name.
  private static let stride = 16
  /// Of text whose line feeds are looked for at once.
  private static let blockSize = 8 << 10

  private let file: FileBytes
  private let offset: UInt64
  private let anchors = GrowingTable<Anchor>(capacity: 1 << 10)
  /// Bytes of the text that belong here; those behind it are for others to index.
  private(set) var size = 0
  /// The highest address.
  private(set) var highest: UInt64 = 0
  /// What was read once could not be read again.
  private let isBroken = Atomic<Bool>(false)

  /// Nil where the text is not there, or is none; `readSymbols` says what is wrong then.
  ///
  /// - Parameters:
  ///   - offset: of the text in the file.
  ///   - size: its bytes.
  ///   - isWide: whether the machine's wide vectors are used.
  init?(
    _ file: FileBytes, at offset: UInt64, size: UInt64, isWide: Bool
  ) throws(TraceError) {
    self.file = file
    self.offset = offset
    guard size <= UInt64(UInt32.max), file.available(at: offset, count: size) == size else { return nil }
    var done: UInt64 = 0
    let ends = GrowingTable<UInt32>(capacity: Self.blockSize + 4)
    let addresses = GrowingTable<UInt64>(capacity: Self.blockSize + 4)
    let isWhole = try KallsymsPieces.visit(size: size) { (room) throws(TraceError) in
      let count = try file.read(at: offset + done, into: room)
      done += UInt64(count)
      return count == room.count
    } _: { lines, offset in
      take(lines, at: offset, isWide, ends, addresses)
    }
    if !isWhole { return nil }
  }

  /// - Returns: false where an address falls.
  private func take(
    _ lines: UnsafeRawBufferPointer, at offset: Int, _ isWide: Bool, _ ends: GrowingTable<UInt32>,
    _ addresses: GrowingTable<UInt64>
  ) -> Bool {
    guard let base = lines.baseAddress else { return true }
    // No name begins with a control character.
    let heads = pinstat_heads(bytes: (1, 1, 1, 1), masks: (0xff, 0xff, 0xff, 0xff))
    var start = 0
    for scanned in Swift.stride(from: 0, to: lines.count, by: Self.blockSize) {
      let count = pinstat_line_ends(
        isWide ? 1 : 0, base + scanned, min(Self.blockSize, lines.count - scanned), ends.base)
      let first = start
      let anchorsBefore = anchors.count
      addresses.removeAll()
      func anchor(_ taken: Int, _ line: Int) {
        guard taken > 0 else { return }
        anchors.append(Anchor(address: addresses.base[addresses.count], line: UInt32(offset + line)))
        addresses.setCount(addresses.count + taken)
      }
      func takeLine(_ line: Range<Int>) {
        KallsymsText.visit(lines, line) { address, line, _ in
          addresses.base[addresses.count] = address
          anchor(1, line.lowerBound)
        }
      }
      var line = 0
      while line < count {
        var taken = 0
        let some = withUnsafePointer(to: heads) { heads in
          pinstat_symbol_lines(
            isWide ? 1 : 0, base, start, scanned, ends.base + line, min(Self.stride, count - line), heads,
            addresses.base + addresses.count, &taken)
        }
        anchor(taken, start)
        line += some
        if some > 0 { start = scanned + Int(ends.base[line - 1]) + 1 }
        guard some < Self.stride, line < count else { continue }
        let end = scanned + Int(ends.base[line])
        takeLine(start..<end)
        start = end + 1
        line += 1
      }
      if scanned + Self.blockSize >= lines.count { takeLine(min(start, lines.count)..<lines.count) }
      let found = UnsafeBufferPointer(start: addresses.base, count: addresses.count)
      if let lowest = found.first {
        var falls = lowest < highest
        for index in 1..<found.count { falls = falls || found[index] < found[index - 1] }
        if falls {
          anchors.setCount(anchorsBefore)
          size = offset + first
          return false
        }
        highest = found[found.count - 1]
      }
    }
    size = offset + lines.count
    return true
  }

  /// The last symbol at or below `address`, of several at one address the first in the text; nil where there is none.
  ///
  /// - Parameter body: called with its address and its line.
  func withSymbol<Result>(
    at address: UInt64, _ body: (_ start: UInt64, _ line: UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    let next = anchors.partition { $0.address > address }
    guard next > 0 else { return nil }
    guard let start = withLines(next - 1, { last(in: $0, upTo: address)?.address }) ?? nil else {
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
