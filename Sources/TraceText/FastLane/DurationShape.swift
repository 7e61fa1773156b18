internal import CVector

/// The duration column, mark to bar, compared as a whole with what it can look like.
///
/// Sixteen bytes from the overhead mark on hold all of it, or all but the bar, as in `+ 33.030 us   |`. With every digit made a `0` only a
/// few different columns remain, one for each place where the point may stand; the point's place picks the one to compare
/// with. So there is neither a loop over the digits nor a branch on their number.
struct DurationShapes {
  private struct Shape {
    /// The sixteen bytes; the mark is left out, which is looked at by itself.
    var front: UInt64
    var back: UInt64
    /// Up to and with the bar.
    var width: Int
  }

  /// By the place of the point; `blank` where there is none. Memory of its own rather than an array, which would be
  /// retained and released at every line.
  private let shapes: UnsafeMutablePointer<Shape>

  /// The place of the point that stands for a column without duration.
  static let blank = 16

  /// How the kernel prints it (kernel/trace/trace_functions_graph.c, `trace_print_graph_duration`): seven digits at most,
  /// the bar always in the same column.
  nonisolated(unsafe) static let kernel = DurationShapes { digits in
    (decimals: digits < 5 ? 3 : 7 - digits, bar: 14)
  }

  /// How trace-cmd prints it (trace-cmd, lib/trace-cmd/trace-ftrace.c, `print_graph_duration`): three decimals, and the bar
  /// moves to the right of large numbers.
  nonisolated(unsafe) static let report = DurationShapes { digits in
    (decimals: 3, bar: max(13, digits + 10))
  }

  /// - Parameter layout: how many decimals stand behind so many digits, and where the bar is.
  private init(_ layout: (_ digits: Int) -> (decimals: Int, bar: Int)) {
    // Never freed: there are two for the whole program.
    shapes = .allocate(capacity: Self.blank + 1)
    // No column looks like this.
    shapes.initialize(repeating: Shape(front: 0, back: 0, width: 16), count: Self.blank + 1)
    for digits in 1...6 {
      let (decimals, bar) = layout(digits)
      guard bar <= 16 else { continue }
      var bytes = [UInt8](repeating: 0x20, count: 16)
      for place in 2..<3 + digits + decimals { bytes[place] = UInt8(ascii: "0") }
      bytes[2 + digits] = UInt8(ascii: ".")
      bytes[4 + digits + decimals] = UInt8(ascii: "u")
      bytes[5 + digits + decimals] = UInt8(ascii: "s")
      if bar < 16 { bytes[bar] = UInt8(ascii: "|") }
      set(2 + digits, bytes, bar)
    }
    var bytes = [UInt8](repeating: 0x20, count: 16)
    let bar = layout(1).bar
    bytes[bar] = UInt8(ascii: "|")
    set(Self.blank, bytes, bar)
  }

  private func set(_ place: Int, _ bytes: [UInt8], _ bar: Int) {
    let (front, back) = bytes.withUnsafeBytes {
      ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    shapes[place] = Shape(front: front & Self.withoutMark, back: back, width: bar + 1)
  }

  private static let withoutMark = ~UInt64(0xFF)

  /// Reads the column whose mark is at `mark`.
  ///
  /// - Returns: the place of the point, or `blank`, and the bytes up to and with the bar; nil where it looks like nothing
  ///   that is known.
  @inline(__always)
  func read(_ mark: UnsafeRawPointer) -> (point: Int, width: Int)? {
    let column = pinstat_shape16(mark)
    let points = pinstat_equal16(mark, UInt8(ascii: "."))
    let point = (points | 1 &<< UInt32(Self.blank)).trailingZeroBitCount
    let first = mark.load(as: UInt8.self)
    guard column.front & Self.withoutMark == shapes[point].front, column.back == shapes[point].back else {
      return nil
    }
    let width = shapes[point].width
    guard (mark + (width &- 1)).load(as: UInt8.self) == UInt8(ascii: "|") else { return nil }
    guard first == 0x20 || (point != Self.blank && first.isOverheadMark) else { return nil }
    return (point, width)
  }

  /// The duration of a column that `read` has accepted, nanoseconds, and how coarsely it is printed.
  ///
  /// All digits stand in eight bytes: the point is closed up, and three multiplications make a number of them (Lemire,
  /// "Quickly parsing eight digits", 2018).
  @inline(__always)
  static func value(_ mark: UnsafeRawPointer, point: Int) -> (nanoseconds: Int64, resolution: UInt32) {
    let digits = UInt64(truncatingIfNeeded: point &- 2)
    if digits > 4 { return longValue(mark, digits: Int(digits)) }
    let text = (mark + 2).loadUnaligned(as: UInt64.self).littleEndian
    let whole: UInt64 = (1 &<< (digits &* 8)) &- 1
    let closed = text & whole | (text &>> 8) & ~whole
    // digits + 3 bytes of it, moved to the end of the eight, zeros in front.
    let value = eightDigits(closed &<< ((5 &- digits) &* 8))
    return (Int64(truncatingIfNeeded: value), 1)
  }

  /// From ten milliseconds on the kernel drops decimals.
  private static func longValue(_ mark: UnsafeRawPointer, digits: Int) -> (Int64, UInt32) {
    var value: Int64 = 0
    for place in 2..<2 + digits { value = value * 10 + Int64((mark + place).load(as: UInt8.self) & 0xF) }
    var resolution: UInt32 = 1000
    var place = 3 + digits
    while resolution > 1, (mark + place).load(as: UInt8.self).isDigit {
      value = value * 10 + Int64((mark + place).load(as: UInt8.self) & 0xF)
      resolution /= 10
      place += 1
    }
    return (value * Int64(resolution), resolution)
  }

  /// The number that eight bytes of digits spell, the first in the lowest byte; zero bytes count as the digit 0.
  @inline(__always)
  static func eightDigits(_ text: UInt64) -> UInt64 {
    var value = text & 0x0F0F_0F0F_0F0F_0F0F
    value = value &* 10 &+ value &>> 8
    let even = value & 0x0000_00FF_0000_00FF
    let odd = (value &>> 16) & 0x0000_00FF_0000_00FF
    return (even &* (100 &+ 1_000_000 &<< 32) &+ odd &* (1 &+ 10_000 &<< 32)) &>> 32
  }
}
