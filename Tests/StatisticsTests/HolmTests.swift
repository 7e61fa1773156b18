import Testing

@testable import Statistics

@Suite struct HolmTests {
  @Test(arguments: Golden.shared.holm.indices)
  func agreesWithTheProcedureWrittenOut(index: Int) {
    let golden = Golden.shared.holm[index]
    let adjusted = holm(golden.p)
    for (value, expected) in zip(adjusted, golden.adjusted) {
      #expect(agree(value, expected, relative: 1e-15))
    }
    let levels = holmLevels(golden.p, alpha: golden.alpha)
    for ((p, level), isRejected) in zip(zip(golden.p, levels), golden.rejected) {
      #expect((p <= level) == isRejected)
      #expect(level <= golden.alpha && level >= golden.alpha / Double(golden.p.count))
    }
  }

  /// The example of Holm's paper's kind, by hand: 0.01, 0.04, 0.03, 0.005 at 0.05.
  @Test func byHand() {
    #expect(
      zip(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]).allSatisfy {
        agree($0, $1, relative: 1e-15)
      })
    // 0.03 > 0.05/2 stops the procedure, and 0.04 shares its level.
    let levels = holmLevels([0.01, 0.04, 0.03, 0.005], alpha: 0.05)
    #expect(zip(levels, [0.05 / 3, 0.025, 0.025, 0.0125]).allSatisfy { agree($0, $1, relative: 1e-15) })
  }

  @Test func edges() {
    #expect(holm([]).isEmpty)
    #expect(holmLevels([], alpha: 0.05).isEmpty)
    #expect(holm([0.2]) == [0.2])
    #expect(holmLevels([0.2], alpha: 0.05) == [0.05])
    #expect(holm([1, 1]) == [1, 1])
    #expect(holm([.nan, 0.1]).count == 2)
  }
}
