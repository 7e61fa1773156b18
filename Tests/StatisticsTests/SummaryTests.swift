import Testing

@testable import Statistics

@Suite struct SummaryTests {
  @Test(arguments: Golden.shared.summary.indices)
  func agreesWithNumPy(index: Int) throws {
    let golden = Golden.shared.summary[index]
    let sorted = golden.values.sorted()
    for (p, expected) in zip(golden.levels, golden.quantiles) {
      #expect(agree(quantile(sorted, p), expected, relative: 4e-16), "p = \(p)")
    }
    #expect(agree(mean(golden.values), golden.mean, relative: 2e-16))
    let summary = try #require(Summary(golden.values))
    #expect(summary.mean == mean(sorted))
    #expect(summary.p50 == median(golden.values))
    #expect(summary.minimum == golden.quantiles.first)
    #expect(summary.maximum == golden.quantiles.last)

    var moments = Moments()
    for value in golden.values { moments.add(value) }
    #expect(agree(moments.mean, golden.mean, relative: 1e-14))
    if let expected = golden.standardDeviation {
      #expect(
        agree(try #require(standardDeviation(golden.values)), expected, relative: 1e-14, absolute: 1e-12))
      #expect(agree(try #require(moments.standardDeviation), expected, relative: 1e-8, absolute: 1e-12))
    } else {
      #expect(standardDeviation(golden.values) == nil)
      #expect(moments.standardDeviation == nil)
    }
  }

  @Test func sumIsCompensated() {
    #expect(compensatedSum([1, 1e100, 1, -1e100]) == 2)
    #expect(compensatedSum([.infinity, 1]) == .infinity)
  }

  @Test func mergedMomentsAreThoseOfTheWhole() throws {
    var generator = SeededGenerator(seed: 5)
    let values = generator.logNormals(301, median: 1e6, spread: 0.4)
    for cut in [0, 1, 150, 300, 301] {
      var left = Moments()
      var right = Moments()
      for value in values[..<cut] { left.add(value) }
      for value in values[cut...] { right.add(value) }
      left.merge(right)
      #expect(left.count == 301)
      #expect(agree(left.mean, mean(values), relative: 1e-14))
      let deviation = try #require(left.standardDeviation)
      #expect(agree(deviation, try #require(standardDeviation(values)), relative: 1e-12))
    }
  }

  /// Bit by bit: whatever the order, and however they are divided.
  @Test(arguments: [0.0, 0.01, 0.4, 3])
  func exactMomentsAreTheSameInAnyOrder(spread: Double) throws {
    var generator = SeededGenerator(seed: 7)
    let values = generator.logNormals(3_001, median: 1e6, spread: spread).map { Int64($0) }
    var whole = ExactMoments()
    for value in values { whole.add(value) }
    let expected = try #require(standardDeviation(values.map(Double.init)))
    #expect(whole.moments.count == 3_001)
    #expect(agree(whole.moments.mean, mean(values.map(Double.init)), relative: 1e-15))
    #expect(agree(try #require(whole.standardDeviation), expected, relative: 1e-13, absolute: 1e-12))
    for cut in [1, 100, 256, 257, 3_000] {
      let shuffled = values.shuffled(using: &generator)
      var parts = [ExactMoments(), ExactMoments()]
      for (index, part) in [shuffled[..<cut], shuffled[cut...]].enumerated() {
        for start in stride(from: part.startIndex, to: part.endIndex, by: 256) {
          let some = Array(part[start..<min(start + 256, part.endIndex)])
          some.withUnsafeBufferPointer {
            parts[index].add($0, sum: some.reduce(0, +), least: some.min() ?? 0, greatest: some.max() ?? 0)
          }
        }
      }
      parts[1].merge(parts[0])
      #expect(parts[1].moments == whole.moments, "\(cut)")
    }
  }

  @Test func exactMomentsOfNearlyEqualAndOfHugeValues() throws {
    // One of 2^20 values is one less: the variance is (n − 1) / n².
    var moments = ExactMoments()
    for index in 0..<1 << 20 { moments.add(index == 5 ? 999_999_999 : 1_000_000_000) }
    let n = Double(1 << 20)
    #expect(agree(moments.moments.squaredDeviations, (n - 1) / n, relative: 1e-15))
    for values: [Int64] in [
      [.max, .max - (1 << 60), 1 << 62], [-5, 3, 1 << 40],
      [ExactMoments.largest, 1, ExactMoments.largest + 1],
      [.max, .max, 1 << 52, 1 << 52],
    ] {
      var moments = ExactMoments()
      for value in values { moments.add(value) }
      var other = ExactMoments()
      values.withUnsafeBufferPointer {
        other.add($0, sum: 0, least: values.min() ?? 0, greatest: values.max() ?? 0)
      }
      let expected = try #require(standardDeviation(values.map(Double.init)))
      for moments in [moments, other] {
        #expect(moments.moments.count == UInt64(values.count))
        #expect(agree(try #require(moments.standardDeviation), expected, relative: 1e-9))
      }
    }
  }

  @Test func emptyAndInfinite() {
    #expect(Summary([]) == nil)
    #expect(quantile([], 0.5).isNaN)
    #expect(mean([]).isNaN)
    #expect(standardDeviation([.infinity, 1])?.isNaN == true)
    #expect(quantile([1, 2, .infinity], 0.75) == .infinity)
    #expect(quantile([-.infinity, 2], 0.5) == -.infinity)
    #expect(quantile([-.greatestFiniteMagnitude, .greatestFiniteMagnitude], 0.5) == 0)
    #expect(quantile([1, 2, 3], .nan) == 1)
    #expect(quantile([1, 2, 3], 7) == 3)
  }
}
