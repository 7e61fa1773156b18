internal import CVector
internal import FunctionGraph

/// The symbols of the traced kernel: the text of `/proc/kallsyms` as the file has it, with an index sorted by address.
///
/// 200,000 symbols take the text (9 MB) and 16 bytes each, or, of those that are sorted and can be read again, next to
/// nothing; no symbol is an object of its own, and names are looked at only when an address is looked up.
struct SymbolIndex {
  private struct Entry: BitwiseCopyable {
    var address: UInt64
    /// Where the symbol's line begins in the text.
    var line: UInt32
  }

  /// In front of those in `text`.
  private let sorted: SortedSymbols?
  private let text: RawBlock?
  private let entries = GrowingTable<Entry>(capacity: 1)

  /// No symbols: every address is its own name.
  init() {
    sorted = nil
    text = nil
  }

  /// - Parameters:
  ///   - text: lines `address type name` with an optional tab and `[module]`; at most 4 GiB.
  ///   - sorted: symbols that stand in front of it.
  ///   - jobs: how many threads may read it.
  init(kallsyms text: RawBlock, behind sorted: SortedSymbols? = nil, jobs: Int = 1) {
    self.sorted = sorted
    self.text = text
    let bytes = text.bytes
    guard let base = bytes.baseAddress, bytes.count <= Int(UInt32.max) else { return }
    // Cut behind a newline.
    var cuts = [0]
    if jobs > 1, bytes.count > Self.worthAThread {
      let middle = bytes.count / 2
      let length = KallsymsText.newline(base + middle, from: 0, to: bytes.count - middle)
      cuts.append(middle + min(length + 1, middle))
    }
    cuts.append(bytes.count)
    let tables = [entries] + cuts.dropFirst(2).map { _ in GrowingTable<Entry>(capacity: 1) }
    var areSorted = [Bool](repeating: true, count: tables.count)
    areSorted.withUnsafeMutableBufferPointer { areSorted in
      inParallel(tables.count, workers: jobs) { item, _ in
        areSorted[item] = Self.scan(bytes, cuts[item]..<cuts[item + 1], into: tables[item])
      }
    }
    var isSorted = areSorted.allSatisfy { $0 }
    for table in tables.dropFirst() where table.count > 0 {
      if entries.count > 0, table.base[0].address < entries.base[entries.count - 1].address {
        isSorted = false
      }
      entries.reserve(entries.count + table.count)
      (entries.base + entries.count).update(from: table.base, count: table.count)
      entries.setCount(entries.count + table.count)
    }
    if !isSorted {
      var unsorted = UnsafeMutableBufferPointer(start: entries.base, count: entries.count)
      unsorted.sort {
        ($0.address, $0.line) < ($1.address, $1.line)
      }
    }
    // With kptr_restrict every address reads 0: such a table names nothing.
    if highest == 0 { entries.removeAll() }
  }

  /// Of a text that stays in a file, but for what follows the first address that falls.
  ///
  /// - Parameters:
  ///   - offset: of the text, which is not compressed; at most 4 GiB.
  ///   - jobs: how many threads may read it.
  ///   - worthThreads: more bytes than these are read by several.
  ///   - isWide: whether the machine's wide vectors are used.
  /// - Returns: nil where the text is not there, or has no addresses or no lines.
  init?(
    in file: FileBytes, at offset: UInt64, size: UInt64, jobs: Int = 1, worthThreads: UInt64 = 1 << 20,
    isWide: Bool = SymbolIndex.isMachineWide
  ) throws(TraceError) {
    guard file.available(at: offset, count: size) == size else { return nil }
    let shared = SharedSortedSymbols(file, at: offset, size: size, isWide: isWide)
    shared.look(jobs: size > worthThreads ? jobs : 1)
    try self.init(shared, jobs: jobs)
  }

  /// Of a text that was looked through; it stays in its file, but for what follows the first address that falls.
  ///
  /// - Returns: nil where the text is not there, or has no addresses or no lines.
  init?(_ shared: SharedSortedSymbols, jobs: Int) throws(TraceError) {
    guard shared.size <= UInt64(UInt32.max), let sorted = try shared.found() else { return nil }
    let count = Int(shared.size) - sorted.size
    let rest = RawBlock(capacity: count)
    rest.count = try shared.file.read(
      at: shared.offset + UInt64(sorted.size),
      into: UnsafeMutableRawBufferPointer(rebasing: rest.memory[..<count]))
    guard rest.count == count else { return nil }
    self.init(kallsyms: rest, behind: sorted, jobs: jobs)
    if isEmpty { return nil }
  }

