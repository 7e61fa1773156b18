import Foundation
import Testing

@testable import Statistics

@Suite struct HistogramTests {
  @Test func linearByHand() {
    let histogram = Histogram([0, 1, 2, 2.5, 9.9, 10], bins: 4, scale: .linear)
    #expect(histogram.edges == [0, 2.5, 5, 7.5, 10])
    #expect(histogram.counts == [3, 1, 0, 2])
    #expect(histogram.excluded == 0)
  }

  @Test func logarithmicByHand() {
    let histogram = Histogram([1, 5, 10.5, 200, 1_000, 0, -3, .infinity, .nan], bins: 3, scale: .logarithmic)
    #expect(zip(histogram.edges, [1, 10, 100, 1_000]).allSatisfy { agree($0, $1, relative: 1e-14) })
    #expect(histogram.counts == [2, 1, 2])
    #expect(histogram.excluded == 4)
  }

  @Test(arguments: [Histogram.Scale.linear, .logarithmic])
  func everyValueIsInItsBin(scale: Histogram.Scale) {
    var generator = SeededGenerator(seed: 51)
    for bins in [1, 2, 7, 50] {
      let values = generator.logNormals(300, median: 1_000, spread: 1.5)
      let histogram = Histogram(values, bins: bins, scale: scale)
      #expect(histogram.counts.count == bins && histogram.edges.count == bins + 1)
      #expect(histogram.edges.first == values.min() && histogram.edges.last == values.max())
      #expect(zip(histogram.edges, histogram.edges.dropFirst()).allSatisfy { $0 < $1 })
      for (i, count) in histogram.counts.enumerated() {
        let isLast = i == bins - 1
        let inside = values.count {
          $0 >= histogram.edges[i] && ($0 < histogram.edges[i + 1] || isLast && $0 == histogram.edges[i + 1])
        }
        #expect(inside == count)
      }
    }
  }

  @Test func degenerate() {
    #expect(Histogram([], bins: 5, scale: .linear).counts.isEmpty)
    #expect(Histogram([0, -1], bins: 5, scale: .logarithmic).excluded == 2)
    #expect(Histogram([3, 3, 3], bins: 5, scale: .linear).counts == [3])
    #expect(Histogram([1, 2], bins: -5, scale: .linear).counts == [2])
    // No room for 10 bins between neighbours.
    #expect(Histogram([1, 1.0.nextUp], bins: 10, scale: .linear).counts.reduce(0, +) == 2)
    let ends = [-Double.greatestFiniteMagnitude, 0, .greatestFiniteMagnitude]
    #expect(Histogram(ends, bins: 3, scale: .linear).counts == [1, 1, 1])
  }

  @Test func suggestedBins() {
    // IQR of 0...899 is 449.5, ∛900 = 9.65: width 93.1, so 9.66 bins.
    #expect(Histogram.suggestedBins((0..<900).map(Double.init), scale: .linear) == 10)
    #expect(Histogram.suggestedBins((0..<900).map { exp(Double($0) / 100) }, scale: .logarithmic) == 10)
    #expect(Histogram.suggestedBins([1, 1, 1, 1, 1, 1, 1, 9], scale: .linear) == 4)
    #expect(Histogram.suggestedBins([], scale: .linear) == 1)
    #expect(Histogram.suggestedBins([2, 2], scale: .linear) == 1)
    #expect(Histogram.suggestedBins((0..<900).map(Double.init), scale: .linear, most: 6) == 6)
  }
}
