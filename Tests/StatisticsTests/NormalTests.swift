import Testing

@testable import Statistics

@Suite struct NormalTests {
  @Test func quantileAgreesWithSciPy() {
    let golden = Golden.shared.normal
    for (p, expected) in zip(golden.p, golden.quantile) {
      #expect(agree(normalQuantile(p), expected, relative: 4e-15, absolute: 1e-15), "p = \(p)")
    }
  }

  @Test func distributionAgreesWithSciPy() {
    let golden = Golden.shared.normal
    for (x, expected) in zip(golden.x, golden.cdf) {
      #expect(agree(normalCDF(x), expected, relative: 1e-13), "x = \(x)")
    }
  }

  @Test func endsAndOutside() {
    #expect(normalQuantile(0) == -.infinity)
    #expect(normalQuantile(1) == .infinity)
    #expect(normalQuantile(0.5) == 0)
    #expect(normalQuantile(-0.1).isNaN)
    #expect(normalQuantile(1.1).isNaN)
    #expect(normalQuantile(.nan).isNaN)
  }

  @Test func binomialCoefficients() {
    #expect(choose(8, 4) == 70)
    #expect(choose(100, 50) == Double(100_891_344_545_564_193_334_812_497_256 as UInt128))
    #expect(choose(5, 0) == 1)
    #expect(choose(5, 6) == 0)
    #expect(choose(5, -1) == 0)
    #expect(choose(-1, 0) == 0)
    // Beyond 128 bits, by log-gamma: C(200, 100), OEIS A000984.
    #expect(agree(choose(200, 100), 9.054851465610328e58, relative: 1e-11))
    #expect(choose(100_000, 50_000) == .infinity)
    #expect(agree(logChoose(8, 4), 4.248495242049359, relative: 1e-14))
  }
}
