import Statistics
import Testing

@testable import Analysis

@Suite("Durations of one function")
struct DurationSampleTests {
  @Test("Up to the limit every figure is exact, by hand")
  func byHand() {
    let sample = DurationSample([4, 1, 3, 2], resolution: 10)
    #expect(sample.count == 4)
    #expect(sample.total == 10)
    #expect((sample.minimum, sample.maximum) == (1, 4))
    #expect(sample.mean == 2.5)
    // Squared deviations 2.25 + 0.25 + 0.25 + 2.25 over n − 1 = 3.
    #expect(abs((sample.standardDeviation ?? 0) - (5.0 / 3).squareRoot()) < 1e-12)
    // Type 7: 1 + (n − 1)p = 2.5 and 3.7 from 1.
    #expect(sample.quantile(0.5) == 2.5)
    #expect(abs((sample.quantile(0.9) ?? 0) - 3.7) < 1e-12)
    #expect(sample.quantiles([0, 1]) == [1, 4])
    #expect(sample.resolution == 10)
    #expect(sample.isExact && sample.quantileError == 0)
  }

  @Test("One duration has no standard deviation, none has nothing")
  func small() {
    #expect(DurationSample([7]).standardDeviation == nil)
    #expect(DurationSample([7]).quantile(0.99) == 7)
    let none = DurationSample([])
    #expect(
      none.count == 0 && none.mean == nil && none.quantile(0.5) == nil
        && none.quantiles([0.5, 0.9]) == [nil, nil])
    #expect(none.compared(seed: 1).isEmpty)
  }

  @Test("A duration of 0 counts as half of the resolution it was printed with")
  func zeros() {
    var sample = DurationSample()
    sample.add(0, resolution: 100)
    sample.add(5_000, resolution: 1_000)
    #expect(sample.compared(seed: 1) == [50, 5_000])
    #expect(sample.resolution == 1_000)
    #expect(sample.minimum == 0)
  }

  @Test("A sum beyond Int64 stays at its greatest value")
  func overflow() {
    let sample = DurationSample([.max, 1, .max])
    #expect(sample.total == .max)
    #expect(sample.count == 3)
  }

  @Test(
    "Beyond the limit quantiles are within the stated error, and all else is exact",
    arguments: [UInt64(1), 2])
  func sketch(seed: UInt64) throws {
    var random = TestGenerator(state: seed)
    let count = 150_000
    // Over five decades.
    let durations = (0..<count).map { _ in
      Int64((0..<5).reduce(1_000.0) { value, _ in value * (1 + 9 * random.uniform()) })
    }
    let sample = DurationSample(durations)
    #expect(!sample.isExact)
    #expect(sample.count == count)
    #expect(sample.total == durations.reduce(0, +))
    #expect((sample.minimum, sample.maximum) == (durations.min(), durations.max()))
    let mean = Double(sample.total) / Double(count)
    #expect(abs((sample.mean ?? 0) / mean - 1) < 1e-12)
    let squares = durations.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    #expect(abs((sample.standardDeviation ?? 0) / (squares / Double(count - 1)).squareRoot() - 1) < 1e-9)
    #expect(sample.quantileError > 0 && sample.quantileError <= 0.005)
    let sorted = durations.sorted()
    for p in [0.01, 0.1, 0.5, 0.9, 0.99, 0.999] {
      let exact = Double(sorted[Int(p * Double(count - 1))])
      let found = try #require(sample.quantile(p))
      #expect(abs(found / exact - 1) <= sample.quantileError * 1.000001)
    }
    #expect(sample.quantile(0) == Double(sorted[0]))
    #expect(sample.quantile(1) == Double(sorted[count - 1]))
    // The subsample is one of the durations, and a fair one: its median lies where it should, four of its errors wide.
    let chosen = sample.compared(seed: 1)
    #expect(chosen.count == DurationSample.comparedLimit)
    let below = chosen.count { $0 < Double(sorted[count / 2]) }
    #expect(abs(below - 5_000) < 200)
  }

  @Test("Between 10,000 and 100,000 a seeded subsample is compared, the same for the same seed")
  func subsample() {
    let sample = DurationSample((1...50_000).map { Int64($0) })
    #expect(sample.isExact)
    let chosen = sample.compared(seed: 5)
    #expect(chosen.count == 10_000)
    #expect(Set(chosen).count == 10_000)
    #expect(chosen == sample.compared(seed: 5))
    #expect(chosen != sample.compared(seed: 6))
    #expect(abs(chosen.reduce(0, +) / 10_000 - 25_000) < 600)
  }

  @Test("A lowered limit keeps what was summed")
  func lowered() {
    var sample = DurationSample((1...5_000).map { Int64($0) })
    sample.lowerLimit(to: 1_024)
    #expect(!sample.isExact)
    #expect(sample.count == 5_000)
    #expect(sample.total == 12_502_500)
    // What is compared is a uniform sample, no larger than the limit.
    let compared = sample.compared(seed: 0)
    #expect(compared.count == 1_024)
    #expect(Set(compared).count == 1_024)
    #expect(compared.allSatisfy { (1...5_000).contains(Int($0)) })
    #expect(abs(compared.reduce(0, +) / 1_024 - 2_500) < 200)
    sample.add(6_000, resolution: 1)
    #expect(sample.maximum == 6_000)
    #expect(sample.count == 5_001)
  }
}
