import Testing

@testable import Statistics

@Suite struct DistributionTests {
  /// The largest r with 1 − 2·Σ_{i<r} C(n, i)/2^n ≥ 0.95, by Python's exact integers.
  static let medians: [(n: Int, lower: Int, upper: Int, confidence: Double)] = [
    (6, 1, 6, 0.96875), (10, 2, 9, 0.978515625), (25, 8, 18, 0.9567147493362427),
    (100, 40, 61, 0.9647997997822952), (1_000, 469, 532, 0.9537088026395019),
  ]

  @Test(arguments: medians) func medianInterval(_ n: Int, _ lower: Int, _ upper: Int, _ confidence: Double)
    throws
  {
    let interval = try #require(ConfidenceInterval.ofMedian(sorted: (1...n).map(Double.init), alpha: 0.05))
    #expect(interval.lower == Double(lower) && interval.upper == Double(upper))
    #expect(abs(interval.confidence - confidence) < 1e-9)
  }

  @Test func fewValuesHaveNoInterval() {
    #expect(ConfidenceInterval.ofMedian(sorted: [1, 2, 3, 4, 5], alpha: 0.05) == nil)
    #expect(ConfidenceInterval.ofMedian(sorted: [], alpha: 0.05) == nil)
  }

  @Test func stepsByHand() {
    let steps = EmpiricalDistribution([3, 1, 3, 2, .nan]).steps
    #expect(steps.map(\.value) == [1, 2, 3])
    #expect(steps.map(\.share) == [0.25, 0.5, 1])
    #expect(EmpiricalDistribution([]).steps.isEmpty)
  }

  @Test func fewStepsStandForMany() {
    let values = (0..<10_000).map { Double($0 * $0 % 7_919) }
    let (whole, few) = (
      EmpiricalDistribution(values, most: 10_000).steps, EmpiricalDistribution(values, most: 50).steps
    )
    #expect(few.count == 50 && few.first == whole.first && few.last == whole.last && few.last?.share == 1)
    #expect(few.allSatisfy(whole.contains))
    for (left, right) in zip(few, few.dropFirst()) {
      #expect(left.value < right.value && left.share < right.share)
      #expect(right.share - left.share < 0.03)
    }
  }
}
