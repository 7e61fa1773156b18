import Foundation
import Testing

@testable import Statistics

@Suite struct HodgesLehmannTests {
  @Test(arguments: Golden.shared.hodgesLehmann.indices)
  func agreesWithBruteForce(index: Int) throws {
    let golden = Golden.shared.hodgesLehmann[index]
    let result = try #require(HodgesLehmann(golden.first, golden.second, alpha: golden.alpha))
    #expect(result.shift == golden.shift)
    let interval = try #require(result.interval)
    #expect(interval.lower == golden.lower)
    #expect(interval.upper == golden.upper)
    #expect(agree(interval.confidence, golden.confidence, relative: 1e-12, absolute: 1e-14))
    #expect(interval.isDecisive == golden.isDecisive)
  }

  @Test func orderStatisticsOfDifferences() {
    var generator = SeededGenerator(seed: 21)
    let special = [0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, -0x1p-1030, 1e308, -1e308]
    for round in 0..<30 {
      let first =
        (generator.tied(1 + round % 6, below: 4) + special.shuffled(using: &generator).prefix(round % 4))
        .sorted()
      let second = (generator.logNormals(1 + round % 5, spread: 1) + special.prefix(round % 9)).sorted()
      let pairs = first.flatMap { x in second.map { x == $0 ? 0 : x - $0 } }.sorted()
      let differences = PairwiseDifferences(sorted: first, second)
      for (k, expected) in pairs.enumerated() { #expect(differences.select(k + 1) == expected) }
    }
  }

  @Test func symmetries() throws {
    var generator = SeededGenerator(seed: 22)
    for round in 0..<30 {
      let first = generator.logNormals(4 + round % 9, median: 30_000, spread: 0.2)
      let second = generator.logNormals(4 + round % 5, median: 20_000, spread: 0.2)
      let there = try #require(HodgesLehmann.ratio(of: first, to: second))
      let back = try #require(HodgesLehmann.ratio(of: second, to: first))
      let (a, b) = (try #require(there.interval), try #require(back.interval))
      // Sides exchanged: inverted. Values scaled: multiplied. Order: nothing.
      #expect(agree(there.ratio, 1 / back.ratio, relative: 1e-14))
      #expect(agree(a.lower, 1 / b.upper, relative: 1e-14))
      #expect(agree(a.upper, 1 / b.lower, relative: 1e-14))
      #expect(a.confidence == b.confidence)
      let scaled = try #require(HodgesLehmann.ratio(of: first.map { $0 * 7 }, to: second))
      #expect(agree(scaled.ratio, 7 * there.ratio, relative: 1e-13))
      #expect(agree(try #require(scaled.interval).lower, 7 * a.lower, relative: 1e-13))
      #expect(HodgesLehmann.ratio(of: first.reversed(), to: second.shuffled(using: &generator)) == there)
      #expect(a.lower <= there.ratio && there.ratio <= a.upper)
    }
  }

  @Test func intervalsGrowWithConfidence() throws {
    var generator = SeededGenerator(seed: 23)
    let first = generator.logNormals(9, spread: 0.3)
    let second = generator.logNormals(12, spread: 0.3)
    var previous: ConfidenceInterval?
    for alpha in [1, 0.5, 0.2, 0.1, 0.05, 0.01, 1e-3, 1e-5, 1e-9, 0] {
      let interval = try #require(HodgesLehmann(first, second, alpha: alpha)?.interval)
      #expect(interval.isDecisive == (2 / choose(21, 9) <= alpha))
      #expect(!interval.isDecisive || interval.confidence >= 1 - alpha)
      if let previous {
        #expect(interval.lower <= previous.lower && interval.upper >= previous.upper)
        #expect(interval.confidence >= previous.confidence)
      }
      previous = interval
    }
  }

  /// For continuous data the stated confidence is the coverage, not just a bound of it.
  @Test(arguments: [(4, 4), (5, 8), (60, 45)])
  func coverageIsTheStatedConfidence(sizes: (Int, Int)) throws {
    var generator = SeededGenerator(seed: 24)
    let rounds = sizes.0 > 10 ? 400 : 2_000
    var covered = 0
    var confidence = 0.0
    for _ in 0..<rounds {
      let first = (0..<sizes.0).map { _ in generator.normal() + 0.7 }
      let second = (0..<sizes.1).map { _ in generator.normal() }
      let interval = try #require(HodgesLehmann(first, second)?.interval)
      confidence = interval.confidence
      if interval.lower <= 0.7, 0.7 <= interval.upper { covered += 1 }
    }
    let error = (confidence * (1 - confidence) / Double(rounds)).squareRoot()
    #expect(abs(Double(covered) / Double(rounds) - confidence) < 3.5 * error)
  }

  @Test func smallSamples() throws {
    #expect(HodgesLehmann([], [1]) == nil)
    let single = try #require(HodgesLehmann.ratio(of: [33_813.703], to: [15_635.055]))
    #expect(agree(single.ratio, 33_813.703 / 15_635.055, relative: 1e-14))
    #expect(single.interval == nil)
    // 3 a side: the widest interval has 1 − 2/20.
    let three = try #require(HodgesLehmann([1, 2, 3], [11, 13, 17])?.interval)
    #expect(three == ConfidenceInterval(lower: -16, upper: -8, confidence: 0.9, isDecisive: false))
    let four = try #require(HodgesLehmann([1, 2, 3, 4], [11, 13, 17, 18])?.interval)
    #expect(four.isDecisive)
    #expect(agree(four.confidence, 1 - 2 / 70.0, relative: 1e-15))
  }

  @Test func smallestSizes() {
    #expect(HodgesLehmann.smallestSizeASide(alpha: 0.05) == 4)
    #expect(HodgesLehmann.smallestSizeASide(alpha: 0.1) == 3)
    #expect(HodgesLehmann.smallestSizeASide(alpha: 0.01) == 5)
    #expect(HodgesLehmann.smallestSizeASide(alpha: 5e-5) == 9)
    #expect(HodgesLehmann.smallestSizeASide(alpha: 1) == 1)
    #expect(HodgesLehmann.smallestSizeASide(alpha: 0) == nil)
  }

  @Test func valuesWithoutLogarithm() throws {
    let estimate = try #require(HodgesLehmann.ratio(of: [0, 0, 0, 0], to: [0, 0, 0, 0]))
    #expect(estimate.ratio == 1)
    #expect(try #require(HodgesLehmann.ratio(of: [0, 0, 0, -1], to: [1, 2, 3, 4])).ratio == 0)
    _ = HodgesLehmann.ratio(of: [.infinity, 0, 1], to: [.infinity, .nan, 0])
  }

  @Test func widening() throws {
    let interval = ConfidenceInterval(lower: 1.1, upper: 1.3, confidence: 0.96, isDecisive: true)
    let wide = interval.widened(byRelativeSpread: 0.03, alpha: 0.05)
    // z = 1.959964: 1 + 1.959964 · 1.414214 · 0.03 = 1.083154
    #expect(agree(wide.lower, 1.1 / 1.083154, relative: 1e-6))
    #expect(agree(wide.upper, 1.3 * 1.083154, relative: 1e-6))
    for spread in [0, -1, Double.nan] {
      #expect(interval.widened(byRelativeSpread: spread, alpha: 0.05) == interval)
    }
    #expect(interval.widened(byRelativeSpread: 0.03, alpha: .nan) == interval)
  }
}
