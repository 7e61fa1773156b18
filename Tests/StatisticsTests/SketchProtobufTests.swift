import Testing

@testable import Statistics

/// What another library makes of these bytes is tested in `Examples/fleet/test_fleet.py`, with Datadog's own.
@Suite("A sketch as the message DDSketch")
struct SketchProtobufTests {
  private func sketch(_ seed: UInt64, count: Int, zeros: Int = 0) -> QuantileSketch {
    var generator = SeededGenerator(seed: seed)
    var sketch = QuantileSketch()
    for _ in 0..<count {
      sketch.add(Double(1 + generator.next(below: 1 << (10 + generator.next(below: 30)))))
    }
    for _ in 0..<zeros { sketch.add(0) }
    return sketch
  }

  private func read(_ bytes: [UInt8], like sketch: QuantileSketch) throws -> QuantileSketch {
    try QuantileSketch(
      protobuf: bytes, sum: sketch.sum, minimum: sketch.minimum, maximum: sketch.maximum)
  }

  @Test("comes back as it was", arguments: [(0, 0), (1, 0), (0, 3), (7, 2), (5_000, 11)])
  func roundTrip(count: Int, zeros: Int) throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      let sketch = sketch(seed, count: count, zeros: zeros)
      #expect(try read(sketch.protobuf, like: sketch) == sketch)
    }
  }

  @Test("of any relative error comes back with it", arguments: [0.001, 0.005, 0.01, 0.02, 0.1])
  func relativeError(_ error: Double) throws {
    var sketch = QuantileSketch(relativeError: error)
    for value in 1...1_000 { sketch.add(Double(value * value)) }
    #expect(try read(sketch.protobuf, like: sketch) == sketch)
  }

  /// By the description of the wire format, byte for byte: gamma 1.25 (ε = 1/9), bins 2 and 4 in the sparse form that the Go
  /// and the Java library write, then a zero count and a field that nobody knows.
  @Test("is read in the sparse form too")
  func sparse() throws {
    let bytes: [UInt8] = [
      0x0a, 9, 0x09, 0, 0, 0, 0, 0, 0, 0xf4, 0x3f,  // mapping { gamma: 1.25 }
      0x12, 26,  // positiveValues
      0x0a, 11, 0x08, 0x04, 0x11, 0, 0, 0, 0, 0, 0, 0x08, 0x40,  // binCounts { key: 2, value: 3 }
      0x0a, 11, 0x08, 0x08, 0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f,  // binCounts { key: 4, value: 1 }
      0x21, 0, 0, 0, 0, 0, 0, 0, 0x40,  // zeroCount: 2
      0x78, 0x96, 0x01,  // field 15: 150
    ]
    let sketch = try QuantileSketch(protobuf: bytes, sum: 1, minimum: 0, maximum: 2)
    #expect(sketch.bins == [.init(index: 2, count: 3), .init(index: 4, count: 1)])
    #expect((sketch.zeroCount, sketch.count) == (2, 6))
    #expect(abs(sketch.relativeError - 1 / 9) < 1e-12)
  }

  @Test("of another mapping, of negative values or of parts of calls is refused")
  func refused() {
    let mapping: [UInt8] = [0x0a, 9, 0x09, 0, 0, 0, 0, 0, 0, 0xf4, 0x3f]
    func error(_ bytes: [UInt8]) -> SketchError? {
      do throws(SketchError) {
        _ = try QuantileSketch(protobuf: bytes, sum: 0, minimum: 0, maximum: 0)
        return nil
      } catch {
        return error
      }
    }
    let half: [UInt8] = [0x0a, 11, 0x08, 0x04, 0x11, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f]
    let one: [UInt8] = [0x0a, 11, 0x08, 0x04, 0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
    #expect(error(mapping) == nil)
    #expect(error([0x0a, 11, 0x09, 0, 0, 0, 0, 0, 0, 0xf4, 0x3f, 0x18, 1]) == .otherMapping)
    #expect(
      error([0x0a, 18, 0x09, 0, 0, 0, 0, 0, 0, 0xf4, 0x3f, 0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
        == .otherMapping)
    #expect(error(mapping + [0x12, 13] + half) == .fractionalCount)
    #expect(error(mapping + [0x12, 13] + one) == nil)
    #expect(error(mapping + [0x1a, 13] + one) == .negativeValues)
    #expect(error([]) == .malformed)
    #expect(error([0x0a, 9, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]) == .malformed)
    #expect(
      error(mapping + [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]) == .malformed)
  }

  @Test("cut anywhere, or with any byte changed, is refused or read, and ends no program")
  func damaged() throws {
    var whole = QuantileSketch()
    for value in [0.0, 1_000, 1_003, 1_017, 1_030, 1_200] { whole.add(value) }
    let bytes = whole.protobuf
    for length in 0..<bytes.count {
      // A cut between two fields leaves a message that is whole: fewer calls, which the count beside it tells.
      if let cut = try? read(Array(bytes[..<length]), like: whole) { #expect(cut.count < whole.count) }
    }
    var generator = SeededGenerator(seed: 9)
    var taken = 0
    for _ in 0..<20_000 {
      var spoilt = bytes
      for _ in 0...generator.next(below: 3) {
        spoilt[generator.next(below: spoilt.count)] = UInt8(generator.next(below: 256))
      }
      guard let sketch = try? read(spoilt, like: whole) else { continue }
      taken += 1
      _ = sketch.quantile(0.5)
    }
    #expect(taken > 100)
  }
}
