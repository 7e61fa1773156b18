import Testing

@testable import Statistics

@Suite struct MannWhitneyTests {
  @Test(arguments: Golden.shared.mannWhitney.indices)
  func agreesWithSciPyAndWithCounting(index: Int) throws {
    let golden = Golden.shared.mannWhitney[index]
    let result = try #require(MannWhitney(golden.first, golden.second))
    #expect(result.u == golden.u)
    #expect(agree(result.cliffsDelta, golden.cliffsDelta, relative: 1e-13, absolute: 1e-15))
    #expect(result.isExact == (golden.method != "asymptotic"))
    #expect(agree(result.pValue, golden.pValue, relative: 1e-12), "\(golden.method)")
  }

  /// Every pooled order of up to 4 values a side, ties included, against listing all choices.
  @Test func tiedDistributionByExhaustion() {
    for n in 1...4 {
      for m in 1...4 {
        for pattern in 0..<(1 << (n + m - 1)) {
          // Bit i says whether value i + 1 equals value i.
          var values = [0.0]
          for i in 0..<(n + m - 1) { values.append(values[i] + (pattern >> i & 1 == 1 ? 0 : 1)) }
          let expected = exhaustiveTails(values, n: n)
          let groups = Dictionary(grouping: values) { $0 }.sorted { $0.key < $1.key }.map(\.value.count)
          for doubledU in stride(from: 0, through: 2 * n * m, by: 1) {
            let result = MidrankDistribution(groups: groups, n: n, m: m, doubledU: doubledU)
            let lower = expected.filter { $0 <= doubledU }.count
            let upper = expected.filter { $0 >= doubledU }.count
            let total = Double(expected.count)
            #expect(agree(result.lower, Double(lower) / total, relative: 1e-14, absolute: 1e-15))
            #expect(agree(result.upper, Double(upper) / total, relative: 1e-14, absolute: 1e-15))
          }
        }
      }
    }
  }

  /// 2U of every choice of n of the values.
  private func exhaustiveTails(_ values: [Double], n: Int) -> [Int] {
    (0..<(1 << values.count)).filter { $0.nonzeroBitCount == n }.map { choice in
      var doubled = 0
      for i in values.indices where choice >> i & 1 == 1 {
        for j in values.indices where choice >> j & 1 == 0 {
          doubled += values[i] > values[j] ? 2 : values[i] == values[j] ? 1 : 0
        }
      }
      return doubled
    }
  }

  @Test func withoutTiesBothExactPathsAgree() {
    for (n, m, u) in [(5, 9, 11), (20, 20, 150), (40, 31, 620), (31, 40, 700)] {
      let groups = [Int](repeating: 1, count: n + m)
      let byGroups = MidrankDistribution(groups: groups, n: n, m: m, doubledU: 2 * u)
      let closed = RankSumDistribution(n, m)
      #expect(agree(byGroups.lower, closed.cumulative(u), relative: 1e-12))
      #expect(agree(byGroups.upper, closed.cumulative(n * m - u), relative: 1e-12))
    }
  }

  @Test func symmetries() throws {
    var generator = SeededGenerator(seed: 11)
    for round in 0..<40 {
      let first = generator.tied(3 + round % 7, below: 6)
      let second = generator.tied(2 + round % 5, below: 7)
      let there = try #require(MannWhitney(first, second))
      let back = try #require(MannWhitney(second, first))
      #expect(there.cliffsDelta == -back.cliffsDelta)
      #expect(there.u + back.u == Double(first.count * second.count))
      #expect(agree(there.pValue, back.pValue, relative: 1e-13))
      // Ranks know neither order nor scale.
      #expect(MannWhitney(first.shuffled(using: &generator), second) == there)
      #expect(MannWhitney(first.map { 3 * $0 + 1 }, second.map { 3 * $0 + 1 }) == there)
    }
  }

  /// Under the hypothesis P(p ≤ α) ≤ α, ties or not.
  @Test func pValuesAreValid() throws {
    var generator = SeededGenerator(seed: 12)
    let rounds = 1_500
    for bound in [4, 1_000_000] {
      var small = 0
      for _ in 0..<rounds {
        let p = try #require(MannWhitney(generator.tied(6, below: bound), generator.tied(7, below: bound)))
        if p.pValue <= 0.05 { small += 1 }
      }
      // Three standard errors above the level; and far enough from never.
      #expect(Double(small) / Double(rounds) <= 0.05 + 3 * (0.05 * 0.95 / Double(rounds)).squareRoot())
      #expect(small > rounds / 100)
    }
  }

  @Test func deltaIsPositiveWhereTheFirstIsLarger() throws {
    #expect(try #require(MannWhitney([5, 6, 7], [1, 2])).cliffsDelta == 1)
    #expect(try #require(MannWhitney([1], [2, 3])).cliffsDelta == -1)
    #expect(try #require(MannWhitney([1, 1], [1, 1])).pValue == 1)
  }

  @Test func oddInputs() throws {
    #expect(MannWhitney([], [1]) == nil)
    #expect(MannWhitney([1], []) == nil)
    #expect(try #require(MannWhitney([.infinity, 1], [-.infinity, 0])).cliffsDelta == 1)
    // No trap, no hang.
    _ = MannWhitney([.nan, 1, .nan], [.nan, 2])
    let equal = [Double](repeating: 3, count: 200)
    #expect(try #require(MannWhitney(equal, equal)).pValue == 1)
  }
}
