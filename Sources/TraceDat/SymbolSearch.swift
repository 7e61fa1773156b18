internal import CVector
internal import FunctionGraph
internal import Glibc

/// Looks for symbols by the beginnings of their names in a kallsyms that comes in pieces: what is kept is an index of the
/// symbols found and of those that follow each of them, which says where their functions end.
struct SymbolSearch: SymbolsPart {
  /// More are better looked up in an index of all symbols.
  static let mostPrefixes = 4
  /// Where more are found, too.
  private static let mostHits = 64
  /// Of text whose symbols are passed at once.
  private static let blockSize = 8 << 10

  private let prefixes: [[UInt8]]
  /// The first bytes of each.
  private let heads: pinstat_heads
  private let isWide: Bool
  /// Of the symbols that are not passed, in the order of the text.
  ///
  /// While addresses do not fall, as they do not in a kernel's own symbols, those of a block are passed at its end. From the block
  /// on in which one falls, among the modules', all are kept.
  private var addresses = GrowingTable<UInt64>(capacity: 1 << 10)
  private var isSorted = true
  /// Of the first symbol.
  private var first: UInt64?
  /// The highest address that is passed.
  private var passed: UInt64?
  private var hits: [Hit] = []

  private struct Hit {
    let line: [UInt8]
    /// In `addresses`; nil when it is passed.
    var index: Int?
    // The rest is known when it is passed.
    var address: UInt64 = 0
    /// No symbol in front of it has its address.
    var isFirst = true
    /// The lowest address above its own among those behind it that are passed.
    var next = UInt64.max
  }

  /// Whether symbols that begin with these can be searched for: some, each of them something. Functions without a symbol begin
  /// with `0`.
  static func takes(_ prefixes: [String]) -> Bool {
    !prefixes.isEmpty && prefixes.count <= mostPrefixes
      && prefixes.allSatisfy { !$0.isEmpty && !$0.hasPrefix("0") }
  }

  /// - Parameters:
  ///   - prefixes: as `takes` takes them.
  ///   - isWide: whether the machine's wide vectors are used.
  init(_ prefixes: [String], isWide: Bool = pinstat_has_avx2() != 0) {
    self.isWide = isWide
    let texts = prefixes.map { Array($0.utf8) }
    // Those that are not used are the first one again.
    let heads = (0..<Self.mostPrefixes).map { number in
      var head: (bytes: UInt64, mask: UInt64) = (0, 0)
      for (index, byte) in texts[number % texts.count].prefix(8).enumerated() {
        head.bytes |= UInt64(byte) << UInt64(8 * index)
        head.mask |= 0xff << UInt64(8 * index)
      }
      return head
    }
    self.prefixes = texts
    self.heads = pinstat_heads(
      bytes: (heads[0].bytes, heads[1].bytes, heads[2].bytes, heads[3].bytes),
      masks: (heads[0].mask, heads[1].mask, heads[2].mask, heads[3].mask))
  }

  /// Looks through a text that comes piece by piece.
  ///
  /// - Parameters:
  ///   - size: bytes of the text.
  ///   - fill: fills a buffer with the next bytes; false where there are fewer.
  /// - Returns: what `found` does; nil, too, of a text that is not so long, or has no lines.
  static func search(
    _ prefixes: [String], size: UInt64, fill: (UnsafeMutableRawBufferPointer) throws(TraceError) -> Bool
  ) throws(TraceError) -> SymbolIndex? {
    var search = SymbolSearch(prefixes)
    let isWhole = try KallsymsPieces.visit(size: size, fill: fill) { lines, _ in
      search.look(through: lines)
      return true
    }
    return isWhole ? search.found() : nil
  }

  /// Looks through a part of a text in a file.
  ///
  /// - Parameters:
  ///   - offset: where the text begins in the file.
  ///   - range: bytes of the text.
  /// - Returns: false where it is not so long, or has no lines.
  mutating func look(
    through file: FileBytes, at offset: UInt64, _ range: Range<UInt64>
  ) throws(TraceError) -> Bool {
    try KallsymsPieces.visit(range, of: file, at: offset) { lines, _ in
      look(through: lines)
      return true
    }
  }

  mutating func look(
    through file: FileBytes, at offset: UInt64, _ front: KallsymsPieces.Front
  ) throws(TraceError) -> Bool {
    try KallsymsPieces.visit(front, of: file, at: offset) { lines, _ in
      look(through: lines)
      return true
    }
  }

