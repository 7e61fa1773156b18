import Testing

@testable import PinningModel

@Suite struct CostProfileTests {
  static func published(_ gup: GUP = .old, _ size: FolioSize = .size2M) throws -> Scenario {
    try Scenario(size: 8 << 30, pageSize: size, gup: gup)
  }

  @Test(arguments: PublishedFigures.mapDurations.map(\.variant)) func reproducesTheFourDurations(
    variant: Variant
  ) throws {
    let measured = try #require(PublishedFigures.mapDurations.first { $0.variant == variant }).nanoseconds
    let prediction = CostProfile.published.predict(try Self.published(), variant)
    #expect(abs(prediction.duration.nanoseconds / measured - 1) < 0.015)
    let (low, high) = (try #require(prediction.duration.low), try #require(prediction.duration.high))
    #expect(low < measured && measured < high && high < 1.15 * measured)
  }

  /// GUP alone is what gup_test measured.
  @Test(arguments: [
    (GUP.old, FolioSize.size2M, PublishedFigures.GUPTest.get2MOld),
    (.new, .size2M, PublishedFigures.GUPTest.get2MNew), (.new, .size4K, PublishedFigures.GUPTest.get4K),
  ]) func reproducesGUPTest(gup: GUP, size: FolioSize, nanoseconds: Double) throws {
    var counts = ClosedForm.map(try Self.published(gup, size), .perPage).counts
    // What a refill costs beyond gup_test is not in it.
    counts.refills = 0
    #expect(abs(CostProfile.published.price(counts, part: .gup) / nanoseconds - 1) < 1e-4)
  }

  @Test(arguments: [
    (Variant.perPage, PublishedFigures.unmapBefore), (.merged, PublishedFigures.unmapAfter),
  ]) func reproducesTheUnmapFigures(variant: Variant, nanoseconds: Double) throws {
    let prediction = CostProfile.published.predict(try Self.published(), variant, .unmap)
    #expect(abs(prediction.duration.nanoseconds / nanoseconds - 1) < 1e-4)
  }

  /// The values in the source are those of the fit that they say they come from.
  @Test func isTheFitOfTheFourDurations() throws {
    let observations = try PublishedFigures.mapDurations.map { variant, nanoseconds in
      CalibrationObservation(
        label: variant.rawValue, counts: ClosedForm.map(try Self.published(), variant).counts,
        nanoseconds: nanoseconds)
    }
    let held: [Operation] = [.leafWalks, .longtermLookups, .pointersStored, .call]
    let fit = try Calibration.fit(observations, holding: held, prior: .published)
    #expect(fit.terms.count == 3 && fit.degreesOfFreedom == 1)
    #expect(
      fit.indistinguishable == [
        ["refills", "lock_accts", "iommu_maps"], ["loop_turns", "reserved_tests", "vpfn_lookups"],
      ])
    for operation in [
      Operation.refills, .loopTurns, .reservedTests, .vpfnLookups, .pointerCompares, .lockAccts, .iommuMaps,
    ] {
      let (ours, published) = (
        try #require(fit.profile[operation]), try #require(CostProfile.published[operation])
      )
      #expect(abs(ours.nanoseconds / published.nanoseconds - 1) < 1e-5)
      // scipy's covariance of the same fit, in the source to three digits.
      #expect(abs(try #require(ours.uncertainty) / (try #require(published.uncertainty)) - 1) < 0.01)
    }
    #expect(abs(fit.worstRelativeResidual - 0.01395) < 1e-5)
    #expect(fit.mixed.isEmpty && fit.conditionNumber > 1 && fit.conditionNumber < 100)
  }

  /// The mean of the two, by relative errors; nothing splits them.
  @Test func versions1And4HaveOnePrediction() throws {
    let prices = try [Variant.patchV1, .folioStep].map {
      CostProfile.published.price(try Self.published(), $0)
    }
    #expect(prices[0] == prices[1] && abs(prices[0] / 15.85e6 - 1) < 1e-3)
  }

  @Test func beforeIsGUPAndLoop() throws {
    let counts = ClosedForm.map(try Self.published(), .perPage).counts
    let gup = CostProfile.published.price(counts, part: .gup) / 1e6
    let rest = CostProfile.published.price(counts) / 1e6 - gup
    #expect(gup > 14.3 && gup < 15 && rest > 18.5 && rest < 19.6)
  }

  /// A division that the data do not know widens the interval where it matters, and only there.
  @Test func unknownDivisionsWidenTheInterval() throws {
    let profile = CostProfile(
      name: "two",
      coefficients: [
        CostCoefficient(.lockAccts, nanoseconds: 50, uncertainty: 0, kind: .fit, source: "", sum: "run"),
        CostCoefficient(.iommuMaps, nanoseconds: 50, uncertainty: 0, kind: .fit, source: "", sum: "run"),
      ])
    var counts = OperationCounts()
    (counts.lockAccts, counts.iommuMaps) = (10, 10)
    #expect(profile.priceInterval(counts) == PriceInterval(nanoseconds: 1000, low: 1000, high: 1000))
    counts.lockAccts = 0
    #expect(profile.priceInterval(counts) == PriceInterval(nanoseconds: 500, low: 0, high: 1000))
  }

  @Test func anUnknownUncertaintyLeavesNoInterval() {
    let profile = CostProfile(
      name: "one",
      coefficients: [CostCoefficient(.call, nanoseconds: 5, uncertainty: nil, kind: .prior, source: "")])
    var counts = OperationCounts()
    counts.call = 1
    #expect(profile.priceInterval(counts) == PriceInterval(nanoseconds: 5, low: nil, high: nil))
  }

  @Test func whatIfFromABeforeAlone() throws {
    let scenario = try Self.published()
    let slow = try CostProfile.published.scaled(toReproduce: 67_627_406, of: .perPage, in: scenario)
    #expect(abs(slow.price(scenario, .perPage) - 67_627_406) < 1)
    let prediction = slow.predict(scenario, .contigPages)
    #expect(abs(prediction.duration.nanoseconds - 2 * 18_310_320) < 100)
    #expect(abs(try #require(prediction.speedupVsPerPage) - 33_813.703 / 18_310.320) < 1e-4)
    #expect(abs(try #require(prediction.gibibytesPerSecond) - 8 / 0.03662064) < 0.01)
    #expect(throws: ModelError.invalidDuration(0)) {
      try CostProfile.published.scaled(toReproduce: 0, of: .perPage, in: scenario)
    }
  }

  @Test func headroomOfVersion1() throws {
    let headroom = try CostProfile.published.headroom(
      Self.published(), .patchV1, measured: 15_635_055, before: (.perPage, 33_813_703))
    #expect(abs(headroom.shares.values.reduce(0, +) - 1) < 1e-12)
    #expect(try #require(headroom.shares[.gup]) > 0.9)
    let reached = (33_813_703.0 - 15_635_055) / (33_813_703 - 15_850_221)
    let share = try #require(headroom.shareOfPredictedGain)
    #expect(abs(share - reached) < 1e-3)
    // On 2M, whole-folio and folio-step do the same work as patch-v1; only leaving the pointers out is faster.
    #expect(headroom.steps.map(\.variant) == [.iommufdMemfd])
    let step = try #require(headroom.steps.first)
    #expect(abs(step.gain + step.duration.nanoseconds - 15_635_055) < 1e-3 && step.speedup > 10)
    #expect(throws: ModelError.self) {
      try CostProfile.published.headroom(Self.published(), .merged, measured: .nan)
    }
  }
}
