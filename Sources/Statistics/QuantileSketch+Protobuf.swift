internal import Glibc

// The form in which the DDSketch libraries of other languages take a sketch up: the message `DDSketch` of Datadog's
// sketches (DDSketch.proto of sketches-go, -java, -js and -py), whose bins are these bins: its logarithmic mapping holds
// the values in (γⁱ⁻¹, γⁱ] in bin i.
//
//     DDSketch     { IndexMapping mapping = 1; Store positiveValues = 2; Store negativeValues = 3; double zeroCount = 4; }
//     IndexMapping { double gamma = 1; double indexOffset = 2; Interpolation interpolation = 3; }    NONE = 0
//     Store        { map<sint32, double> binCounts = 1; repeated double contiguousBinCounts = 2 [packed];
//                    sint32 contiguousBinIndexOffset = 3; }
//
// Written are contiguous bins, which every one of these libraries reads (the Python one reads no other); both forms are
// read. The message has no place for the sum, the minimum and the maximum: who writes it keeps them beside it.

extension QuantileSketch {
  /// γ = (1 + ε)/(1 − ε), as the libraries compute it: sketches merge where it is the same to the last bit.
  public var gamma: Double {
    let mantissa = 2 * relativeError / (1 - relativeError)
    return 1 + mantissa
  }

  /// The message `DDSketch`.
  public var protobuf: [UInt8] {
    var mapping = WireWriter()
    mapping.key(1, .fixed64)
    mapping.double(gamma)

    var message = WireWriter()
    message.nested(1, mapping.bytes)
    message.nested(2, positiveStore)
    message.nested(3, [])
    if zeroCount > 0 {
      message.key(4, .fixed64)
      message.double(Double(zeroCount))
    }
    return message.bytes
  }

  private var positiveStore: [UInt8] {
    let bins = bins
    guard let first = bins.first, let last = bins.last else { return [] }
    var counts = WireWriter()
    var next = first.index
    for bin in bins {
      while next < bin.index {
        counts.double(0)
        next += 1
      }
      counts.double(Double(bin.count))
      next += 1
    }
    assert(counts.bytes.count == (last.index - first.index + 1) * 8)
    var store = WireWriter()
    store.nested(2, counts.bytes)
    store.key(3, .varint)
    store.varint(WireWriter.zigzag(first.index))
    return store.bytes
  }

  /// Takes up the message `DDSketch`, however another library wrote it.
  ///
  /// - Parameters:
  ///   - bytes: the message.
  ///   - sum: of the values, which the message does not hold.
  ///   - minimum: of the values.
  ///   - maximum: of the values.
  ///   - maximumBins: of the sketch that is made; lower ones collapse.
  /// - Throws: `SketchError` where the bytes are no such message, or one of another mapping than the logarithmic one, with
  ///   negative values, or with counts that are no counts.
  public init(
    protobuf bytes: [UInt8], sum: Double, minimum: Double, maximum: Double,
    maximumBins: Int = defaultMaximumBins
  ) throws(SketchError) {
    var reader = WireReader(bytes[...])
    var gamma = 0.0
    var bins: [Bin] = []
    var zeroCount: UInt64 = 0
    while !reader.isAtEnd {
      guard let (field, type) = reader.key() else { throw .malformed }
      switch (field, type) {
      case (1, .bytes): gamma = try Self.gamma(of: reader.bytes())
      case (2, .bytes): bins += try Self.bins(of: reader.bytes())
      case (3, .bytes):
        if try Self.bins(of: reader.bytes()).contains(where: { $0.count > 0 }) { throw .negativeValues }
      case (4, .fixed64):
        guard let value = reader.double() else { throw .malformed }
        zeroCount = try Self.count(value)
      default: if !reader.skip(type) { throw .malformed }
      }
    }
    // Of a γ that another library computed from its ε the last bits may differ: the ε of thirteen digits is meant.
    guard gamma.isFinite, gamma > 1 else { throw .malformed }
    let error = (gamma - 1) / (gamma + 1)
    let rounded = (error * 1e13).rounded() / 1e13
    guard rounded >= 1e-6, rounded <= 0.5 else { throw .malformed }
    guard
      let sketch = QuantileSketch(
        relativeError: rounded, maximumBins: maximumBins, bins: bins, zeroCount: zeroCount, sum: sum,
        minimum: minimum, maximum: maximum)
    else { throw .malformed }
    self = sketch
  }

