// The wire format of Protocol Buffers, as far as a sketch needs it: https://protobuf.dev/programming-guides/encoding/.
// A message is a list of (field number << 3 | wire type) keys, each a varint, and values. The four fields of a sketch do
// not warrant a dependency that generates code.

/// How a value is laid out.
enum WireType: UInt64 {
  /// Base 128, least significant group first, at most ten bytes.
  case varint = 0
  /// Eight bytes, little-endian.
  case fixed64 = 1
  /// A varint of how many bytes, then these: a nested message, or packed numbers.
  case bytes = 2
  /// Four bytes.
  case fixed32 = 5
}

struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func key(_ field: UInt64, _ type: WireType) { varint(field << 3 | type.rawValue) }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func double(_ value: Double) {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func nested(_ field: UInt64, _ message: [UInt8]) {
    key(field, .bytes)
    varint(UInt64(message.count))
    bytes += message
  }

  /// `sint32` and `sint64`: sign in the lowest bit.
  static func zigzag(_ value: Int) -> UInt64 { UInt64(bitPattern: Int64(value << 1 ^ value >> 63)) }
}

/// Reads what `WireWriter` or another library wrote; nil where the bytes end early or are no such message.
struct WireReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func key() -> (field: UInt64, type: WireType)? {
    guard let key = varint(), let type = WireType(rawValue: key & 7), key >> 3 > 0 else { return nil }
    return (key >> 3, type)
  }

  mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      // Of the tenth group one bit is left.
      if shift == 63, byte > 1 { return nil }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  mutating func signed() -> Int? {
    guard let value = varint() else { return nil }
    return Int(Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1))
  }

  mutating func double() -> Double? {
    guard rest.count >= 8 else { return nil }
    var bits: UInt64 = 0
    for (index, byte) in rest.prefix(8).enumerated() { bits |= UInt64(byte) << (8 * UInt64(index)) }
    rest.removeFirst(8)
    return Double(bitPattern: bits)
  }

  mutating func bytes() -> ArraySlice<UInt8>? {
    guard let length = varint(), length <= UInt64(rest.count) else { return nil }
    let result = rest.prefix(Int(length))
    rest.removeFirst(Int(length))
    return result
  }

  /// Passes over a value that means nothing here.
  mutating func skip(_ type: WireType) -> Bool {
    switch type {
    case .varint: return varint() != nil
    case .fixed64: return double() != nil
    case .bytes: return bytes() != nil
    case .fixed32:
      guard rest.count >= 4 else { return false }
      rest.removeFirst(4)
      return true
    }
  }
}
