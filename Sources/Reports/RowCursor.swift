internal import FunctionGraph

/// Writes a row byte by byte into memory that the caller has made large enough: no check, no count and no capacity a byte.
struct RowCursor {
  private(set) var next: UnsafeMutablePointer<UInt8>

  init(at start: UnsafeMutablePointer<UInt8>) {
    next = start
  }

  /// The most that any one number below takes.
  static let longestNumber = 24

  private static let pairs: StaticString = """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  @inline(__always)
  mutating func put(_ byte: UInt8) {
    next.pointee = byte
    next += 1
  }

  @inline(__always)
  mutating func put(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
    next.update(from: bytes, count: count)
    next += count
  }

  @inline(__always)
  mutating func put(_ text: StaticString) {
    put(text.utf8Start, text.utf8CodeUnitCount)
  }

  /// Two digits.
  @inline(__always)
  private mutating func put(pair value: UInt64) {
    let digits = Self.pairs.utf8Start + Int(value) * 2
    next[0] = digits[0]
    next[1] = digits[1]
    next += 2
  }

  mutating func put(decimal value: UInt64) {
    if value < 10 { return put(0x30 + UInt8(value)) }
    if value < 100 { return put(pair: value) }
    var count = 2
    var bound: UInt64 = 100
    while count < 20, value >= bound {
      count += 1
      let (product, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { break }
      bound = product
    }
    var rest = value
    var place = next + count
    while rest >= 100 {
      let digits = Self.pairs.utf8Start + Int(rest % 100) * 2
      rest /= 100
      place -= 2
      place[0] = digits[0]
      place[1] = digits[1]
    }
    if rest >= 10 {
      let digits = Self.pairs.utf8Start + Int(rest) * 2
      place[-2] = digits[0]
      place[-1] = digits[1]
    } else {
      place[-1] = 0x30 + UInt8(rest)
    }
    next += count
  }

  /// Nanoseconds as microseconds, three decimals.
  mutating func put(thousandths nanoseconds: Int64) {
    if nanoseconds < 0 { put(UInt8(ascii: "-")) }
    let magnitude = nanoseconds.magnitude
    put(decimal: magnitude / 1_000)
    put(UInt8(ascii: "."))
    let fraction = magnitude % 1_000
    put(0x30 + UInt8(fraction / 100))
    put(pair: fraction % 100)
  }

  /// Nanoseconds as microseconds: three decimals, none where it is whole (`0.001`, `0.100`, `1`).
  mutating func put(resolution nanoseconds: UInt32) {
    if nanoseconds == 1 { return put("0.001") }
    if nanoseconds % 1_000 == 0 {
      put(decimal: UInt64(nanoseconds / 1_000))
    } else {
      put(thousandths: Int64(nanoseconds))
    }
  }

  /// Seconds with nine decimals, or the raw number; nothing where there is none.
  mutating func put(timestamp: Timestamp) {
    switch timestamp.unit {
    case .none: return
    case .raw: put(decimal: timestamp.value)
    case .nanoseconds:
      put(decimal: timestamp.value / 1_000_000_000)
      put(UInt8(ascii: "."))
      let fraction = timestamp.value % 1_000_000_000
      put(0x30 + UInt8(fraction / 100_000_000))
      let low = fraction % 100_000_000
      let high = low / 10_000
      put(pair: high / 100)
      put(pair: high % 100)
      put(pair: low % 10_000 / 100)
      put(pair: low % 100)
    }
  }
}

/// The same at the end of an array.
extension [UInt8] {
  private mutating func append(_ write: (inout RowCursor) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * RowCursor.longestNumber) { buffer in
      guard let base = buffer.baseAddress else { return }
      var cursor = RowCursor(at: base)
      write(&cursor)
      self += UnsafeBufferPointer(start: base, count: cursor.next - base)
    }
  }

  mutating func append(thousandths nanoseconds: Int64) { append { $0.put(thousandths: nanoseconds) } }
  mutating func append(resolution nanoseconds: UInt32) { append { $0.put(resolution: nanoseconds) } }
  mutating func append(decimal number: UInt64) { append { $0.put(decimal: number) } }
  mutating func append(timestamp: Timestamp) { append { $0.put(timestamp: timestamp) } }
}