  /// Takes up what was found in the text behind its own.
  ///
  /// - Returns: false where that has to be looked through again, as addresses fall or stay the same between the two.
  mutating func append(_ next: SymbolSearch) -> Bool {
    guard let nextFirst = next.first else { return true }
    guard isSorted, let last = passed, nextFirst > last else { return false }
    if next.passed != nil {
      for number in hits.indices where hits[number].next == .max { hits[number].next = nextFirst }
    }
    hits += next.hits
    addresses = next.addresses
    isSorted = next.isSorted
    passed = next.passed ?? last
    return true
  }

  /// Goes on with the text.
  ///
  /// - Parameter bytes: whole lines.
  mutating func look(through bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var start = 0
    while start < bytes.count {
      let stop = min(start + Self.blockSize, bytes.count)
      while start < stop {
        addresses.reserve(addresses.count + (stop - start) / Int(PINSTAT_SYMBOL_LINE) + 2)
        var taken = 0
        start = withUnsafePointer(to: heads) { heads in
          pinstat_find_symbols(
            isWide ? 1 : 0, base, start, stop, bytes.count, heads, prefixes.count == 1 ? 1 : 0,
            addresses.base + addresses.count, &taken)
        }
        addresses.setCount(addresses.count + taken)
        guard start < stop else { break }
        let end =
          memchr(base + start, 0x0a, bytes.count - start).map { base.distance(to: UnsafeRawPointer($0)) }
          ?? bytes.count
        takeLine(bytes, start..<end)
        start = end + 1
      }
      pass()
    }
  }

  /// Lets go of the addresses that are there, if they go on from those that were passed before.
  private mutating func pass() {
    let new = UnsafeBufferPointer(start: addresses.base, count: addresses.count)
    guard isSorted, let first = new.first else { return }
    self.first = self.first ?? first
    if first < passed ?? 0 || pinstat_falls(isWide ? 1 : 0, new.baseAddress, new.count) != 0 {
      isSorted = false
      return
    }
    for number in hits.indices {
      let index = hits[number].index
      if let index {
        hits[number].address = new[index]
        hits[number].isFirst = new[index] != (index > 0 ? new[index - 1] : passed)
        hits[number].index = nil
      }
      guard hits[number].next == .max else { continue }
      hits[number].next = new[(index ?? 0)...].first { $0 > hits[number].address } ?? .max
    }
    passed = new[new.count - 1]
    addresses.removeAll()
  }

  /// A line of any kind.
  private mutating func takeLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) {
    KallsymsText.visit(bytes, line) { address, line, name in
      if hits.count <= Self.mostHits, matches(bytes[name..<line.upperBound]) {
        hits.append(Hit(line: Array(bytes[line]), index: addresses.count))
      }
      addresses.append(address)
    }
  }

  private func matches(_ name: Slice<UnsafeRawBufferPointer>) -> Bool {
    prefixes.contains { name.starts(with: $0) }
  }

  /// The symbols found, as an index that gives them for the same addresses as one of all symbols does, and for no other; nil
  /// where the text has no addresses, too much was found, or the order of the text does not tell where a function ends.
  func found() -> SymbolIndex? {
    let kept = UnsafeBufferPointer(start: addresses.base, count: addresses.count)
    let highest = kept.reduce(passed ?? 0, max)
    guard highest > 0, hits.count <= Self.mostHits else { return nil }
    var text: [UInt8] = []
    var known: Set<UInt64> = []
    var ends: Set<UInt64> = []
    for var hit in hits {
      if let index = hit.index {
        hit.address = kept[index]
        // Of those that are passed only the highest address is known.
        if let passed, hit.address <= passed { return nil }
        hit.isFirst = !kept[..<index].contains(hit.address)
      }
      // Of several symbols at one address the first in the text counts.
      guard hit.isFirst || known.contains(hit.address) else { continue }
      text += hit.line + [0x0a]
      known.insert(hit.address)
      // The last symbol has no end.
      if hit.address < highest {
        ends.insert(kept.reduce(hit.next) { $1 > hit.address ? min($0, $1) : $0 })
      }
    }
    // Begins no wanted name.
    let nameless = "!?-+,".utf8.first { byte in !prefixes.contains { $0[0] == byte } } ?? 0x21
    for end in ends.subtracting(known).sorted() {
      let digits = String(end, radix: 16)
      text += Array((String(repeating: "0", count: 16 - digits.count) + digits + " t ").utf8)
      text += [nameless, 0x0a]
    }
    let block = RawBlock(capacity: text.count)
    block.memory.copyBytes(from: text)
    block.count = text.count
    return SymbolIndex(kallsyms: block)
  }
}
