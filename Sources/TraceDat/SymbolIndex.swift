internal import CVector
internal import FunctionGraph
internal import Glibc

/// The symbols of the traced kernel: the text of `/proc/kallsyms` as the file has it, with an index sorted by address.
///
/// 200,000 symbols take the text (9 MB) and 16 bytes each; no symbol is an object of its own, and names are looked at
/// only when an address is looked up.
struct SymbolIndex {
  private struct Entry: BitwiseCopyable {
    var address: UInt64
    /// Where the symbol's line begins in the text.
    var line: UInt32
  }

  private let text: RawBlock?
  private let entries = GrowingTable<Entry>(capacity: 1)

  /// No symbols: every address is its own name.
  init() {
    text = nil
  }

  /// - Parameters:
  ///   - text: lines `address type name` with an optional tab and `[module]`; at most 4 GiB.
  ///   - jobs: how many threads may read it.
  ///
  /// As libtraceevent's `tep_parse_kallsyms` does, absolute symbols (type `a`, `A`: per-CPU offsets on x86-64) and
  /// names that begin with `$` (mapping symbols on Arm) are left out, and all others are taken, data too.
  init(kallsyms text: RawBlock, jobs: Int = 1) {
    self.text = text
    let bytes = text.bytes
    guard let base = bytes.baseAddress, bytes.count <= Int(UInt32.max) else { return }
    // Cut behind a newline.
    var cuts = [0]
    if jobs > 1, bytes.count > Self.worthAThread {
      let middle = bytes.count / 2
      cuts.append(middle + min(Self.newline(base + middle, from: 0, to: bytes.count - middle) + 1, middle))
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
    if entries.count > 0, entries.base[entries.count - 1].address == 0 { entries.removeAll() }
  }

  private static let worthAThread = 1 << 20

  /// Appends what is taken of the lines in `range`, which begins and ends between lines.
  ///
  /// - Returns: whether the addresses never fall.
  private static func scan(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, into entries: GrowingTable<Entry>
  ) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    entries.reserve(range.count / 40)
    // In locals, as 200,000 entries come.
    var (table, count, capacity) = (entries.base, entries.count, entries.capacity)
    var isSorted = true
    var last: UInt64 = 0
    var start = range.lowerBound
    // The first eight digits are the same in nearly all lines.
    var highDigits: UInt64 = 0
    var high: UInt64?
    while start < range.upperBound {
      let rest = bytes.count - start
      let line = base + start
      // A line of the usual form, and 8 bytes behind it: the rest goes the long way.
      if rest >= 64, line.load(fromByteOffset: 16, as: UInt8.self) == 0x20,
        line.load(fromByteOffset: 18, as: UInt8.self) == 0x20
      {
        let digits = UInt64(bigEndian: line.loadUnaligned(as: UInt64.self))
        if digits != highDigits || high == nil {
          highDigits = digits
          high = Self.number(digits)
        }
        let low = Self.number(UInt64(bigEndian: line.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        let length = Self.newline(line, from: 16, to: rest)
        if let high, let low, length > 19 {
          let type = line.load(fromByteOffset: 17, as: UInt8.self)
          if Self.isTaken(type: type, first: line.load(fromByteOffset: 19, as: UInt8.self)) {
            let address = high << 32 | low
            if address < last { isSorted = false }
            last = address
            if count == capacity {
              entries.setCount(count)
              entries.reserve(count + 1)
              (table, capacity) = (entries.base, entries.capacity)
            }
            table[count] = Entry(address: address, line: UInt32(start))
            count += 1
          }
          start += length + 1
          continue
        }
      }
      let newline = memchr(line, 0x0a, rest)
      let length = newline.map { UnsafeRawPointer($0) - line } ?? rest
      if let address = Self.address(UnsafeRawBufferPointer(start: line, count: length)) {
        if address < last { isSorted = false }
        last = address
        entries.setCount(count)
        entries.append(Entry(address: address, line: UInt32(start)))
        (table, count, capacity) = (entries.base, entries.count, entries.capacity)
      }
      start += length + 1
    }
    entries.setCount(count)
    return isSorted
  }

  /// Where the first newline is at or behind `start`; `end` where there is none. Lines are so short that a call of memchr
  /// costs more than it finds.
  @inline(__always)
  private static func newline(_ text: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var index = start
    while end - index >= 16 {
      let found = pinstat_bits(pinstat_equal(pinstat_load(text + index), 0x0a))
      if found != 0 { return index + found.trailingZeroBitCount }
      index += 16
    }
    while index < end, text.load(fromByteOffset: index, as: UInt8.self) != 0x0a { index += 1 }
    return index
  }

  var isEmpty: Bool { entries.count == 0 }

  /// The number of a hexadecimal digit, or 255.
  @inline(__always)
  private static func digit(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x30...0x39: byte &- 0x30
    case 0x61...0x66: byte &- 0x57
    case 0x41...0x46: byte &- 0x37
    default: 255
    }
  }

  /// Eight lower-case hexadecimal digits as a number; nil if they are others. `digits` has the first one on top.
  @inline(__always)
  private static func number(_ digits: UInt64) -> UInt64? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let nibbles = (digits & (0x0f * ones)) &+ ((digits >> 6) & ones) &* 9
    // Writing them again must give the same: 6 more than 9 carries into the high half of a byte.
    let letters = ((nibbles &+ 6 &* ones) >> 4) & ones
    guard nibbles &+ 0x30 &* ones &+ letters &* 0x27 == digits else { return nil }
    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff
    let words = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff
    return (words | words >> 16) & 0xffff_ffff
  }

