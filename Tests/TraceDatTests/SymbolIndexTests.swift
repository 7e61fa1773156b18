import FunctionGraph
import Testing

@testable import TraceDat

/// The index of symbols against a scan of all lines.
@Suite struct SymbolIndexTests {
  private struct Symbol {
    var address: UInt64
    var name: String
    var module: String
  }

  private static func index(_ text: String, jobs: Int) -> SymbolIndex {
    let bytes = Array(text.utf8)
    let block = RawBlock(capacity: bytes.count)
    block.memory.copyBytes(from: bytes)
    block.count = bytes.count
    return SymbolIndex(kallsyms: block, jobs: jobs)
  }

  private static func random(
    _ random: inout SieveTests.Generator, filling: String
  ) -> (text: String, symbols: [Symbol]) {
    var symbols: [Symbol] = []
    var text = ""
    var address: UInt64 = 0xffff_ffff_8100_0000
    for number in 0..<2_000 {
      let isModule = number > 1_200
      if isModule {
        address = 0xffff_ffff_c000_0000 + UInt64.random(in: 0..<0x10_0000, using: &random)
      } else if Int.random(in: 0..<10, using: &random) > 0 {
        address += UInt64.random(in: 1..<0x400, using: &random)
      }
      text += filling
      let longest = number % 7 == 0 ? 200 : 40
      let name = "s\(number)_" + String(repeating: "x", count: Int.random(in: 0..<longest, using: &random))
      let module = isModule ? "m\(number / 100)" : ""
      let digits = String(address, radix: 16)
      switch Int.random(in: 0..<20, using: &random) {
      case 0: text += "\(digits) A absolute\n"
      case 1: text += "\(digits) t $d\n"
      case 2: text += "no line\n\n"
      default:
        text += "\(digits) \(number % 2 == 0 ? "t" : "T") \(name)\(isModule ? "\t[\(module)]" : "")\n"
        symbols.append(Symbol(address: address, name: name, module: module))
      }
    }
    return (text, symbols)
  }

