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

  /// Memories long enough that most of them is multiplied and not replayed.
  @Test(arguments: 0..<16) func equalsTheReferenceOverManyPeriods(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let size = [FolioSize.size4K, .size16K, .size64K, .size2M][Int(seed % 4)]
    let offset = random.chance(50) ? 0 : UInt64(random.below(size.pages)) * 4096
    let pages = 6000 + random.below(9000)
    var scenario = try Scenario(
      size: UInt64(pages) * 4096, pageSize: size, offset: offset, adjacent: random.chance(30),
      memlock: random.chance(40) ? UInt64(random.below(2 * pages)) * 4096 : nil,
      disableHugepages: random.chance(20),
      seed: random.next() % 100)
    if random.chance(50) {
      let first = offset / 4096 + UInt64(random.below(pages))
      scenario.container.vpfns = [first..<first + UInt64(1 + random.below(pages))]
    }
    for variant in Variant.allCases {
      let reference = ReferenceSimulation.map(scenario, variant).outcome
      let closed = ClosedForm.map(scenario, variant)
      try #require(closed.counts == reference.counts && closed.error == reference.error, "\(scenario)")
      try #require(closed.mapping.runs() == reference.mapping.runs())
      try #require(
        closed.firstWrongIOVA == reference.firstWrongIOVA && closed.lockedPages == reference.lockedPages)
    }
  }
}
