import FunctionGraph
import Statistics
import Testing

@testable import Analysis

/// Two sides, and what the contract says of them, worked out by hand.
struct VerdictCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var before: [[Int64]]
  var after: [[Int64]]
  var resolution: UInt32 = 1
  var metric = Metric.median
  var sameWithin = 0.02
  var runSpread = 0.03
  var gates = Gates()
  var unit = ComparisonUnit.run
  var speedup: Double
  var interval: (Double, Double)?
  var confidence: Double?
  var pValue: Double?
  var verdict: Verdict
  var gate: GateOutcome?
  var notes: [FunctionNote] = []

  private static func runs(_ values: Int64...) -> [[Int64]] { values.map { [$0] } }
  /// 1 + z√2·0.03 with z = 1.959964.
  static let widening = 1 + 1.959963984540054 * 2.0.squareRoot() * 0.03
  private static let holds = Gates(maxSlowdown: 0.05)

  // Four a side: C(8, 4) = 70, so the widest interval, smallest to largest ratio, has 1 − 2/70 ≥ 0.95.
  static let all: [VerdictCase] = [
    VerdictCase(
      testDescription: "4 v 4, apart: twice as fast", before: runs(200, 200, 200, 200),
      after: runs(100, 100, 100, 100),
      speedup: 2, interval: (2, 2), confidence: 1 - 2.0 / 70, pValue: 2.0 / 70, verdict: .faster),
    VerdictCase(
      testDescription: "4 v 4, apart and spread: smallest over largest to largest over smallest",
      before: runs(200, 220, 210, 230), after: runs(103, 100, 102, 101), gates: Gates(minSpeedup: 1.9),
      speedup: .nan, interval: (200.0 / 103, 230.0 / 100), confidence: 1 - 2.0 / 70, pValue: 2.0 / 70,
      verdict: .faster,
      gate: .holds),
    VerdictCase(
      testDescription: "4 v 4, apart the other way", before: runs(100, 100, 100, 100),
      after: runs(200, 200, 200, 200),
      gates: holds, speedup: 0.5, interval: (0.5, 0.5), confidence: 1 - 2.0 / 70, pValue: 2.0 / 70,
      verdict: .slower,
      gate: .fails),
    VerdictCase(
      testDescription: "4 v 4, identical", before: runs(100, 100, 100, 100), after: runs(100, 100, 100, 100),
      gates: holds, speedup: 1, interval: (1, 1), confidence: 1 - 2.0 / 70, pValue: 1, verdict: .same,
      gate: .holds),
    VerdictCase(
      testDescription: "4 v 4, ties across", before: runs(100, 100, 110, 110),
      after: runs(100, 100, 110, 110),
      gates: holds, speedup: 1, interval: (100.0 / 110, 110.0 / 100), confidence: 1 - 2.0 / 70, pValue: 1,
      verdict: .unclear, gate: .undecided),
    VerdictCase(
      testDescription: "4 v 4, ties across, within a wide margin", before: runs(100, 100, 110, 110),
      after: runs(100, 100, 110, 110), sameWithin: 0.1, gates: Gates(maxSlowdown: 0.1), speedup: 1,
      interval: (100.0 / 110, 110.0 / 100), pValue: 1, verdict: .same, gate: .holds),
    VerdictCase(
      testDescription: "an end on the margin is within it", before: runs(102, 102, 102, 102),
      after: runs(100, 100, 100, 100), speedup: 1.02, interval: (1.02, 1.02), verdict: .same),
    VerdictCase(
      testDescription: "a slowdown of just what is allowed holds", before: runs(100, 100, 100, 100),
      after: runs(105, 105, 105, 105), gates: holds, speedup: 100.0 / 105,
      interval: (100.0 / 105, 100.0 / 105),
      verdict: .slower, gate: .holds),
    VerdictCase(
      testDescription: "a speedup of just what is asked for holds", before: runs(300, 300, 300, 300),
      after: runs(100, 100, 100, 100), gates: Gates(minSpeedup: 3), speedup: 3, interval: (3, 3),
      verdict: .faster,
      gate: .holds),
    VerdictCase(
      testDescription: "of two gates the worse counts", before: runs(200, 200, 200, 200),
      after: runs(100, 100, 100, 100), gates: Gates(maxSlowdown: 0.05, minSpeedup: 3), speedup: 2,
      interval: (2, 2),
      verdict: .faster, gate: .fails),
    VerdictCase(
      testDescription: "3 v 3: the widest interval with its own confidence, and nothing is decided",
      before: runs(200, 210, 220), after: runs(100, 101, 102), gates: holds, speedup: .nan,
      interval: (200.0 / 102, 220.0 / 100), confidence: 1 - 2.0 / 20, pValue: 2.0 / 20, verdict: .unclear,
      gate: .undecided, notes: [.tooFew(needed: 4)]),
    VerdictCase(
      testDescription: "2 v 20 has an interval: C(22, 2) = 231", before: runs(200, 200),
      after: [[Int64]](repeating: [100], count: 20), speedup: 2, interval: (2, 2), confidence: .nan,
      verdict: .faster),
    VerdictCase(
      testDescription: "1 v 5: no interval", before: runs(200), after: runs(100, 100, 100, 100, 100),
      gates: holds,
      speedup: 2, interval: nil, pValue: 2.0 / 6, verdict: .unclear, gate: .undecided,
      notes: [.oneAgainstSeveral]),
    VerdictCase(
      testDescription: "5 v 1: no interval", before: runs(200, 200, 200, 200, 200),
      after: [[100, 100, 100, 100]],
      speedup: 2, interval: nil, pValue: 2.0 / 6, verdict: .unclear, notes: [.oneAgainstSeveral]),
    VerdictCase(
      testDescription: "the patch's two lines: one call a side", before: runs(73_036_000),
      after: runs(33_813_703),
      gates: holds, unit: .call, speedup: 73_036_000.0 / 33_813_703, interval: nil, verdict: .unclear,
      gate: .undecided, notes: [.oneSample]),
    VerdictCase(
      testDescription: "one trace a side: decided on the widened interval", before: [[200, 200, 200, 200]],
      after: [[100, 100, 100, 100]], gates: Gates(minSpeedup: 1.84), unit: .call, speedup: 2,
      interval: (2, 2),
      confidence: 1 - 2.0 / 70, pValue: 2.0 / 70, verdict: .faster, gate: .holds,
      notes: [.widened(runSpread: 0.03)]),
    VerdictCase(
      testDescription: "one trace a side: a gate inside of the widened interval is not decided",
      before: [[200, 200, 200, 200]], after: [[100, 100, 100, 100]], gates: Gates(minSpeedup: 1.85),
      unit: .call,
      speedup: 2, interval: (2, 2), verdict: .faster, gate: .undecided),
    VerdictCase(
      testDescription: "one trace a side: a gate beyond the widened interval fails",
      before: [[200, 200, 200, 200]],
      after: [[100, 100, 100, 100]], gates: Gates(minSpeedup: 2.17), unit: .call, speedup: 2,
      interval: (2, 2),
      verdict: .faster, gate: .fails),
    VerdictCase(
      testDescription: "one trace a side, identical: the spread between runs leaves it open",
      before: [[100, 100, 100, 100]], after: [[100, 100, 100, 100]], unit: .call, speedup: 1,
      interval: (1, 1),
      verdict: .unclear),
    VerdictCase(
      testDescription: "one trace a side, identical, no spread between runs", before: [[100, 100, 100, 100]],
      after: [[100, 100, 100, 100]], runSpread: 0, unit: .call, speedup: 1, interval: (1, 1), verdict: .same),
    VerdictCase(
      testDescription: "zeros on both sides are the same", before: runs(0, 0, 0, 0), after: runs(0, 0, 0, 0),
      resolution: 1_000, speedup: 1, interval: (1, 1), verdict: .same),
    VerdictCase(
      testDescription: "2 us against 0: half the resolution stands for 0",
      before: runs(2_000, 2_000, 2_000, 2_000),
      after: runs(0, 0, 0, 0), resolution: 1_000, speedup: 4, interval: (4, 4), verdict: .faster),
    VerdictCase(
      testDescription: "1 us against 0 is below the resolution", before: runs(1_000, 1_000, 1_000, 1_000),
      after: runs(0, 0, 0, 0), resolution: 1_000, speedup: 2, interval: (2, 2), verdict: .unclear,
      notes: [.belowResolution(1_000)]),
    VerdictCase(
      testDescription: "a difference of just the resolution may be one",
      before: runs(2_000, 2_000, 2_000, 2_000),
      after: runs(1_000, 1_000, 1_000, 1_000), resolution: 1_000, speedup: 2, interval: (2, 2),
      verdict: .faster),
    VerdictCase(
      testDescription: "min of runs",
      before: [[200, 900], [200, 300], [500, 200], [200, 7]].map { $0.map { $0 + 100 } },
      after: [[100, 5_000], [100, 100], [100, 100], [100, 200]], metric: .min, speedup: 3,
      interval: (1.07, 3), verdict: .faster),
    VerdictCase(
      testDescription: "mean of runs", before: [[100, 300], [200, 200], [50, 350], [199, 201]],
      after: [[100, 100], [50, 150], [90, 110], [100, 100]], metric: .mean, speedup: 2, interval: (2, 2),
      verdict: .faster),
    VerdictCase(
      testDescription: "total of runs counts the calls",
      before: [[100, 100], [100, 100], [100, 100], [100, 100]],
      after: [[100], [100], [100], [100]], metric: .total, speedup: 2, interval: (2, 2), verdict: .faster,
      notes: [.callCountDiffers(before: 2, after: 1)]),
    VerdictCase(
      // Type 7: 0.99 of the way from 100 to 200.
      testDescription: "p99 of runs", before: [[100, 200], [100, 200], [200, 100], [100, 200]],
      after: [[199], [199], [199], [199]], metric: .p99, speedup: 1, interval: (1, 1), verdict: .same),
    VerdictCase(
      testDescription: "min of calls has no interval", before: [[300, 200, 400, 500]],
      after: [[100, 150, 160, 170]],
      metric: .min, gates: holds, unit: .call, speedup: 2, interval: nil, verdict: .unclear, gate: .undecided,
      notes: [.metricWithoutInterval(.min)]),
    VerdictCase(
      testDescription: "p99 of few calls has no interval", before: [[Int64](repeating: 200, count: 499)],
      after: [[Int64](repeating: 100, count: 600)], metric: .p99, gates: holds, unit: .call, speedup: 2,
      interval: nil,
      verdict: .unclear, gate: .undecided, notes: [.tooFewCallsForP99(needed: 500)]),
    VerdictCase(
      testDescription: "p99 of 500 calls has one", before: [[Int64](repeating: 200, count: 500)],
      after: [[Int64](repeating: 100, count: 500)], metric: .p99, unit: .call, speedup: 2, interval: (2, 2),
      confidence: 0.95, verdict: .faster),
    VerdictCase(
      testDescription: "total of one trace a side counts the calls",
      before: [[Int64](repeating: 200, count: 60)],
      after: [[Int64](repeating: 100, count: 30)], metric: .total, unit: .call, speedup: 4, interval: (4, 4),
      verdict: .faster),
    VerdictCase(
      testDescription: "total of more calls than are compared counts them all",
      before: [[Int64](repeating: 200, count: 40_000)], after: [[Int64](repeating: 100, count: 20_000)],
      metric: .total, unit: .call, speedup: 4, interval: (4, 4), verdict: .faster,
      notes: [.subsampled(limit: 10_000)]),
    VerdictCase(
      testDescription: "min of more calls than are compared looks at them all",
      before: [[7] + [Int64](repeating: 200, count: 40_000)],
      after: [[14] + [Int64](repeating: 100, count: 120_000)],
      metric: .min, unit: .call, speedup: 0.5, interval: nil, verdict: .unclear),
    VerdictCase(
      testDescription: "mean of 3 v 3 calls: too few for a bootstrap", before: [[200, 210, 220]],
      after: [[100, 101, 102]], metric: .mean, unit: .call, speedup: 210.0 / 101,
      interval: (200.0 / 102, 2.2),
      confidence: 0.9, verdict: .unclear, notes: [.tooFew(needed: 4)]),
  ]
}

