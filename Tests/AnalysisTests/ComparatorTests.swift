import FunctionGraph
import Statistics
import Testing

@testable import Analysis

@Suite("Comparing sides")
struct ComparatorTests {
  private func runs(_ name: String, _ runs: [[(String, [Int64])]]) -> ComparedSide {
    ComparedSide(
      runs: runs.enumerated().map { index, functions in
        TraceAnalysis("\(name)\(index)", functions.map { FunctionDurations($0.0, $0.1) })
      })
  }

  private func compare(
    _ selection: FunctionSelection, _ before: ComparedSide, _ after: ComparedSide, gates: Gates = Gates()
  ) throws -> Comparison {
    var request = ComparisonRequest()
    request.gates = gates
    return try Comparator(selection: selection, request: request).compare(before, after)
  }

  // MARK: Several functions

  @Test("Holm over three functions of five runs a side")
  func holm() throws {
    // a and b: apart, p = 2/252 each; c: the same values, p = 1.
    let before = runs("b", (0..<5).map { run in [("a", [200]), ("b", [300]), ("c", [100 + Int64(run)])] })
    let after = runs("a", (0..<5).map { run in [("a", [100]), ("b", [100]), ("c", [100 + Int64(run)])] })
    let functions = try compare(selection("*"), before, after).functions
    // By the total of the before side.
    #expect(functions.map(\.name) == ["b", "a", "c"])
    #expect(functions.map(\.verdict) == [.faster, .faster, .unclear])
    let p = functions.compactMap(\.pValue)
    #expect(zip(p, [6.0 / 252, 6.0 / 252, 1]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(zip(functions.map(\.alpha), [0.05 / 3, 0.05 / 3, 0.05]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test("At the adjusted level four runs a side are too few for two functions")
  func holmNeedsMore() throws {
    let before = runs("b", (0..<4).map { _ in [("a", [200]), ("b", [300])] })
    let after = runs("a", (0..<4).map { _ in [("a", [100]), ("b", [100])] })
    let functions = try compare(selection("*"), before, after).functions
    // 2/C(8, 4) = 0.029 > 0.05/2; 2/C(10, 5) = 0.008.
    #expect(functions.allSatisfy { $0.verdict == .unclear && $0.notes.contains(.tooFew(needed: 5)) })
    #expect(
      try compare(selection("a"), runs("b", (0..<4).map { _ in [("a", [200])] }), after).functions[0].verdict
        == .faster)
  }

  @Test("A function with one sample a side costs the others nothing")
  func loneSample() throws {
    let before = runs("b", (0..<4).map { run in [("a", [200])] + (run == 0 ? [("lone", [1])] : []) })
    let after = runs("a", (0..<4).map { run in [("a", [100])] + (run == 3 ? [("lone", [1])] : []) })
    let functions = try compare(selection("*"), before, after).functions
    #expect(functions.map(\.name) == ["a", "lone"])
    #expect(functions.map(\.verdict) == [.faster, .unclear])
    // Traces decide on the unit, not how many of them have the function.
    #expect(functions.map(\.unit) == [.run, .run])
    #expect(functions[1].pValue == nil)
    #expect(functions[1].notes.contains(.oneSample))
  }

