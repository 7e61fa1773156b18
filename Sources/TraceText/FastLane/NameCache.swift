internal import Glibc

/// Numbers for names that come again and again: a table in front of `FunctionTable` that compares words, not bytes.
///
/// Up to 32 bytes of a name are four words (the first and the last sixteen bytes, masked), so that finding a name takes
/// two multiplications and four compares; of longer ones the middle is compared too. Two names may share a place, a third
/// one takes it over: what is here only saves the way to a table that is exact and withstands names made to collide.
struct NameCache {
  private struct Words: Equatable {
    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64

    /// The words of a name; 16 readable bytes must follow its start.
    @inline(__always)
    init(_ start: UnsafeRawPointer, _ count: Int) {
      let first = start.loadUnaligned(as: SIMD2<UInt64>.self)
      if count >= 16 {
        let last = (start + (count &- 16)).loadUnaligned(as: SIMD2<UInt64>.self)
        (a, b, c, d) = (first.x, first.y, last.x, last.y)
      } else {
        let bits = UInt64(truncatingIfNeeded: count &* 8)
        a = count >= 8 ? first.x : first.x & ((1 &<< bits) &- 1)
        b = count >= 8 ? first.y & ((1 &<< (bits &- 64)) &- 1) : 0
        (c, d) = (0, 0)
      }
    }

    @inline(__always)
    var hash: UInt64 {
      let mixed = (a ^ c &<< 7 ^ c &>> 57) &* 0x9e37_79b9_7f4a_7c15 ^ (b ^ d &<< 13 ^ d &>> 51)
      return mixed &* 0xbf58_476d_1ce4_e5b9
    }
  }

  private struct Entry {
    var words: Words
    /// 0 is free.
    var count: UInt32
    var value: UInt32
    /// Of a name longer than 32 bytes: where its middle stands in `middles`.
    var middle: Int
  }

  /// A power of two; a trace has some thousand functions.
  private static let size = 1 << 13
  private static let mostMiddles = 1 << 18
  private var entries: [Entry] = []
  private var middles: [UInt8] = []

  /// The number of the name; nil where it is not known here.
  @inline(__always)
  func find(_ name: StrictName) -> UInt32? {
    guard !entries.isEmpty else { return nil }
    let words = Words(name.start, name.count)
    let place = Int(truncatingIfNeeded: words.hash &>> 51)
    if matches(place, words, name) { return entries[place].value }
    if matches(place ^ 1, words, name) { return entries[place ^ 1].value }
    return nil
  }

  @inline(__always)
  private func matches(_ place: Int, _ words: Words, _ name: StrictName) -> Bool {
    guard entries[place].count == UInt32(truncatingIfNeeded: name.count), entries[place].words == words else {
      return false
    }
    return name.count <= 32 || hasMiddle(entries[place].middle, name)
  }

  private func hasMiddle(_ middle: Int, _ name: StrictName) -> Bool {
    middles.withUnsafeBytes { bytes in
      let count = name.count - 32
      guard let base = bytes.baseAddress, middle + count <= bytes.count else { return false }
      return memcmp(base + middle, name.start + 16, count) == 0
    }
  }

  /// - Parameter value: 0 is not remembered: a limit was reached, and every line with a name that was dropped counts.
  @inline(never)
  mutating func remember(_ name: StrictName, _ value: UInt32) {
    guard name.count > 0, value != 0 else { return }
    if entries.isEmpty {
      let free = Entry(words: Words(name.start, 0), count: 0, value: 0, middle: 0)
      entries = Array(repeating: free, count: Self.size)
    }
    let words = Words(name.start, name.count)
    var place = Int(truncatingIfNeeded: words.hash &>> 51)
    if entries[place].count != 0, entries[place ^ 1].count == 0 { place ^= 1 }
    let middle = middles.count
    if name.count > 32 {
      guard middles.count + name.count <= Self.mostMiddles else { return }
      middles.append(contentsOf: UnsafeRawBufferPointer(start: name.start + 16, count: name.count - 32))
    }
    entries[place] = Entry(
      words: words, count: UInt32(truncatingIfNeeded: name.count), value: value, middle: middle)
  }
}
