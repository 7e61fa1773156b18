internal import CVector
internal import FunctionGraph

extension SortedSymbols {
  /// What one thread looks through.
  final class Part: SymbolsPart {
    let anchors = GrowingTable<Anchor>(capacity: 1 << 10)
    /// Where it begins in the text.
    private let start: Int
    private let isWide: Bool
    /// Bytes, up to where an address falls.
    private(set) var size = 0
    private(set) var lowest: UInt64?
    private(set) var highest: UInt64 = 0
    /// No address falls.
    private(set) var isSorted = true

    /// Of text whose line feeds are looked for at once.
    private static let blockSize = 8 << 10

    /// - Parameters:
    ///   - start: where it begins in the text.
    ///   - isWide: whether the machine's wide vectors are used.
    init(from start: Int, isWide: Bool) {
      self.start = start
      self.isWide = isWide
    }

    func look(
      through file: FileBytes, at offset: UInt64, _ front: KallsymsPieces.Front
    ) throws(TraceError) -> Bool {
      try look { (take) throws(TraceError) in try KallsymsPieces.visit(front, of: file, at: offset, take) }
    }

    func look(
      through file: FileBytes, at offset: UInt64, _ range: Range<UInt64>
    ) throws(TraceError) -> Bool {
      try look { (take) throws(TraceError) in try KallsymsPieces.visit(range, of: file, at: offset, take) }
    }

    private func look(
      _ visit: ((_ lines: UnsafeRawBufferPointer, _ offset: Int) -> Bool) throws(TraceError) -> Bool
    ) throws(TraceError) -> Bool {
      let ends = GrowingTable<UInt32>(capacity: Self.blockSize + 4)
      let addresses = GrowingTable<UInt64>(capacity: Self.blockSize + 4)
      return try visit { lines, offset in
        isSorted = take(lines, at: offset, ends, addresses)
        return isSorted
      }
    }

    /// Takes up what follows on this part, if no address falls in it or between them.
    func append(_ next: Part) {
      guard isSorted, next.lowest ?? highest >= highest else { return }
      anchors.reserve(anchors.count + next.anchors.count)
      for number in 0..<next.anchors.count { anchors.append(next.anchors.base[number]) }
      size += next.size
      highest = max(highest, next.highest)
    }

    /// - Returns: false where an address falls.
    private func take(
      _ lines: UnsafeRawBufferPointer, at offset: Int, _ ends: GrowingTable<UInt32>,
      _ addresses: GrowingTable<UInt64>
    ) -> Bool {
      guard let base = lines.baseAddress else { return true }
      // No name begins with a control character.
      let heads = pinstat_heads(bytes: (1, 1, 1, 1), masks: (0xff, 0xff, 0xff, 0xff))
      let begin = self.start + offset
      var start = 0
      for scanned in Swift.stride(from: 0, to: lines.count, by: Self.blockSize) {
        let count = pinstat_line_ends(
          isWide ? 1 : 0, base + scanned, min(Self.blockSize, lines.count - scanned), ends.base)
        let first = start
        let anchorsBefore = anchors.count
        addresses.removeAll()
        func anchor(_ taken: Int, _ line: Int) {
          guard taken > 0 else { return }
          anchors.append(Anchor(address: addresses.base[addresses.count], line: UInt32(begin + line)))
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
              isWide ? 1 : 0, base, start, scanned, ends.base + line, min(SortedSymbols.stride, count - line),
              heads, addresses.base + addresses.count, &taken)
          }
          anchor(taken, start)
          line += some
          if some > 0 { start = scanned + Int(ends.base[line - 1]) + 1 }
          guard some < SortedSymbols.stride, line < count else { continue }
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
          self.lowest = self.lowest ?? lowest
        }
      }
      size = offset + lines.count
      return true
    }
  }
}