  @Test("The worst function decides the gate")
  func worstFunction() throws {
    func side(_ name: String, _ values: [String: [Int64]]) -> ComparedSide {
      runs(
        name,
        (0..<5).map { run in
          values.sorted { $0.key < $1.key }.map { ($0.key, [$0.value[run % $0.value.count]]) }
        })
    }
    func gate(_ before: [String: [Int64]], _ after: [String: [Int64]]) throws -> [GateOutcome?] {
      let comparison = try compare(
        selection("*"), side("b", before), side("a", after), gates: Gates(maxSlowdown: 0.05))
      return [comparison.gate] + comparison.functions.sorted { $0.name < $1.name }.map(\.gate)
    }
    #expect(try gate(["a": [200], "b": [300]], ["a": [100], "b": [300]]) == [.holds, .holds, .holds])
    #expect(
      try gate(["a": [200], "b": [200, 300]], ["a": [100], "b": [200, 300]]) == [
        .undecided, .holds, .undecided,
      ])
    #expect(
      try gate(["a": [100], "b": [200, 300], "c": [7]], ["a": [200], "b": [200, 300], "c": [7]])
        == [.fails, .fails, .undecided, .holds])
  }

  @Test("Several gates of one interval: the worst")
  func worstGate() {
    func outcome(_ low: Double, _ high: Double, _ slowdown: Double?, _ speedup: Double?) -> GateOutcome {
      Comparator.gate(
        Gates(maxSlowdown: slowdown, minSpeedup: speedup),
        ConfidenceInterval(lower: low, upper: high, confidence: 0.95, isDecisive: true))
    }
    #expect(outcome(0.97, 1.2, 0.05, nil) == .holds)
    #expect(outcome(0.9, 1.2, 0.05, nil) == .undecided)
    #expect(outcome(0.9, 0.94, 0.05, nil) == .fails)
    #expect(outcome(1.9, 2.1, 0.05, 2) == .undecided)
    #expect(outcome(1.5, 1.6, 0.05, 2) == .fails)
    #expect(outcome(0.9, 2.5, 0.05, 2) == .undecided)
    #expect(Comparator.gate(Gates(maxSlowdown: 0.05), nil) == .undecided)
    let order: [GateOutcome] = [.holds, .undecided, .fails, .error]
    #expect(order.shuffled().sorted() == order)
  }

  // MARK: Pairing and what is missing

  @Test("Sides pair by the stripped name, and a run's symbols of one name are one function")
  func strippedNames() throws {
    let before = runs(
      "b", (0..<4).map { _ in [("f.isra.0", [200, 200]), ("f.constprop.1", [200]), ("f.part.0", [9])] })
    let after = runs("a", (0..<4).map { _ in [("f", [100])] })
    let comparison = try compare(selection("f"), before, after)
    #expect(comparison.functions.map(\.name) == ["f"])
    #expect(comparison.functions[0].before.calls == 12)
    #expect(abs(comparison.functions[0].speedup - 2) < 1e-9)
    #expect(comparison.onlyBefore == ["f.part.0"])
    #expect(comparison.onlyAfter.isEmpty)
  }

  @Test("A named function has to be in every trace of both sides", arguments: [true, false])
  func missing(isBefore: Bool) {
    let whole = runs("x", [[("vfio_pin_map_dma", [1])], [("vfio_pin_map_dma", [1])]])
    let holed = runs("y", [[("vfio_pin_map_dma", [1])], [("vfio_pin_pages_remote", [1])]])
    #expect {
      try compare(selection("vfio_pin_map_dma"), isBefore ? holed : whole, isBefore ? whole : holed)
    } throws: { error in
      guard case .missing(let missing, let path, isBefore)? = error as? ComparisonError else { return false }
      return path == "y1" && missing.name == "vfio_pin_map_dma" && missing.family == ["vfio_pin_pages_remote"]
    }
  }

  @Test("What the analysis itself found missing is an error too, and hints are kept")
  func foundMissing() {
    var side = runs("x", [[("f", [1])]])
    side.runs[0].missing = [
      MissingFunction(name: "g", nearest: ["f"], family: [], traceIsEmpty: false, isFilteredOut: true)
    ]
    #expect {
      try compare(selection("f"), side, runs("y", [[("f", [1])]]))
    } throws: { error in
      guard case .missing(let missing, "x0", true)? = error as? ComparisonError else { return false }
      return missing.isFilteredOut && missing.nearest == ["f"]
    }
  }

  @Test(
    "A named function without a known duration is an error, a globbed one is passed over",
    arguments: [true, false])
  func noKnownDuration(isBefore: Bool) throws {
    var unknown = runs("x", [[("f", []), ("g", [5])]])
    unknown.runs[0].functions[0].unfinished = 3
    unknown.runs[0].functions[0].incomplete = 3
    let known = runs("y", [[("f", [1]), ("g", [5])]])
    let (before, after) = isBefore ? (unknown, known) : (known, unknown)
    #expect {
      try compare(selection("f"), before, after)
    } throws: { error in
      guard case .noKnownDuration("f", isBefore, incomplete: 3)? = error as? ComparisonError else {
        return false
      }
      return true
    }
    #expect(try compare(selection("*"), before, after).functions.map(\.name) == ["g"])
  }

  @Test("With globs functions of one side are listed, and nothing in common is an error")
  func nothingInCommon() throws {
    let before = runs("b", [[("a", [1]), ("b", [1]), ("c", [1])]])
    let after = runs("a", [[("b", [1]), ("d", [1])]])
    let comparison = try compare(selection("*"), before, after)
    #expect(comparison.functions.map(\.name) == ["b"])
    #expect((comparison.onlyBefore, comparison.onlyAfter) == (["a", "c"], ["d"]))
    #expect {
      try compare(selection("*"), before, runs("a", [[("d", [1])]]))
    } throws: { error in
      guard case .nothingInCommon(let onlyBefore, let onlyAfter)? = error as? ComparisonError else {
        return false
      }
      return onlyBefore == ["a", "b", "c"] && onlyAfter == ["d"]
    }
  }

  @Test("A run without a known duration is no sample")
  func incompleteRun() throws {
    var before = runs("b", (0..<5).map { _ in [("f", [200])] })
    before.runs[2].functions[0] = FunctionDurations("f", [])
    before.runs[2].functions[0].incomplete = 1
    let after = runs("a", (0..<4).map { _ in [("f", [100])] })
    let function = try compare(selection("f"), before, after).functions[0]
    #expect(function.before.samples.count == 4)
    #expect(function.verdict == .faster)
    #expect(function.notes.contains(.incompleteCalls(before: 1, after: 0)))
  }

  @Test("Conditions that differ are said before any figure")
  func conditions() throws {
    var before = runs("x", [[("f", [1])]])
    var after = runs("x", [[("f", [1])]])
    #expect(try compare(selection("f"), before, runs("y", [[("f", [1])]])).notes.isEmpty)
    before.runs[0].description.kernelRelease = "6.17"
    after.runs[0].description.kernelRelease = "6.18"
    before.runs[0].description.cpuCount = 2
    after.runs[0].description.cpuCount = 4
    before.runs[0].description.buffers[0].clock = "local"
    after.runs[0].description.buffers[0].clock = "mono"
    after.runs[0].description.format = .tracefs
    after.runs[0].quality.isNested = true
    after.runs[0].quality.losses = 2
    after.runs[0].quality.lostEvents = 30
    before.runs[0].quality.diagnostics.record(.truncated, at: .byte(7), "short")
    let notes = try compare(selection("f"), before, after).notes
    let expected: [ComparisonNote] = [
      .kernelDiffers(before: ["6.17"], after: ["6.18"]), .cpuCountDiffers(before: [2], after: [4]),
      .clockDiffers(before: ["local"], after: ["mono"]),
      .formatDiffers(before: ["trace.dat"], after: ["tracefs text"]),
      .nestingDiffers(nested: .after), .tracerInMeasurement,
      .lostEvents(side: .after, path: "x0", losses: 2, events: 30),
      .damaged(
        side: .before, path: "x0", diagnostics: [Diagnostic(.truncated, at: .byte(7), "short")], count: 1),
      .sameInput("x0"),
    ]
    #expect(Set(notes) == Set(expected))
  }

  // MARK: False alarms

  /// How often a verdict other than `same` and `unclear` comes of sides that differ by a factor of `effect`.
  private func alarms(
    trials: Int, runsASide: Int, callsARun: Int, effect: Double, seed: UInt64
  ) throws -> Double {
    var random = TestGenerator(state: seed)
    var request = ComparisonRequest()
    // The strictest: any difference counts.
    request.sameWithin = 0
    let comparator = Comparator(selection: selection("f"), request: request)
    var alarms = 0
    for _ in 0..<trials {
      func side(_ name: String, _ factor: Double) -> ComparedSide {
        ComparedSide(
          name,
          (0..<runsASide).map { _ in
            // 3 % between runs, 5 % within, and now and then a slow call.
            let run = 1e7 * factor * (1 + 0.03 * random.normal())
            return (0..<callsARun).map { _ in
              Int64(run * (1 + 0.05 * random.normal()) * (random.uniform() < 0.05 ? 1.5 : 1))
            }
          })
      }
      let verdict = try comparator.compare(side("b", effect), side("a", 1)).functions[0].verdict
      if verdict == .faster || verdict == .slower { alarms += 1 }
    }
    return Double(alarms) / Double(trials)
  }

  @Test("Four runs a side of one kernel raise few false alarms, and see a difference")
  func fourRuns() throws {
    // 2/70 = 2.9 % is the truth; 5 % is five standard errors of 1,000 trials above it.
    #expect(try alarms(trials: 1_000, runsASide: 4, callsARun: 12, effect: 1, seed: 1) <= 0.05)
    #expect(try alarms(trials: 100, runsASide: 4, callsARun: 12, effect: 1.25, seed: 2) >= 0.95)
  }

  @Test(
    "One run a side raises few false alarms for the assumed spread between runs, and sees a large difference")
  func oneRun() throws {
    #expect(try alarms(trials: 600, runsASide: 1, callsARun: 40, effect: 1, seed: 3) <= 0.05)
    #expect(try alarms(trials: 100, runsASide: 1, callsARun: 40, effect: 1.3, seed: 4) >= 0.95)
  }
}
