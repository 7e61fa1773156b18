import FunctionGraph
import Testing

@testable import Analysis

@Suite("Gates on data that lost calls")
struct LossPolicyTests {
  /// Four runs a side, twice as fast: a gate holds, and the reverse fails.
  private func compare(
    swapped: Bool = false, gates: Gates = Gates(maxSlowdown: 0.05),
    _ spoil: (inout ComparedSide, inout ComparedSide) -> Void
  ) throws -> FunctionComparison {
    var before = ComparedSide("before", [[200], [201], [202], [203]])
    var after = ComparedSide("after", [[100], [101], [102], [103]])
    if swapped { swap(&before, &after) }
    spoil(&before, &after)
    var request = ComparisonRequest()
    request.gates = gates
    return try Comparator(selection: selection("f"), request: request).compare(before, after).functions[0]
  }

  @Test func wholeDataDecide() throws {
    #expect(try compare { _, _ in }.gate == .holds)
    #expect(try compare(swapped: true) { _, _ in }.gate == .fails)
  }

  @Test(arguments: [false, true])
  func lostEventsDecideNothing(_ swapped: Bool) throws {
    let after = try compare(swapped: swapped) { $1.runs[2].quality.losses = 1 }
    #expect(after.gate == .undecided)
    #expect(after.notes.contains(.dataLost(before: false, after: true)))
    let before = try compare(swapped: swapped) { before, _ in
      before.runs[0].description.buffers[0].overrun = 9
    }
    #expect(before.gate == .undecided)
    #expect(before.notes.contains(.dataLost(before: true, after: false)))
    // The figures are right for the calls that are there.
    #expect(after.verdict == (swapped ? .slower : .faster))
  }

  @Test(arguments: Diagnostic.Kind.allCases)
  func damageThatHidesCallsDecidesNothing(_ kind: Diagnostic.Kind) throws {
    let comparison = try compare { before, _ in
      before.runs[0].quality.diagnostics.record(kind, at: .byte(4096), "x")
    }
    let isHarmless = [.missingSymbols, .clockIsNotTime, .timeGoesBack, .unsupported].contains(kind)
    #expect(comparison.gate == (isHarmless ? .holds : .undecided))
    #expect(comparison.notes.contains(.dataLost(before: true, after: false)) == !isHarmless)
  }

  @Test func withoutAGateNothingIsSaidTwice() throws {
    let comparison = try compare(gates: Gates()) { $1.runs[2].quality.losses = 1 }
    #expect(comparison.gate == nil)
    #expect(comparison.notes.allSatisfy { if case .dataLost = $0 { false } else { true } })
  }
}
