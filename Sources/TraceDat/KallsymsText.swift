internal import CVector
internal import Glibc

/// The lines of `/proc/kallsyms`: `address type name`, with an optional tab and `[module]`.
///
/// As libtraceevent's `tep_parse_kallsyms` does, absolute symbols (type `a`, `A`: per-CPU offsets on x86-64) and names
/// that begin with `$` (mapping symbols on Arm) are left out, and all others are taken, data too.
enum KallsymsText {
  /// Calls `body` for every line in `range` whose symbol is taken, with the address, the line's place without the newline, and
  /// where the name begins. `range` begins and ends between lines.
  @inline(__always)
  static func visit(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>,
    _ body: (_ address: UInt64, _ line: Range<Int>, _ name: Int) -> Void
  ) {
    guard let base = bytes.baseAddress else { return }
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
          high = number(digits)
        }
        let low = number(UInt64(bigEndian: line.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        let length = newline(line, from: 16, to: rest)
        if let high, let low, length > 19 {
          let type = line.load(fromByteOffset: 17, as: UInt8.self)
          if isTaken(type: type, first: line.load(fromByteOffset: 19, as: UInt8.self)) {
            body(high << 32 | low, start..<start + length, start + 19)
          }
          start += length + 1
          continue
        }
      }
      let end = memchr(line, 0x0a, rest)
      let length = end.map { UnsafeRawPointer($0) - line } ?? rest
      if let address = address(UnsafeRawBufferPointer(start: line, count: length)) {
        body(address, start..<start + length, name(bytes, ofLineAt: start))
      }
      start += length + 1
    }
  }

  /// Where the name begins in the line that begins at `start`, which is one that `visit` takes.
  @inline(__always)
  static func name(_ bytes: UnsafeRawBufferPointer, ofLineAt start: Int) -> Int {
    var start = start
    while start < bytes.count, bytes[start] != 0x20 { start += 1 }
    return min(start + 3, bytes.count)
  }

  /// Where the first newline is at or behind `start`; `end` where there is none. Lines are so short that a call of memchr
  /// costs more than it finds.
  @inline(__always)
  static func newline(_ text: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    var index = start
    while end - index >= 16 {
      let found = pinstat_bits(pinstat_equal(pinstat_load(text + index), 0x0a))
      if found != 0 { return index + found.trailingZeroBitCount }
      index += 16
    }
    while index < end, text.load(fromByteOffset: index, as: UInt8.self) != 0x0a { index += 1 }
    return index
  }

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
}
