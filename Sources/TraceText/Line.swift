internal import Glibc

/// The bytes of one line, without its line end.
///
/// Reading past the end gives 0, which belongs to no class of bytes: a scan for blanks, digits or name bytes ends
/// there by itself, so that no cursor needs a second comparison. The bytes live in the reader's block and are valid
/// only while that line is parsed.
struct Line {
  let base: UnsafeRawPointer
  let count: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
    count = bytes.count
  }

  /// The byte at `index`, 0 in front of the line and behind it.
  @inline(__always)
  subscript(index: Int) -> UInt8 {
    UInt(bitPattern: index) < UInt(bitPattern: count) ? base.load(fromByteOffset: index, as: UInt8.self) : 0
  }

  /// The bytes of `range`, clamped to the line.
  subscript(range: Range<Int>) -> UnsafeRawBufferPointer {
    let lower = max(0, min(range.lowerBound, count))
    let upper = max(lower, min(range.upperBound, count))
    return UnsafeRawBufferPointer(start: base + lower, count: upper - lower)
  }

  /// The first position at or behind `index` that is no blank.
  @inline(__always)
  func skipBlanks(_ index: Int) -> Int {
    var index = index
    while self[index].isBlank { index += 1 }
    return index
  }

  /// The position behind the last byte in front of `index` that is no blank, `lower` at least.
  @inline(__always)
  func skipBlanksBack(_ index: Int, downTo lower: Int) -> Int {
    var index = index
    while index > lower && self[index - 1].isBlank { index -= 1 }
    return index
  }

  @inline(__always)
  func skipDigits(_ index: Int) -> Int {
    var index = index
    while self[index].isDigit { index += 1 }
    return index
  }

  /// Whether `text` stands at `index`.
  @inline(__always)
  func has(_ text: StaticString, at index: Int) -> Bool {
    let length = text.utf8CodeUnitCount
    guard index >= 0, index <= count - length else { return false }
    for offset in 0..<length where self[index + offset] != text.utf8Start[offset] { return false }
    return true
  }

  /// The first `text` at or behind `index` that starts before `limit`.
  func find(_ text: StaticString, from index: Int, to limit: Int = .max) -> Int? {
    var from = index
    while let hit = find(text.utf8Start[0], from: from, to: limit) {
      if has(text, at: hit) { return hit }
      from = hit + 1
    }
    return nil
  }

  /// The first `byte` in `index ..< limit`.
  @inline(__always)
  func find(_ byte: UInt8, from index: Int, to limit: Int = .max) -> Int? {
    let end = min(count, limit)
    guard index >= 0, index < end, let hit = memchr(base + index, Int32(byte), end - index) else {
      return nil
    }
    return base.distance(to: UnsafeRawPointer(hit))
  }

  /// The value of decimal digits; nil where there are none or too many for the type.
  func integer(_ range: Range<Int>) -> UInt64? {
    guard !range.isEmpty, range.count <= 19 else { return nil }
    var value: UInt64 = 0
    for index in range { value = value &* 10 &+ UInt64(self[index] &- 0x30) }
    return value
  }
}

extension UInt8 {
  @inline(__always)
  var isDigit: Bool { self &- 0x30 < 10 }

  @inline(__always)
  var isBlank: Bool { self == 0x20 || self == 0x09 }

  @inline(__always)
  var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

  /// What a symbol of the kernel is made of: C names, the suffixes of compilers (`.isra.0`), the dot symbols of
  /// powerpc, mangled and demangled names of Rust, bytes beyond ASCII.
  @inline(__always)
  var isNameByte: Bool {
    isLetter || isDigit || self == UInt8(ascii: "_") || self == UInt8(ascii: ".") || self == UInt8(ascii: "$")
      || self == UInt8(ascii: ":") || self == UInt8(ascii: "@") || self >= 0x80
  }

  /// The overhead marks that the kernel prints in front of a duration (kernel/trace/trace_output.c, `mark`).
  @inline(__always)
  var isOverheadMark: Bool {
    switch self {
    case UInt8(ascii: "+"), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "*"), UInt8(ascii: "@"),
      UInt8(ascii: "$"):
      true
    default: false
    }
  }
}
