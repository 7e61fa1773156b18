/// A duration as a text prints it: microseconds with up to three decimals.
struct PrintedDuration {
  /// Nanoseconds.
  var value: Int64
  /// The worth of the last printed digit, nanoseconds: the kernel drops decimals from 10 ms on
  /// (kernel/trace/trace_functions_graph.c, `trace_print_graph_duration`), trace-cmd from 1 s on.
  var resolution: UInt32
  var hasDecimals: Bool
  /// Behind `us`.
  var end: Int

  /// Reads `123.456 us` at `start`; nil where something else stands there.
  init?(_ line: Line, at start: Int) {
    let point = line.skipDigits(start)
    guard let whole = line.integer(start..<point), whole < 1 << 50 else { return nil }
    var nanoseconds = Int64(whole) * 1000
    var decimals = 0
    var index = point
    if line[index] == UInt8(ascii: ".") {
      index += 1
      var worth: Int64 = 100
      while line[index].isDigit {
        nanoseconds += Int64(line[index] - 0x30) * worth
        worth /= 10
        decimals += 1
        index += 1
      }
    }
    index = line.skipBlanks(index)
    guard line[index] == UInt8(ascii: "u"), line[index + 1] == UInt8(ascii: "s"), !line[index + 2].isNameByte
    else { return nil }
    value = nanoseconds
    hasDecimals = decimals > 0
    resolution =
      switch decimals {
      case 0: 1000
      case 1: 100
      case 2: 10
      default: 1
      }
    end = index + 2
  }
}

extension Line {
  /// A timestamp: seconds with decimals, or the bare integer of a clock that is no time.
  func timestamp(_ range: Range<Int>) -> ParsedTime? {
    let point = skipDigits(range.lowerBound)
    guard let whole = integer(range.lowerBound..<point) else { return nil }
    if point == range.upperBound { return ParsedTime(value: whole, isTime: false) }
    guard self[point] == UInt8(ascii: "."), skipDigits(point + 1) == range.upperBound else { return nil }
    guard point + 1 < range.upperBound, whole < 10_000_000_000 else { return nil }
    var nanoseconds = whole * 1_000_000_000
    var worth: UInt64 = 100_000_000
    for index in point + 1..<range.upperBound {
      nanoseconds += UInt64(self[index] - 0x30) * worth
      worth /= 10
    }
    return ParsedTime(value: nanoseconds, isTime: true)
  }

  /// Hexadecimal digits at `start` and where they end; nil where there are none or more than 64 bits of them.
  func hexadecimal(at start: Int) -> (value: UInt64, end: Int)? {
    var index = start
    if has("0x", at: index) { index += 2 }
    let first = index
    var value: UInt64 = 0
    while true {
      let byte = self[index]
      let digit: UInt8
      if byte.isDigit {
        digit = byte - 0x30
      } else if (byte | 0x20) &- 0x61 < 6 {
        digit = (byte | 0x20) - 0x61 + 10
      } else {
        break
      }
      guard value >> 60 == 0 else { return nil }
      value = value << 4 | UInt64(digit)
      index += 1
    }
    return index > first ? (value, index) : nil
  }
}

struct ParsedTime {
  var value: UInt64
  var isTime: Bool
}
