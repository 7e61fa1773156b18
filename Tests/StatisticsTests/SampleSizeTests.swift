import Foundation
import Testing

@testable import Statistics

@Suite struct SampleSizeTests {
  @Test func byHand() throws {
    // (1.959964 + 0.841621)² · 2 · 0.05² / 0.03² · π/3 = 45.67
    #expect(SampleSize.needed(distance: 0.03, logSpread: 0.05) == 46)
    #expect(SampleSize.needed(distance: -0.03, logSpread: 0.05) == 46)
    #expect(SampleSize.needed(distance: 1, logSpread: 0.01) == 4)
    #expect(SampleSize.needed(distance: 1, logSpread: 0) == 4)
    #expect(SampleSize.needed(distance: 0, logSpread: 0.05) == nil)
    #expect(SampleSize.needed(distance: 1e-9, logSpread: 0.05) == nil)
    #expect(SampleSize.needed(distance: .nan, logSpread: 0.05) == nil)
    #expect(SampleSize.needed(distance: 0.1, logSpread: .infinity) == nil)
    #expect(SampleSize.needed(distance: 0.1, logSpread: 0.1, alpha: 0) == nil)
    #expect(SampleSize.needed(distance: 0.1, logSpread: 0.1, power: .nan) != 0)
  }

  @Test func thresholds() {
    let toDecide = SampleSize.neededToDecide(ratio: 1.05, sameWithin: 0.02, logSpread: 0.05)
    #expect(toDecide == SampleSize.needed(distance: log(1.05 / 1.02), logSpread: 0.05))
    #expect(SampleSize.neededToDecide(ratio: 1 / 1.05, sameWithin: 0.02, logSpread: 0.05) == toDecide)
    #expect(SampleSize.neededToDecide(ratio: 1, sameWithin: 0.02, logSpread: 0.05) != nil)
    #expect(SampleSize.neededToDecide(ratio: 1, sameWithin: 0, logSpread: 0.05) == nil)
    #expect(SampleSize.neededToDecide(ratio: 0, sameWithin: 0.02, logSpread: 0.05) == nil)
    #expect(SampleSize.needed(ratio: 2.16, threshold: 2, logSpread: 0.03) == 4)
    #expect(SampleSize.needed(ratio: 2, threshold: 2, logSpread: 0.03) == nil)
    #expect(SampleSize.needed(ratio: 2, threshold: 0, logSpread: 0.03) == nil)
  }

  /// The advice is kept: with the number of samples that is advised, the interval clears the threshold about
  /// as often as the power says.
  @Test func advisedSizeHasThePower() throws {
    var generator = SeededGenerator(seed: 61)
    let size = try #require(SampleSize.neededToDecide(ratio: 1.1, sameWithin: 0.02, logSpread: 0.1))
    var decided = 0
    let rounds = 300
    for _ in 0..<rounds {
      let first = generator.logNormals(size, median: 1.1, spread: 0.1)
      let second = generator.logNormals(size, spread: 0.1)
      let interval = try #require(HodgesLehmann.ratio(of: first, to: second)?.interval)
      if interval.lower > 1.02 { decided += 1 }
    }
    // Power 0.8: standard error 0.023.
    #expect(abs(Double(decided) / Double(rounds) - 0.8) < 0.09)
  }

  @Test func smallestDetectable() throws {
    let interval = ConfidenceInterval(lower: 0.8, upper: 1.25, confidence: 0.95, isDecisive: true)
    #expect(agree(try #require(SampleSize.smallestDetectableRatio(interval)), 1.25, relative: 1e-15))
    let beyond = try #require(SampleSize.smallestDetectableRatio(interval, sameWithin: 0.02))
    #expect(agree(beyond, 1.275, relative: 1e-15))
    // An interval of that width around that ratio just touches the threshold.
    #expect(agree(beyond / (1.25 / 0.8).squareRoot(), 1.02, relative: 1e-15))
    for (lower, upper) in [(0.0, 1.0), (1, .infinity), (-1, 1)] {
      let odd = ConfidenceInterval(lower: lower, upper: upper, confidence: 0.95, isDecisive: true)
      #expect(SampleSize.smallestDetectableRatio(odd) == nil)
    }
  }

  @Test func pooledSpread() throws {
    let first = [1, exp(2.0)]
    let second = [exp(1.0), exp(2.0), exp(3.0)]
    // Squares 2 and 2 over 1 + 2 degrees of freedom.
    let spread = try #require(SampleSize.pooledLogSpread(first, second))
    #expect(agree(spread, (4.0 / 3).squareRoot(), relative: 1e-14))
    #expect(SampleSize.pooledLogSpread([1], [2]) == nil)
    #expect(SampleSize.pooledLogSpread([], []) == nil)
    #expect(SampleSize.pooledLogSpread([0, 1], [2]) == nil)
    #expect(SampleSize.pooledLogSpread([1, 2], [2]) != nil)
  }
}