  static let isMachineWide = pinstat_has_avx2() != 0
  private static let worthAThread = 1 << 20

  /// Appends what is taken of the lines in `range`, which begins and ends between lines.
  ///
  /// - Returns: whether the addresses never fall.
  private static func scan(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, into entries: GrowingTable<Entry>
  ) -> Bool {
    entries.reserve(range.count / 40)
    // In locals, as 200,000 entries come.
    var (table, count, capacity) = (entries.base, entries.count, entries.capacity)
    var isSorted = true
    var last: UInt64 = 0
    KallsymsText.visit(bytes, range) { address, line, _ in
      if address < last { isSorted = false }
      last = address
      if count == capacity {
        entries.setCount(count)
        entries.reserve(count + 1)
        (table, capacity) = (entries.base, entries.capacity)
      }
      table[count] = Entry(address: address, line: UInt32(line.lowerBound))
      count += 1
    }
    entries.setCount(count)
    return isSorted
  }

  private var highest: UInt64 {
    max(sorted?.highest ?? 0, entries.count > 0 ? entries.base[entries.count - 1].address : 0)
  }

  var isEmpty: Bool { highest == 0 }

  /// - Throws: `corrupt` where names could not be read that were there before.
  func check() throws(TraceError) {
    try sorted?.check()
  }

  /// The number of the function whose range `[symbol, next symbol)` holds `address`.
  ///
  /// Of several symbols at one address the first in the text is taken. An address below the first symbol, or behind the
  /// start of the last one, has no name and becomes `0x...`.
  func function(at address: UInt64, in functions: inout FunctionTable) -> FunctionID {
    var found: FunctionID?
    let highest = highest
    if highest > 0, address <= highest {
      let entry = entry(at: address)
      found =
        sorted?.withSymbol(at: address) { start, line -> FunctionID? in
          if let entry, entry.address > start { return nil }
          return Self.intern(line, in: &functions)
        } ?? nil
      if found == nil, let entry, let text {
        let bytes = text.bytes
        found = Self.intern(UnsafeRawBufferPointer(rebasing: bytes[Int(entry.line)...]), in: &functions)
      }
    }
    return found ?? functions.intern(FunctionName(symbol: "0x" + String(address, radix: 16)))
  }

  /// Where the functions lie whose symbols `isWanted` accepts: the addresses for which `function` gives such a symbol.
  ///
  /// - Returns: nil where there are too many symbols to look at each.
  func ranges(_ isWanted: (String) -> Bool) -> [Range<UInt64>]? {
    guard sorted == nil, let text, entries.count <= Self.mostRanges else { return nil }
    let bytes = text.bytes
    var ranges: [Range<UInt64>] = []
    var names = FunctionTable()
    for (number, entry) in UnsafeBufferPointer(start: entries.base, count: entries.count).enumerated() {
      if number > 0, entries.base[number - 1].address == entry.address { continue }
      let next = entries.partition { $0.address > entry.address }
      let end =
        next < entries.count
        ? entries.base[next].address
        : entry.address < .max ? entry.address + 1 : entry.address
      let id = Self.intern(UnsafeRawBufferPointer(rebasing: bytes[Int(entry.line)...]), in: &names)
      if isWanted(names[id].symbol) { ranges.append(entry.address..<end) }
    }
    return ranges
  }

  private static let mostRanges = 1 << 10

  /// - Parameter bytes: a line, and what is behind it.
  private static func intern(_ bytes: UnsafeRawBufferPointer, in functions: inout FunctionTable) -> FunctionID
  {
    let start = KallsymsText.name(bytes, ofLineAt: 0)
    var end = start
    while end < bytes.count, bytes[end] > 0x20 { end += 1 }
    let symbol = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    var module = UnsafeRawBufferPointer(start: nil, count: 0)
    if end + 1 < bytes.count, bytes[end] == 0x09, bytes[end + 1] == 0x5b {
      let moduleStart = end + 2
      end = moduleStart
      while end < bytes.count, bytes[end] > 0x20, bytes[end] != 0x5d { end += 1 }
      module = UnsafeRawBufferPointer(rebasing: bytes[moduleStart..<end])
    }
    return functions.intern(symbol: symbol, module: module)
  }

  /// The last one at or below `address`, of several at one address the first in the text.
  private func entry(at address: UInt64) -> Entry? {
    let next = entries.partition { $0.address > address }
    guard next > 0 else { return nil }
    let start = entries.base[next - 1].address
    return entries.base[entries.partition { $0.address >= start }]
  }
}
