internal import Glibc

/// Numbers as text, without locale: `.` is the decimal point, and there are no thousands separators.
enum Figures {
  /// `value` with that many decimals.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : (value < 0 ? "-inf" : "inf") }
    if let text = quicklyFixed(value, decimals) { return text }
    var buffer = [CChar](repeating: 0, count: 400)
    let count = buffer.count
    _ = withVaList([Int32(clamping: decimals), value]) { vsnprintf(&buffer, count, "%.*f", $0) }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return text.first == "-" && !text.contains(where: { ("1"..."9").contains($0) })
      ? String(text.dropFirst()) : text
  }

  private static let powers: InlineArray<10, Double> = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

  /// The same without printf, a table of a thousand functions has ten thousand figures; nil of values that are too large, or
  /// so near to a tie that only exact arithmetic tells.
  private static func quicklyFixed(_ value: Double, _ decimals: Int) -> String? {
    guard decimals >= 0, decimals < powers.count else { return nil }
    let scaled = (value.magnitude * powers[decimals]).rounded()
    // What the integer is off the exact product, rounded but once: where that is below one half, so is the exact one.
    guard scaled < 9e15, (-scaled).addingProduct(value.magnitude, powers[decimals]).magnitude < 0.5 else {
      return nil
    }
    var rest = UInt64(scaled)
    let isNegative = value < 0 && rest != 0
    return String(unsafeUninitializedCapacity: 32) { bytes in
      var start = bytes.count
      func put(_ byte: UInt8) {
        start -= 1
        bytes[start] = byte
      }
      for _ in 0..<decimals {
        put(0x30 + UInt8(rest % 10))
        rest /= 10
      }
      if decimals > 0 { put(UInt8(ascii: ".")) }
      repeat {
        put(0x30 + UInt8(rest % 10))
        rest /= 10
      } while rest > 0
      if isNegative { put(UInt8(ascii: "-")) }
      let count = bytes.count - start
      for index in 0..<count { bytes[index] = bytes[start + index] }
      return count
    }
  }

  /// Nanoseconds as microseconds with three decimals: exactly what a trace holds.
  static func microseconds(_ nanoseconds: Int64) -> String {
    let magnitude = nanoseconds.magnitude
    let fraction = String(magnitude % 1_000)
    return (nanoseconds < 0 ? "-" : "") + String(magnitude / 1_000) + "."
      + String(repeating: "0", count: 3 - fraction.count) + fraction
  }

  /// Nanoseconds, computed, as microseconds: three decimals, or six where those say more.
  static func microseconds(_ nanoseconds: Double) -> String {
    decimal(nanoseconds / 1_000, atLeast: 3)
  }

  /// At least so many decimals, up to six where they are not 0.
  static func decimal(_ value: Double, atLeast least: Int) -> String {
    var text = fixed(value, 6)
    var droppable = 6 - least
    while droppable > 0, text.last == "0" {
      text.removeLast()
      droppable -= 1
    }
    return text
  }

  /// At least three significant digits: 4.14, 41.4, 0.00414.
  static func significant(_ value: Double, _ digits: Int = 3) -> String {
    guard value != 0, value.isFinite else { return fixed(value, 0) }
    let exponent = Int(floor(log10(abs(value))))
    return fixed(value, max(0, min(12, digits - 1 - exponent)))
  }

  /// A p-value: two significant digits, scientific below 0.001.
  static func pValue(_ value: Double) -> String {
    if value >= 0.001 || value == 0 { return value >= 0.995 ? "1.00" : significant(value, 2) }
    var buffer = [CChar](repeating: 0, count: 64)
    _ = withVaList([value]) { vsnprintf(&buffer, 64, "%.1e", $0) }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// `p = 0.031`; what is too small for a number is below all of them.
  static func pEquation(_ value: Double) -> String {
    value > 0 ? "p = \(pValue(value))" : "p < 1e-300"
  }

  /// For machines: the shortest text that reads back as the same number.
  static func exact(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  static func percent(_ fraction: Double) -> String {
    significant(fraction * 100, 3).trimmingZeros + "%"
  }

  /// `8 GiB`, `2 MiB`, `4 KiB`, `100 B`.
  static func bytes(_ count: UInt64) -> String {
    for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, UInt64)]
    where count >= 1 << shift {
      return significant(Double(count) / Double(UInt64(1) << shift), 4).trimmingZeros + " " + unit
    }
    return "\(count) B"
  }
}

extension String {
  /// Without zeros at the end of a fraction.
  var trimmingZeros: String {
    guard contains(".") else { return self }
    var text = self
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}

/// A unit of time for a column, chosen for all its values together.
struct DurationColumn {
  let unit: String
  private let scale: Double
  private let decimals: Int

  /// - Parameters:
  ///   - values: nanoseconds; the smallest chooses how many decimals give four significant digits.
  ///   - table: the values of all columns that share a unit; the largest chooses it.
  ///   - ascii: `us` for µs.
  init(_ values: [Double], among table: [Double]? = nil, ascii: Bool) {
    func magnitudes(_ values: [Double]) -> [Double] { values.filter { $0.isFinite && $0 != 0 }.map(abs) }
    let largest = magnitudes(table ?? values).max() ?? 1_000
    switch largest {
    case 1e9...: (unit, scale) = ("s", 1e9)
    case 1e6...: (unit, scale) = ("ms", 1e6)
    case 1e3...: (unit, scale) = (ascii ? "us" : "µs", 1e3)
    default: (unit, scale) = ("ns", 1)
    }
    let smallest = (magnitudes(values).min() ?? scale) / scale
    let wanted = 3 - Int(floor(log10(smallest)))
    // A nanosecond is as fine as a trace is.
    decimals = max(0, min(wanted, Int(log10(scale).rounded()) + (scale == 1 ? 1 : 0)))
  }

  func format(_ nanoseconds: Double?) -> String {
    nanoseconds.map { Figures.fixed($0 / scale, decimals) } ?? "-"
  }

  func formatWithUnit(_ nanoseconds: Double?) -> String {
    nanoseconds.map { Figures.fixed($0 / scale, decimals) + " " + unit } ?? "-"
  }
}