  /// Sorted as the kernel has its own, not sorted as modules are, with names of every length, names for one address, and
  /// lines that have to be left out.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func lookup(seed: UInt64) {
    var random = SieveTests.Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    // Every other one long enough for several threads, by lines that name nothing.
    let jobs = seed % 2 == 0 ? 3 : 1
    let filling = jobs > 1 ? String(repeating: "no line at all\n", count: 40) : ""
    let (text, symbols) = Self.random(&random, filling: filling)
    check(Self.index(text, jobs: jobs), symbols)
  }

  /// The same of a text that stays in the file, wherever its addresses begin to fall, and however many read it.
  @Test(arguments: 1...6 as ClosedRange<UInt64>, [(false, 1), (true, 1), (true, 2)])
  func lookupInFile(seed: UInt64, how: (isWide: Bool, jobs: Int)) throws {
    var random = SieveTests.Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    // Every other one of several pieces.
    let filling = seed % 2 == 0 ? String(repeating: "no line at all\n", count: 10) : ""
    let (text, symbols) = Self.random(&random, filling: filling)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let names = Set(symbols.map(\.name))
    for first in [0, 900, lines.count / 2, lines.count - 2] {
      let part = lines[first...].joined(separator: "\n")
      let own = Set(
        lines[first...].compactMap {
          $0.split(separator: " ").dropFirst(2).first.map { String($0.prefix { $0 != "\t" }) }
        })
      let left = symbols.filter { own.contains($0.name) }
      #expect(left.count > 0 || first == lines.count - 2)
      guard !left.isEmpty else { continue }
      check(try #require(try Self.inFile(part, how.isWide, jobs: how.jobs)), left, every: 67)
    }
    // All sorted, all but the first sorted, each half sorted, all at one address.
    let sorted = symbols.sorted { $0.address < $1.address }
    let halves = Array(sorted[(sorted.count / 2)...] + sorted[..<(sorted.count / 2)])
    let same = sorted.map { Symbol(address: sorted[0].address, name: $0.name, module: $0.module) }
    for order in [sorted, [sorted[sorted.count / 2]] + sorted, halves, same] {
      let part = order.map { "\(String($0.address, radix: 16)) t \($0.name)\t[\($0.module)]" }
      let symbols = order.map { Symbol(address: $0.address, name: $0.name, module: $0.module) }
      let index = try Self.inFile(part.joined(separator: "\n"), how.isWide, jobs: how.jobs)
      check(try #require(index), symbols, every: 67)
    }
    #expect(names.count == symbols.count)
  }

  /// What cannot be read again is no name, and is told.
  @Test func fileThatChanges() throws {
    var random = SieveTests.Generator(state: 5)
    let (text, symbols) = Self.random(&random, filling: "")
    let bytes = Array(text.utf8)
    let isThere = Guarded(true)
    let file = FileBytes(size: UInt64(bytes.count)) { (offset, buffer) throws(TraceError) in
      guard isThere.withLock({ $0 }) else { return 0 }
      buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + buffer.count])
      return buffer.count
    }
    let index = try #require(try SymbolIndex(in: file, at: 0, size: file.size))
    try index.check()
    isThere.withLock { $0 = false }
    var functions = FunctionTable()
    let function = index.function(at: symbols[100].address, in: &functions)
    #expect(functions[function].symbol == "0x" + String(symbols[100].address, radix: 16))
    #expect(throws: TraceError.self) { try index.check() }
    // However early it becomes shorter, also between the symbols that are sorted and the others.
    var reads = 0
    while true {
      let left = Guarded(reads)
      let shrinking = FileBytes(size: UInt64(bytes.count)) { (offset, buffer) throws(TraceError) in
        let isRead = left.withLock { left in
          left -= 1
          return left >= 0
        }
        guard isRead else { return 0 }
        buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + buffer.count])
        return buffer.count
      }
      let index = try SymbolIndex(in: shrinking, at: 0, size: shrinking.size)
      if left.withLock({ $0 }) >= 0 {
        #expect(index != nil)
        break
      }
      #expect(index == nil)
      reads += 1
    }
    #expect(reads > 1)
    // Shorter than it was said to be, hidden addresses, a line that is none.
    #expect(try SymbolIndex(in: file, at: 0, size: file.size) == nil)
    #expect(try SymbolIndex(in: file, at: 10, size: file.size) == nil)
    #expect(try Self.inFile(String(repeating: "0000000000000000 t s1_x\n", count: 5)) == nil)
    let line = "ffffffff81000000 t s1_x\n"
    #expect(try Self.inFile(line) != nil)
    #expect(try Self.inFile(line + String(repeating: "x", count: 200_000)) == nil)
  }

  /// `text` at 8.
  private static func file(_ text: String) -> FileBytes {
    let bytes = Array(("in front" + text + "behind").utf8)
    return FileBytes(size: UInt64(bytes.count)) { (offset, buffer) throws(TraceError) in
      buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + buffer.count])
      return buffer.count
    }
  }

  private static func inFile(_ text: String, _ isWide: Bool = true, jobs: Int = 1) throws -> SymbolIndex? {
    try SymbolIndex(
      in: file(text), at: 8, size: UInt64(text.utf8.count), jobs: jobs, worthThreads: 0, isWide: isWide)
  }

  private func check(_ index: SymbolIndex, _ symbols: [Symbol], every step: Int = 13) {
    let firsts = Dictionary(symbols.map { ($0.address, $0) }) { first, _ in first }
    let addresses = firsts.keys.sorted()
    let highest = addresses.last ?? 0
    var functions = FunctionTable()
    for number in stride(from: 0, to: symbols.count, by: step) {
      let symbol = symbols[number]
      for address in [symbol.address, symbol.address + 4, symbol.address - 1] {
        var expected = FunctionName(symbol: "0x" + String(address, radix: 16))
        let below = addresses.last { $0 <= address }
        if let below, address <= highest, let first = firsts[below] {
          expected = FunctionName(symbol: first.name, module: first.module)
        }
        let function = index.function(at: address, in: &functions)
        #expect(functions[function] == expected)
      }
    }
  }

  /// Symbols that were searched for, in a text that came in pieces, against the index of all.
  @Test(
    arguments: [["s123"], ["s1999_", "s7_x", "s152"], ["s123", "absent", "s130", "s1300"]], [false, true])
  func search(prefixes: [String], isWide: Bool) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      var random = SieveTests.Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
      let (text, symbols) = Self.random(&random, filling: "")
      let all = Self.index(text, jobs: 1)
      var ways = [Self.search(prefixes, text, isWide: isWide, &random)]
      for order in [[0, 1], [1, 0], [0]] {
        let shared = SharedSymbolSearch(prefixes, Self.file(text), at: 8, size: UInt64(text.utf8.count))
        for part in order { part == 0 ? shared.begin() : shared.join() }
        ways.append(try shared.found())
      }
      for _ in 0..<6 { ways.append(Self.search(prefixes, text, isWide: isWide, inHalves: true, &random)) }
      for way in ways {
        try check(try #require(way), all, symbols, prefixes)
      }
    }
  }

  /// Two that look through a text: the second one first, the first one first, and both at once.
  private static func look<Part>(through shared: SharedSymbols<Part>, way: Int) {
    switch way {
    case 0:
      shared.join()
      shared.begin()
    case 1:
      shared.begin()
      shared.join()
    default: shared.look(jobs: 2)
    }
  }

  /// A second one joins a search at the beginning, on its way, or when there is nothing left.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func searchesTogether(seed: UInt64) throws {
    var random = SieveTests.Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    let (text, symbols) = Self.random(&random, filling: String(repeating: "no line at all\n", count: 20))
    let all = Self.index(text, jobs: 1)
    let prefixes = ["s123", "s1999_", "s152"]
    let size = UInt64(text.utf8.count)
    for way in 0..<4 {
      let shared = SharedSymbolSearch(prefixes, Self.file(text), at: 8, size: size)
      Self.look(through: shared, way: way)
      try check(try #require(try shared.found()), all, symbols, prefixes)
    }
    for order in [[0, 1], [1, 0]] {
      let longer = SharedSymbolSearch(prefixes, Self.file(text), at: 8, size: size + 100_000)
      for part in order { part == 0 ? longer.begin() : longer.join() }
      #expect(try longer.found() == nil, "it is not so long")
    }
  }

  /// The same of an index of all, wherever addresses begin to fall.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func looksTogether(seed: UInt64) throws {
    var random = SieveTests.Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    let (_, unsorted) = Self.random(&random, filling: "")
    let sorted = unsorted.sorted { $0.address < $1.address }
    let filling = String(repeating: "no line at all\n", count: 20)
    // One falls in the front half, in the back half, between them, and none.
    for place in [300, sorted.count - 300, sorted.count / 2, 0] {
      let symbols = Array(sorted[place...] + sorted[..<place])
      let text = symbols.map {
        "\(String($0.address, radix: 16)) t \($0.name)\t[\($0.module)]\n\(filling)"
      }.joined()
      let size = UInt64(text.utf8.count)
      for way in 0..<4 {
        let shared = SharedSortedSymbols(Self.file(text), at: 8, size: size, isWide: way % 2 == 0)
        Self.look(through: shared, way: way)
        check(try #require(try SymbolIndex(shared, jobs: 2)), symbols, every: 67)
      }
      for order in [[0, 1], [1, 0]] {
        let longer = SharedSortedSymbols(Self.file(text), at: 8, size: size + 100_000, isWide: true)
        for part in order { part == 0 ? longer.begin() : longer.join() }
        // Where an address falls in front, nobody looks as far.
        let index = try SymbolIndex(longer, jobs: 2)
        #expect(index == nil, "it is not so long")
      }
    }
  }

  /// Addresses that fall for good, or once, in front of where two parts meet, there, and behind.
  @Test(arguments: [300, 4000, 4001, 4002, 7000], [false, true])
  func fallsWherePartsMeet(first: Int, once: Bool) throws {
    // Lines of one length, so that the second part begins with that of number 4,001.
    let symbols = (0..<8000).map { number in
      let isLow = once ? number == first : number >= first
      return Symbol(
        address: 0xffff_ffff_8100_0000 + (isLow ? 0 : 1 << 20) + 16 * UInt64(number),
        name: "s\(10_000 + number)",
        module: String(repeating: "m", count: 20))
    }
    let text = symbols.map { "\(String($0.address, radix: 16)) t \($0.name)\t[\($0.module)]\n" }.joined()
    for way in 0..<3 {
      let shared = SharedSortedSymbols(Self.file(text), at: 8, size: UInt64(text.utf8.count), isWide: true)
      Self.look(through: shared, way: way)
      check(try #require(try SymbolIndex(shared, jobs: 1)), symbols, every: 97)
    }
  }

  /// What is left is divided where a line begins, and nothing of it is lost.
  @Test func dividesWhatIsLeft() throws {
    let text = (0..<40_000).map { "\($0) line\n" }.joined()
    let size = text.utf8.count
    for taken in 0..<8 {
      let front = KallsymsPieces.Front(size: UInt64(size))
      var given = 0
      for _ in 0..<taken { given += front.next().count }
      let half = try front.takeHalf(of: Self.file(text), at: 8)
      // 256 KiB are left to one.
      try #require((half != nil) == (size - given >= 256 << 10))
      let end = half.map { Int($0.lowerBound) } ?? size
      if let half {
        #expect(half.upperBound == UInt64(size) && abs(half.count - (size - given) / 2) < 100)
        #expect(Array(text.utf8)[end - 1] == 0x0a)
        #expect(try front.takeHalf(of: Self.file(text), at: 8) == nil || end - given >= 256 << 10)
      }
      while true {
        let piece = front.next()
        if piece.count == 0 { break }
        given += piece.count
        #expect(piece.isLast == (given == end))
        try #require(given <= end)
      }
      #expect(given == end)
    }
    let noLines = String(repeating: "x", count: 1 << 20)
    #expect(
      try KallsymsPieces.Front(size: 1 << 20).takeHalf(of: Self.file(noLines), at: 8) == nil)
  }

  /// Of the symbols in question and some others; of these `found` may say anything but a wanted name.
  private func check(
    _ found: SymbolIndex, _ all: SymbolIndex, _ symbols: [Symbol], _ prefixes: [String]
  ) throws {
    let ranges = try #require(found.ranges { name in prefixes.contains { name.hasPrefix($0) } })
    #expect(all.ranges { _ in true } == nil)
    var functions = FunctionTable()
    var wanted = 0
    for (number, symbol) in symbols.enumerated() {
      if number % 16 != 0, !prefixes.contains(where: symbol.name.hasPrefix) { continue }
      for address in [symbol.address - 1, symbol.address, symbol.address + 4] {
        let both = [all, found].map { $0.function(at: address, in: &functions) }
        let (expected, name) = (functions[both[0]], functions[both[1]])
        let isWanted = prefixes.contains { expected.symbol.hasPrefix($0) }
        #expect(ranges.contains { $0.contains(address) } == isWanted)
        if isWanted {
          wanted += 1
          #expect(name == expected)
        } else {
          #expect(!prefixes.contains { name.symbol.hasPrefix($0) })
        }
      }
    }
    #expect(wanted > 0)
  }

  /// One range is told by one compare: of functions side by side, or of none.
  @Test func rangesThatAreOne() throws {
    let two = try #require(WantedRange([0x30..<0x40, 0x20..<0x30]))
    #expect(
      [0x1f, 0x20, 0x3f, 0x40, 0, .max].map(two.mayBeWanted) == [false, true, true, false, false, false])
    let highest = try #require(WantedRange([UInt64.max - 1..<UInt64.max]))
    #expect(highest.mayBeWanted(.max - 1) && !highest.mayBeWanted(0))
    #expect(WantedRange([0x30..<0x40, 0x20..<0x2f]) == nil)
    let none = try #require(WantedRange([]))
    #expect([0, 1, .max].map(none.mayBeWanted) == [false, false, false])
  }

  /// Two symbols at one address, and one that ends where the other half begins.
  @Test(arguments: [0, 1, 2, 3])
  func searchesHalvesThatBelongTogether(_ cut: Int) throws {
    let lines = ["a_1", "wanted", "also_wanted", "b_2", "wanted_2"].enumerated().map {
      String(repeating: "0", count: 13) + "\([100, 200, 200, 300, 400][$0.offset]) t \($0.element)\n"
    }
    var parts = [SymbolSearch(["wanted", "also"]), SymbolSearch(["wanted", "also"])]
    let halves = [lines[...cut], lines[(cut + 1)...]].map { Array($0.joined().utf8) }
    for number in 0..<2 { halves[number].withUnsafeBytes { parts[number].look(through: $0) } }
    // Of symbols at one address the first counts, and which it is the second half alone does not know.
    let belongs = parts[0].append(parts[1])
    #expect(belongs == (cut != 1))
    if !belongs { halves[1].withUnsafeBytes { parts[0].look(through: $0) } }
    let found = try #require(parts[0].found())
    var functions = FunctionTable()
    let numbers = [0x1ff, 0x200, 0x2ff, 0x300, 0x400].map { found.function(at: $0, in: &functions) }
    let names = numbers.map { functions[$0].symbol }
    #expect(names[1] == "wanted" && names[2] == "wanted" && names[4] == "wanted_2")
    #expect(![names[0], names[3]].contains { $0.contains("wanted") })
  }

  /// Nothing is said of a text whose addresses are hidden, or of more symbols than are worth a search.
  @Test func searchGivesUp() {
    var random = SieveTests.Generator(state: 1)
    let (text, _) = Self.random(&random, filling: "")
    #expect(Self.search(["s"], text, isWide: true, &random) == nil)
    let hidden = String(repeating: "0000000000000000 t s1_x\n", count: 5)
    #expect(Self.search(["s1"], hidden, isWide: true, &random) == nil)
    // A symbol of which it is not known what follows it, as those of higher addresses have been passed.
    let order = [5, 9, 7, 8].map { "\(String(repeating: "0", count: 15))\($0) t s\($0)_\n" }
    let filler = (10..<900).map { "00000000000\($0 + 90_000) t x\($0)\n" }.joined()
    #expect(Self.search(["s7"], order.joined(), isWide: true, &random) != nil)
    #expect(Self.search(["s7"], order[0] + order[1] + filler + order[2], isWide: true, &random) == nil)
    #expect(!SymbolSearch.takes([]))
    #expect(!SymbolSearch.takes(["a", ""]))
    #expect(!SymbolSearch.takes(["0xffff"]))
    #expect(!SymbolSearch.takes(["a", "b", "c", "d", "e"]))
  }

  private static func search(
    _ prefixes: [String], _ text: String, isWide: Bool, inHalves: Bool = false,
    _ random: inout SieveTests.Generator
  ) -> SymbolIndex? {
    var search = SymbolSearch(prefixes, isWide: isWide)
    if inHalves {
      let bytes = Array(text.utf8)
      let feeds = bytes.indices.filter { bytes[$0] == 0x0a }
      let cut = feeds[Int.random(in: 0..<feeds.count, using: &random)] + 1
      var next = SymbolSearch(prefixes, isWide: isWide)
      bytes.withUnsafeBytes {
        search.look(through: UnsafeRawBufferPointer(rebasing: $0[..<cut]))
        let rest = UnsafeRawBufferPointer(rebasing: $0[cut...])
        next.look(through: rest)
        if !search.append(next) { search.look(through: rest) }
      }
      return search.found()
    }
    var rest = Array(text.utf8)[...]
    var pieces = KallsymsPieces(pieceSize: 5_000)
    while !rest.isEmpty {
      let bytes = rest.prefix(Int.random(in: 1..<5_000, using: &random))
      pieces.room.copyBytes(from: bytes)
      rest = rest.dropFirst(bytes.count)
      #expect(pieces.take(bytes.count, isLast: rest.isEmpty) { lines, _ in search.look(through: lines) })
    }
    return search.found()
  }
}
