import Testing

@testable import Statistics

@Suite struct BCaBootstrapTests {
  private func statistic(_ name: String) -> BCaBootstrap.Statistic {
    name == "mean" ? .mean : .quantile(0.99)
  }

  /// SciPy resamples with other random numbers, so the ends agree within their Monte Carlo error: at 9,999
  /// resamples an end has a standard error of some 1 % of the interval's width for a mean. The extremes of a
  /// p99 are lumpy, being few distinct values.
  @Test(arguments: Golden.shared.bca.indices)
  func agreesWithSciPy(index: Int) throws {
    let golden = Golden.shared.bca[index]
    let kind = statistic(golden.statistic)
    let result = try #require(
      BCaBootstrap.ratio(kind, of: golden.first, to: golden.second, alpha: golden.alpha, seed: 7))
    #expect(agree(result.ratio, golden.ratio, relative: 1e-14))
    let interval = try #require(result.interval)
    let tolerance = (golden.statistic == "mean" ? 0.04 : 0.08) * (golden.upper - golden.lower)
    #expect(abs(interval.lower - golden.lower) < tolerance)
    #expect(abs(interval.upper - golden.upper) < tolerance)
    #expect(interval.isDecisive)
    #expect(interval.confidence == 1 - golden.alpha)

    let first = try #require(ResampledStatistic(kind, of: golden.first))
    let second = try #require(ResampledStatistic(kind, of: golden.second))
    let acceleration = BCaBootstrap.acceleration(first, second)
    #expect(agree(acceleration, golden.acceleration, relative: 1e-9, absolute: 1e-12))
  }

  /// BCa must correct in the right direction: against the plain percentile interval of skewed data, SciPy's
  /// correction is several tolerances of the test above.
  @Test func correctionMatters() throws {
    let golden = try #require(Golden.shared.bca.last)
    let first = try #require(ResampledStatistic(.mean, of: golden.first))
    let second = try #require(ResampledStatistic(.mean, of: golden.second))
    var generator = SeededGenerator(seed: 3)
    let plain = (0..<9_999).map { _ in
      let numerator = first.resample(using: &generator)
      return numerator / second.resample(using: &generator)
    }.sorted()
    let shift = abs(quantile(plain, 1 - golden.alpha / 2) - golden.upper)
    #expect(shift > 0.1 * (golden.upper - golden.lower))
  }

  /// The shortcut for quantiles draws from the same distribution as sorting real resamples.
  @Test(arguments: [(40, 0.5), (41, 0.99), (7, 0.9), (12, 0), (12, 1)])
  func quantileShortcutHasTheRightDistribution(count: Int, p: Double) throws {
    var generator = SeededGenerator(seed: 31)
    let values = generator.logNormals(count, spread: 1)
    let resampled = try #require(ResampledStatistic(.quantile(p), of: values))
    let shortcut = (0..<3_000).map { _ in resampled.resample(using: &generator) }
    let direct = (0..<3_000).map { _ in
      quantile((0..<count).map { _ in values[generator.next(below: count)] }.sorted(), p)
    }
    let test = try #require(MannWhitney(shortcut, direct))
    #expect(test.pValue > 0.001)
    // Ranks see a shift of the middle; the spread is seen by the quartiles.
    for level in [0.1, 0.25, 0.75, 0.9] {
      let bound = quantile(direct.sorted(), level)
      let below = direct.count { $0 < bound }
      let other = shortcut.count { $0 < bound }
      #expect(abs(below - other) < 140, "level \(level)")  // 3.6 standard deviations of √(2·3000·¼)
    }
  }

  @Test func seededAndScaling() throws {
    var generator = SeededGenerator(seed: 32)
    let first = generator.logNormals(30, median: 5, spread: 0.5)
    let second = generator.logNormals(24, median: 3, spread: 0.3)
    func interval(
      _ a: [Double], _ b: [Double], _ kind: BCaBootstrap.Statistic = .mean, alpha: Double = 0.05,
      seed: UInt64 = 1
    )
      throws -> ConfidenceInterval
    {
      try #require(
        BCaBootstrap.ratio(kind, of: a, to: b, alpha: alpha, resamples: 9_999, seed: seed)?.interval)
    }
    let base = try interval(first, second)
    #expect(try interval(first, second) == base)
    #expect(try interval(first, second, seed: 2) != base)
    #expect(try interval(first.reversed(), second) == base)
    let scaled = try interval(first.map { $0 * 4 }, second)
    #expect(agree(scaled.lower, 4 * base.lower, relative: 1e-12))
    // Up to Monte Carlo error and the second order of the acceleration.
    let inverse = try interval(second, first)
    let tolerance = 0.06 * (base.upper - base.lower)
    #expect(abs(1 / inverse.upper - base.lower) < tolerance)
    #expect(abs(1 / inverse.lower - base.upper) < tolerance)
    // A total is the mean times the number of values.
    let total = try interval(first, second, .total)
    #expect(agree(total.lower, base.lower * 30 / 24, relative: 1e-12))
    #expect(agree(total.upper, base.upper * 30 / 24, relative: 1e-12))
    var previous = base
    for alpha in [0.02, 0.005] {
      let wider = try interval(first, second, alpha: alpha)
      #expect(wider.lower < previous.lower && wider.upper > previous.upper)
      previous = wider
    }
  }

  @Test func coverageOfTheMeanRatio() throws {
    var generator = SeededGenerator(seed: 33)
    let rounds = 200
    var covered = 0
    for round in 0..<rounds {
      let first = generator.logNormals(30, median: 2, spread: 0.3)
      let second = generator.logNormals(30, median: 1, spread: 0.3)
      let estimate = try #require(
        BCaBootstrap.ratio(.mean, of: first, to: second, alpha: 0.1, resamples: 499, seed: UInt64(round)))
      let interval = try #require(estimate.interval)
      if interval.lower <= 2, 2 <= interval.upper { covered += 1 }
    }
    // 90 % nominal; binomial standard deviation 4.2 of 200, and small samples cover a little less.
    #expect(covered > 160 && covered < 196)
  }

  @Test func degenerateInputs() throws {
    #expect(BCaBootstrap.ratio(.mean, of: [], to: [1], seed: 1) == nil)
    #expect(BCaBootstrap.ratio(.mean, of: [1], to: [], seed: 1) == nil)
    #expect(BCaBootstrap.ratio(.mean, of: [1, 2], to: [0, 0], seed: 1) == nil)
    #expect(BCaBootstrap.ratio(.mean, of: [.infinity, 2], to: [1, 2], seed: 1) == nil)
    let single = try #require(BCaBootstrap.ratio(.mean, of: [4], to: [2, 2], seed: 1))
    #expect(single == RatioEstimate(ratio: 2, interval: nil))
    let constant = try #require(BCaBootstrap.ratio(.total, of: [0.1, 0.1, 0.1], to: [0.3, 0.3], seed: 1))
    let interval = try #require(constant.interval)
    #expect(interval.lower == constant.ratio && interval.upper == constant.ratio)
    let zero = try #require(BCaBootstrap.ratio(.mean, of: [0, 0, 0], to: [1, 2, 3], resamples: 99, seed: 1))
    #expect(zero.ratio == 0)
    #expect(try #require(zero.interval).upper == 0)
    #expect(BCaBootstrap.ratio(.mean, of: [1, 2], to: [1, 2], resamples: 0, seed: 1)?.interval == nil)
    // Half of the resamples of the second side are all zero: a ratio without an upper end.
    let sparse = try #require(
      BCaBootstrap.ratio(.quantile(0.5), of: [1, 2, 3], to: [0, 0, 5, 6, 7], resamples: 999, seed: 1))
    #expect(try #require(sparse.interval).upper == .infinity)
  }

  /// 999 resamples cannot show one in 10,000.
  @Test func levelBeyondTheResamples() throws {
    let first: [Double] = [3, 4, 5, 6, 9]
    let estimate = try #require(
      BCaBootstrap.ratio(.mean, of: first, to: [1, 2, 3, 5], alpha: 1e-4, resamples: 999, seed: 1))
    let interval = try #require(estimate.interval)
    #expect(!interval.isDecisive)
    #expect(agree(interval.confidence, 0.998, relative: 1e-12))
    for alpha in [0, -1, Double.nan] {
      let widest = try #require(
        BCaBootstrap.ratio(.mean, of: first, to: [1, 2, 3, 5], alpha: alpha, resamples: 999, seed: 1)?
          .interval)
      #expect(!widest.isDecisive)
      #expect(widest.lower <= interval.lower && widest.upper >= interval.upper)
    }
  }
}
