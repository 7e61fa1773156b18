/// Numbers for names that come again and again: a table in front of `FunctionTable` that compares words, not bytes.
///
/// Up to 32 bytes of a name are four words (the first and the last sixteen bytes, masked), so that finding a name takes a
/// multiplication and four compares. Longer names and collisions go to the table behind, which is exact and withstands
/// names made to collide; what is here only saves the way there.
struct NameCache {
  struct Words: Equatable {
    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64

    /// The words of a name; `slack` readable bytes must follow it. nil where it is longer than 32 bytes.
    @inline(__always)
    init?(_ start: UnsafeRawPointer, _ count: Int) {
      guard count <= 32 else { return nil }
      let first = start.loadUnaligned(as: SIMD2<UInt64>.self)
      if count >= 16 {
        let last = (start + (count &- 16)).loadUnaligned(as: SIMD2<UInt64>.self)
        (a, b, c, d) = (first.x, first.y, last.x, last.y)
      } else {
        // Zero bytes are part of no name, so that the words tell the length too.
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
    /// Length + 1; 0 is free.
    var length: UInt32
    var value: UInt32
  }

  /// A power of two; a trace has some thousand functions.
  private static let size = 1 << 13
  private static let free = Entry(words: Words(zero: ()), length: 0, value: 0)
  private var entries: [Entry] = []

  /// The number of the name; nil where it is not known here.
  @inline(__always)
  func find(_ name: StrictName) -> UInt32? {
    guard let words = Words(name.start, name.count), !entries.isEmpty else { return nil }
    let place = Int(truncatingIfNeeded: words.hash &>> 51)
    guard entries[place].length == UInt32(truncatingIfNeeded: name.count) &+ 1, entries[place].words == words
    else { return nil }
    return entries[place].value
  }

  /// - Parameter value: 0 is not remembered: a limit was reached, and every line with a name that was dropped counts.
  @inline(never)
  mutating func remember(_ name: StrictName, _ value: UInt32) {
    guard let words = Words(name.start, name.count), value != 0 else { return }
    if entries.isEmpty { entries = Array(repeating: Self.free, count: Self.size) }
    entries[Int(truncatingIfNeeded: words.hash &>> 51)] = Entry(
      words: words, length: UInt32(truncatingIfNeeded: name.count) &+ 1, value: value)
  }
}

extension NameCache.Words {
  fileprivate init(zero: Void) { (a, b, c, d) = (0, 0, 0, 0) }
}
