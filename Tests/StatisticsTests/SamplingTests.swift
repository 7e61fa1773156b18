import Testing

@testable import Statistics

@Suite struct SamplingTests {
  /// Outputs of Vigna's xoshiro256plusplus.c for the state 1, 2, 3, 4, as the rand_xoshiro crate's tests
  /// quote them.
  @Test func generatorIsThePublishedOne() {
    var generator = SeededGenerator(state: (1, 2, 3, 4))
    let expected: [UInt64] = [
      41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205,
      9_973_669_472_204_895_162, 14_011_001_112_246_962_877, 12_406_186_145_184_390_807,
      15_849_039_046_786_891_736, 10_450_023_813_501_588_000,
    ]
    for value in expected { #expect(generator.next() == value) }
  }

  /// Outputs of Vigna's splitmix64.c, from the same source.
  @Test func seederIsThePublishedOne() {
    var seeder = SplitMix64(state: 1_477_776_061_723_855_037)
    let expected: [UInt64] = [
      1_985_237_415_132_408_290, 2_979_275_885_539_914_483, 13_511_426_838_097_143_398,
      8_488_337_342_461_049_707, 15_141_737_807_933_549_159,
    ]
    for value in expected { #expect(seeder.next() == value) }
  }

  @Test func boundedNumbersAreUniform() {
    var generator = SeededGenerator(seed: 1)
    var counts = [0, 0, 0, 0, 0, 0, 0]
    for _ in 0..<14_000 { counts[generator.next(below: 7)] += 1 }
    // Chi-squared with 6 degrees of freedom: 22.46 is passed once in a thousand.
    let deviation = counts.reduce(0.0) { $0 + (Double($1) - 2_000) * (Double($1) - 2_000) / 2_000 }
    #expect(deviation < 22.46)
    #expect(generator.next(below: 1) == 0)
    #expect(generator.next(below: -3) == 0)
  }

  @Test func subsampleKeepsOrderAndIsUniform() {
    let values = (0..<20).map(Double.init)
    var counts = [Int](repeating: 0, count: 20)
    for seed in 0..<2_000 {
      let chosen = subsample(5, from: values, seed: UInt64(seed))
      #expect(chosen.count == 5)
      #expect(zip(chosen, chosen.dropFirst()).allSatisfy { $0 < $1 })
      for value in chosen { counts[Int(value)] += 1 }
    }
    // Each is chosen in a quarter: 500 of 2,000, standard deviation 19.4; five of them.
    #expect(counts.allSatisfy { abs($0 - 500) < 97 })
    #expect(subsample(5, from: values, seed: 9) == subsample(5, from: values, seed: 9))
    #expect(subsample(5, from: values, seed: 9) != subsample(5, from: values, seed: 10))
    #expect(subsample(20, from: values, seed: 1) == values)
    #expect(subsample(99, from: values, seed: 1) == values)
    #expect(subsample(0, from: values, seed: 1).isEmpty)
    #expect(subsample(-1, from: values, seed: 1).isEmpty)
  }
}