  private static func gamma(of message: ArraySlice<UInt8>?) throws(SketchError) -> Double {
    guard let message else { throw .malformed }
    var reader = WireReader(message)
    var gamma = 0.0
    while !reader.isAtEnd {
      guard let (field, type) = reader.key() else { throw .malformed }
      switch (field, type) {
      case (1, .fixed64):
        guard let value = reader.double() else { throw .malformed }
        gamma = value
      case (2, .fixed64):
        guard let offset = reader.double() else { throw .malformed }
        if offset != 0 { throw .otherMapping }
      case (3, .varint):
        guard let interpolation = reader.varint() else { throw .malformed }
        if interpolation != 0 { throw .otherMapping }
      default: if !reader.skip(type) { throw .malformed }
      }
    }
    return gamma
  }

  private static func bins(of message: ArraySlice<UInt8>?) throws(SketchError) -> [Bin] {
    guard let message else { throw .malformed }
    var reader = WireReader(message)
    var bins: [Bin] = []
    var contiguous: [UInt64] = []
    var offset = 0
    while !reader.isAtEnd {
      guard let (field, type) = reader.key() else { throw .malformed }
      switch (field, type) {
      case (1, .bytes): bins.append(try entry(reader.bytes()))
      case (2, .bytes):
        guard let packed = reader.bytes(), packed.count % 8 == 0 else { throw .malformed }
        var numbers = WireReader(packed)
        while let value = numbers.double() { contiguous.append(try count(value)) }
      case (2, .fixed64):
        guard let value = reader.double() else { throw .malformed }
        contiguous.append(try count(value))
      case (3, .varint):
        guard let value = reader.signed(), Int32(exactly: value) != nil else { throw .malformed }
        offset = value
      default: if !reader.skip(type) { throw .malformed }
      }
    }
    for (index, count) in contiguous.enumerated() where count > 0 {
      bins.append(Bin(index: offset + index, count: count))
    }
    return bins
  }

  /// One entry of `binCounts`: a map is a list of messages with a key (1) and a value (2).
  private static func entry(_ message: ArraySlice<UInt8>?) throws(SketchError) -> Bin {
    guard let message else { throw .malformed }
    var reader = WireReader(message)
    var bin = Bin(index: 0, count: 0)
    while !reader.isAtEnd {
      guard let (field, type) = reader.key() else { throw .malformed }
      switch (field, type) {
      case (1, .varint):
        guard let value = reader.signed(), Int32(exactly: value) != nil else { throw .malformed }
        bin.index = value
      case (2, .fixed64):
        guard let value = reader.double() else { throw .malformed }
        bin.count = try count(value)
      default: if !reader.skip(type) { throw .malformed }
      }
    }
    return bin
  }

  /// Counts are doubles in the message, since sketches may hold weights; those of calls are whole.
  private static func count(_ value: Double) throws(SketchError) -> UInt64 {
    guard let count = UInt64(exactly: value), count <= 1 << 53 else { throw .fractionalCount }
    return count
  }
}

/// Why a sketch that was written down cannot be taken up.
public enum SketchError: Error, Hashable, Sendable {
  /// Cut short, or not the message.
  case malformed
  /// Interpolated, or shifted: its bins are other bins.
  case otherMapping
  case negativeValues
  /// A count that is negative, not whole, or beyond 2⁵³.
  case fractionalCount
}
