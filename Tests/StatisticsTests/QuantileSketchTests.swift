import Foundation
import Testing

@testable import Statistics

@Suite struct QuantileSketchTests {
  private func sketch(_ values: some Sequence<Double>, error: Double = 0.005, bins: Int = 4_096)
    -> QuantileSketch
  {
    var sketch = QuantileSketch(relativeError: error, maximumBins: bins)
    for value in values { sketch.add(value) }
    return sketch
  }

  @Test(arguments: Golden.shared.sketch.indices)
  func agreesWithDatadogs(index: Int) throws {
    let golden = Golden.shared.sketch[index]
    let sketch = sketch(golden.values, error: golden.relativeError, bins: golden.maximumBins)
    #expect(sketch.bins.map { [$0.index, Int($0.count)] } == golden.bins)
    #expect(sketch.zeroCount == golden.zeroCount)
    #expect(sketch.count == UInt64(golden.values.count))
    #expect(agree(sketch.sum, golden.values.reduce(0, +), relative: 1e-15))
    for (p, expected) in zip(golden.levels, golden.quantiles) {
      let clamped = min(max(expected, try #require(golden.values.min())), try #require(golden.values.max()))
      #expect(agree(try #require(sketch.quantile(p)), clamped, relative: 1e-12), "p = \(p)")
    }
  }

  @Test(arguments: [0.005, 0.01, 0.1])
  func quantilesAreWithinTheStatedError(error: Double) throws {
    var generator = SeededGenerator(seed: 41)
    var values = generator.logNormals(3_000, median: 30_000, spread: 2)
    values += [1e-3, 1e9, 1e12, 0.002]
    let sketch = sketch(values, error: error)
    values.sort()
    for step in 0...1_000 {
      let p = Double(step) / 1_000
      let exact = values[Int(p * Double(values.count - 1))]
      #expect(agree(try #require(sketch.quantile(p)), exact, relative: error * (1 + 1e-9)))
    }
    #expect(sketch.quantile(0) == values.first)
    #expect(sketch.quantile(1) == values.last)
  }

  /// Many at once, where bins come out of a cache, against one by one: at the borders of bins and of cells, too.
  @Test(arguments: [0.0004, 0.0006, 0.005, 0.01, 0.1, 0.5])
  func manyAtOnceAreOneByOne(error: Double) {
    var generator = SeededGenerator(seed: 43)
    var values = generator.logNormals(20_000, median: 5_000, spread: 3).map { Int64($0) }
    values += (0..<63).flatMap { power in [-1, 0, 1].map { (1 << power) + $0 } }
    values += (0..<3_000).map { Int64($0) } + [0, -5, .max, .min]
    for bin in 0..<1_500 {
      let border = pow((1 + error) / (1 - error), Double(bin))
      if border < 1e18 { values += [Int64(border), Int64(border) + 1] }
    }
    // One cache for all of them; the second has too few bins, and some of the third's are full, or nearly so.
    var cache = QuantileSketch.BinCache()
    let full = [QuantileSketch.Bin(index: 3, count: .max - 2_000)]
    for start in [
      QuantileSketch(relativeError: error), QuantileSketch(relativeError: error, maximumBins: 20),
      QuantileSketch(
        relativeError: error, bins: full, zeroCount: 0, sum: 0, minimum: 1, maximum: 1),
    ] {
      guard let empty = start else { continue }
      var (one, many) = (empty, empty)
      for start in stride(from: 0, to: values.count, by: 700) {
        let part = values[start..<min(start + 700, values.count)]
        for value in part { one.add(Double(value)) }
        let known = QuantileSketch.WholeNumbers(
          minimum: part.min() ?? 0, maximum: part.max() ?? 0, sum: part.reduce(0, &+))
        part.withUnsafeBufferPointer { many.add($0, known, &cache) }
      }
      #expect(many == one)
      #expect(one.count == UInt64(values.count) || one.count == .max)
    }
  }

  @Test func mergingIsAddingEverything() {
    var generator = SeededGenerator(seed: 42)
    for bins in [16, 100, 4_096] {
      let parts = (0..<5).map { i in generator.logNormals(40 * i, median: Double(1 + i * i), spread: 1) + [0]
      }
      let whole = sketch(parts.joined(), bins: bins)
      for order in [[0, 1, 2, 3, 4], [4, 2, 0, 1, 3]] {
        var merged = QuantileSketch(maximumBins: bins)
        for i in order { merged.merge(sketch(parts[i], bins: bins)) }
        #expect(merged.bins == whole.bins)
        #expect(merged.count == whole.count)
        #expect(merged.zeroCount == 5)
        #expect(merged.minimum == whole.minimum && merged.maximum == whole.maximum)
        #expect(agree(merged.sum, whole.sum, relative: 1e-13))
      }
    }
    // Equality is of what was counted, in whatever order.
    #expect(sketch([8, 4, 64]) == sketch([64, 8, 4]))
    #expect(sketch([1, 1_000, 2], bins: 5) == sketch([2, 1, 1_000], bins: 5))
    #expect(sketch([8, 4, 64]) != sketch([8, 4, 65]))
    var fine = sketch([1, 2, 3])
    let before = fine
    let isMerged = fine.merge(sketch([1], error: 0.01))
    #expect(!isMerged)
    #expect(fine == before)
  }

  @Test func binsAreBounded() throws {
    var generator = SeededGenerator(seed: 43)
    let values = (0..<2_000).map { _ in generator.logNormals(1, spread: 20)[0] }
    let sketch = sketch(values, bins: 200)
    #expect(sketch.bins.count <= 200)
    let (first, last) = (try #require(sketch.bins.first), try #require(sketch.bins.last))
    #expect(last.index - first.index < 200)
    #expect(sketch.bins.reduce(0) { $0 + $1.count } == 2_000)
    // The top keeps its error; the maximum's bin does not move.
    #expect(agree(try #require(sketch.quantile(0.9999)), values.sorted()[1_998], relative: 0.00501))
  }

  @Test func writtenDownAndTakenUp() throws {
    let original = sketch([0, 1, 2, 3, 500, 500, 1e7])
    let copy = try #require(
      QuantileSketch(
        relativeError: original.relativeError, maximumBins: original.maximumBins, bins: original.bins,
        zeroCount: original.zeroCount, sum: original.sum, minimum: original.minimum, maximum: original.maximum
      ))
    #expect(copy.bins == original.bins && copy.count == 7 && copy.quantile(0.5) == original.quantile(0.5))
    for index in [Int.max, Int.min, 200_000] {
      #expect(
        QuantileSketch(
          relativeError: 0.005, bins: [.init(index: index, count: 1)], zeroCount: 0, sum: 1, minimum: 1,
          maximum: 1)
          == nil)
    }
    let full = try #require(
      QuantileSketch(
        relativeError: 0.005, bins: [.init(index: 3, count: .max), .init(index: 3, count: 9)],
        zeroCount: .max,
        sum: 1, minimum: 1, maximum: 1))
    #expect(full.count == .max)
  }

  @Test func oddValues() {
    var sketch = QuantileSketch()
    #expect(sketch.quantile(0.5) == nil)
    #expect(sketch.mean == nil)
    for value in [.nan, .infinity, -.infinity, 0, -0.0, -5, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    {
      sketch.add(value)
    }
    #expect(sketch.count == 7)
    #expect(sketch.zeroCount == 5)
    #expect(sketch.quantile(1) == .infinity)
    #expect(sketch.quantile(.nan) == -.infinity)
    #expect(QuantileSketch(relativeError: .nan, maximumBins: -4).maximumBins == 1)
    #expect(QuantileSketch(relativeError: 7).relativeError == 0.5)
  }
}
