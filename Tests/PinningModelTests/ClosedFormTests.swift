import Testing

@testable import PinningModel

@Suite struct ClosedFormTests {
  /// Each argument is a block of seeds, so that the blocks run in parallel.
  @Test(arguments: 0..<20) func equalsTheReference(block: UInt64) throws {
    for seed in block * 100..<block * 100 + 100 {
      var random = RandomScenario(seed: seed)
      let scenario = try random.scenario()
      for variant in Variant.allCases {
        var reference = ReferenceSimulation.map(scenario, variant)
        let closed = ClosedForm.map(scenario, variant)
        let label = "seed \(seed) \(variant.rawValue) \(scenario)"
        try #require(closed.error == reference.outcome.error, "\(label)")
        try #require(closed.counts == reference.outcome.counts, "\(label)")
        try #require(closed.mapping.runs() == reference.outcome.mapping.runs(), "\(label)")
        try #require(closed.lockedPages == reference.outcome.lockedPages, "\(label)")
        try #require(closed.firstWrongIOVA == reference.outcome.firstWrongIOVA, "\(label)")
        try #require(ClosedForm.unmap(scenario, variant) == reference.unmap(), "\(label)")
      }
    }
  }
}