@Suite("Verdicts and gates")
struct VerdictTests {
  private func compare(_ example: VerdictCase, swapped: Bool = false) throws -> FunctionComparison {
    var request = ComparisonRequest()
    request.metric = example.metric
    request.sameWithin = example.sameWithin
    request.runSpread = example.runSpread
    request.gates = example.gates
    let before = ComparedSide(
      "before", swapped ? example.after : example.before, resolution: example.resolution)
    let after = ComparedSide(
      "after", swapped ? example.before : example.after, resolution: example.resolution)
    let comparison = try Comparator(selection: selection("f"), request: request).compare(before, after)
    #expect(comparison.gate == comparison.functions.first?.gate)
    return try #require(comparison.functions.first)
  }

  private func isClose(_ a: Double?, _ b: Double?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) <= 1e-9 * abs(b)
  }

  @Test("By hand", arguments: VerdictCase.all)
  func byHand(_ example: VerdictCase) throws {
    let found = try compare(example)
    #expect(found.unit == example.unit)
    #expect(found.verdict == example.verdict)
    #expect(found.gate == example.gate)
    if !example.speedup.isNaN { #expect(isClose(found.speedup, example.speedup)) }
    #expect(isClose(found.interval?.lower, example.interval?.0))
    #expect(isClose(found.interval?.upper, example.interval?.1))
    if let confidence = example.confidence, !confidence.isNaN {
      #expect(isClose(found.interval?.confidence, confidence))
    }
    if let p = example.pValue { #expect(isClose(found.pValue, p)) }
    if example.unit == .call, example.before.count + example.after.count == 2, example.before[0].count == 1 {
      #expect(found.pValue == nil)
    }
    for note in example.notes { #expect(found.notes.contains(note)) }
    // Widened for calls, as it is for runs.
    let factor = example.unit == .call ? 1 + (VerdictCase.widening - 1) * example.runSpread / 0.03 : 1
    #expect(isClose(found.decisionInterval?.lower, example.interval.map { $0.0 / factor }))
    #expect(isClose(found.decisionInterval?.upper, example.interval.map { $0.1 * factor }))
    #expect(found.before.runs == example.before.count)
    #expect(found.after.calls == example.after.joined().count)
    // What is not decided is explained.
    if found.verdict == .unclear { #expect(!found.notes.isEmpty) }
  }

  @Test("The estimate is the median of all ratios, in logarithms")
  func estimate() throws {
    let example = try #require(VerdictCase.all.first { $0.speedup.isNaN && $0.before.count == 4 })
    let ratios = example.before.flatMap { b in example.after.map { a in Double(b[0]) / Double(a[0]) } }
      .sorted()
    #expect(isClose(try compare(example).speedup, (ratios[7] * ratios[8]).squareRoot()))
  }

  @Test(
    "With the sides exchanged the speedup is inverted and the verdict mirrored", arguments: VerdictCase.all)
  func exchanged(_ example: VerdictCase) throws {
    // A bootstrap draws other resamples for the other order.
    let (one, other) = (try compare(example), try compare(example, swapped: true))
    let mirror: [Verdict: Verdict] = [.faster: .slower, .slower: .faster, .same: .same, .unclear: .unclear]
    #expect(other.verdict == mirror[one.verdict])
    #expect(isClose(other.speedup, 1 / one.speedup))
    #expect(isClose(other.interval?.lower, one.interval.map { 1 / $0.upper }))
    #expect(isClose(other.interval?.upper, one.interval.map { 1 / $0.lower }))
    #expect(isClose(other.pValue, one.pValue))
    #expect(isClose(other.cliffsDelta, one.cliffsDelta.map { -$0 }))
    #expect(other.before.value == one.after.value)
  }

  @Test("A longer unit of time and another order of runs change nothing", arguments: UInt64(1)...10)
  func invariance(seed: UInt64) throws {
    var random = TestGenerator(state: seed)
    func runs(_ scale: Double) -> [[Int64]] {
      (0..<(4 + random.roll(4))).map { _ in
        (0..<9).map { _ in Int64(scale * (1 + 0.3 * random.uniform()) * 1e6) }
      }
    }
    let (before, after) = (runs(1.1), runs(1))
    for metric in Metric.allCases {
      var request = ComparisonRequest()
      request.metric = metric
      func compared(_ before: [[Int64]], _ after: [[Int64]]) throws -> FunctionComparison {
        let comparison = try Comparator(selection: selection("f"), request: request).compare(
          ComparedSide("b", before), ComparedSide("a", after))
        return try #require(comparison.functions.first)
      }
      let plain = try compared(before, after)
      let shuffled = try compared(
        before.shuffled(using: &random).map { $0.shuffled(using: &random) }, after.shuffled(using: &random))
      #expect(isClose(shuffled.speedup, plain.speedup))
      #expect(isClose(shuffled.interval?.lower, plain.interval?.lower))
      #expect(isClose(shuffled.pValue, plain.pValue))
      #expect(shuffled.verdict == plain.verdict)
      let scaled = try compared(before.map { $0.map { $0 * 1_000 } }, after.map { $0.map { $0 * 1_000 } })
      #expect(isClose(scaled.speedup, plain.speedup))
      #expect(isClose(scaled.interval?.upper, plain.interval?.upper))
      #expect(isClose(scaled.pValue, plain.pValue))
      #expect(scaled.verdict == plain.verdict)
    }
  }

  @Test(
    "The four verdicts by where the ends lie, for a margin of 2 %",
    arguments: [
      (1.03, 1.1, .faster), (1.02, 1.1, .unclear), (1.01, 1.1, .unclear), (0.99, 1.01, .same),
      (0.99, 1.02, .same), (0.99, 1.03, .unclear), (1 / 1.02, 1.02, .same), (0.97, 1.01, .unclear),
      (0.9, 1 / 1.02, .unclear), (0.9, 0.97, .slower), (0.5, 2, .unclear), (1, 1, .same),
    ] as [(Double, Double, Verdict)])
  func ends(_ lower: Double, _ upper: Double, _ verdict: Verdict) {
    let interval = ConfidenceInterval(lower: lower, upper: upper, confidence: 0.95, isDecisive: true)
    #expect(Comparator.verdict(interval, within: 0.02) == verdict)
  }

  @Test("With what is unclear come the smallest visible slowdown and the runs that would decide")
  func planning() throws {
    let example = try #require(VerdictCase.all.first { $0.testDescription == "4 v 4, ties across" })
    let notes = try compare(example).notes
    let smallest = notes.compactMap { note -> Double? in
      if case .smallestDetectableSlowdown(let value) = note { value } else { nil }
    }
    // √(H/L)·(1 + m) = 1.1 · 1.02.
    #expect(smallest.count == 1 && isClose(smallest[0], 0.122))
    let runs = notes.compactMap { note -> Int? in if case .moreRuns(let runs) = note { runs } else { nil } }
    #expect(runs.count == 1 && runs[0] > 0)
  }
}
