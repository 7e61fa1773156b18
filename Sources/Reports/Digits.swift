/// Numbers at the end of bytes, without a `String` for each.
extension [UInt8] {
  mutating func append(decimal value: UInt64) {
    if value < 10 {
      append(0x30 + UInt8(value))
      return
    }
    let start = count
    var rest = value
    while rest > 0 {
      append(0x30 + UInt8(rest % 10))
      rest /= 10
    }
    self[start...].reverse()
  }

  /// Nanoseconds as microseconds, three decimals.
  mutating func append(thousandths nanoseconds: Int64) {
    if nanoseconds < 0 { append(UInt8(ascii: "-")) }
    let magnitude = nanoseconds.magnitude
    append(decimal: magnitude / 1_000)
    append(UInt8(ascii: "."))
    let fraction = magnitude % 1_000
    append(0x30 + UInt8(fraction / 100))
    append(0x30 + UInt8(fraction / 10 % 10))
    append(0x30 + UInt8(fraction % 10))
  }
}
