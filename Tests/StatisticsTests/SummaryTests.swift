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