  /// The address in a line, if its symbol is one that is taken.
  @inline(__always)
  private static func address(_ line: UnsafeRawBufferPointer) -> UInt64? {
    guard line.count > 19, line[16] == 0x20, line[18] == 0x20,
      let high = number(UInt64(bigEndian: line.loadUnaligned(as: UInt64.self))),
      let low = number(UInt64(bigEndian: line.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    else { return shortAddress(line) }
    return isTaken(type: line[17], first: line[19]) ? high << 32 | low : nil
  }

  @inline(__always)
  private static func isTaken(type: UInt8, first: UInt8) -> Bool {
    type != 0x41 && type != 0x61 && first != 0x24
  }

  /// The same for lines whose address has another length, as 32-bit kernels write it.
  private static func shortAddress(_ line: UnsafeRawBufferPointer) -> UInt64? {
    var value: UInt64 = 0
    var index = 0
    while index < line.count {
      let digit = digit(line[index])
      if digit == 255 { break }
      value = value << 4 | UInt64(digit)
      index += 1
    }
    guard index >= 1, index <= 16, index + 3 < line.count, line[index] == 0x20, line[index + 2] == 0x20,
      isTaken(type: line[index + 1], first: line[index + 3])
    else { return nil }
    return value
  }

  /// The number of the function whose range `[symbol, next symbol)` holds `address`.
  ///
  /// Of several symbols at one address the first in the text is taken. An address below the first symbol, or behind the
  /// start of the last one, has no name and becomes `0x...`.
  func function(at address: UInt64, in functions: inout FunctionTable) -> FunctionID {
    guard let entry = entry(at: address), let text else {
      return functions.intern(FunctionName(symbol: "0x" + String(address, radix: 16)))
    }
    let bytes = text.bytes
    var start = Int(entry.line)
    while start < bytes.count, bytes[start] != 0x20 { start += 1 }
    start = min(start + 3, bytes.count)
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

  private func entry(at address: UInt64) -> Entry? {
    // The first entry behind `address`; the symbol is the one before.
    let next = partition { $0.address > address }
    guard next > 0 else { return nil }
    let start = entries.base[next - 1].address
    if next == entries.count && address != start { return nil }
    return entries.base[partition { $0.address >= start }]
  }

  /// The index of the first entry for which `isBehind` holds.
  private func partition(_ isBehind: (Entry) -> Bool) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = low + (high - low) / 2
      if isBehind(entries.base[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
