import Testing

@testable import PinningModel

@Suite struct CalibrationTests {
  /// A machine whose costs are known.
  static let truth: [Operation: Double] = [
    .refills: 90, .leafWalks: 40, .longtermLookups: 6, .pointersStored: 2, .loopTurns: 3, .reservedTests: 1,
    .vpfnLookups: 2, .pointerCompares: 1.5, .lockAccts: 150, .iommuMaps: 210, .call: 5000,
  ]

  static func duration(_ counts: OperationCounts) -> Double {
    truth.reduce(0) { $0 + Double(counts[$1.key]) * $1.value }
  }

  static func observation(
    _ size: UInt64, _ page: FolioSize, _ variant: Variant, gup: GUP = .new, noise: Double = 0
  ) throws -> CalibrationObservation {
    let counts = ClosedForm.map(try Scenario(size: size << 20, pageSize: page, gup: gup), variant).counts
    return CalibrationObservation(
      label: "\(size)M \(page) \(variant.rawValue)", counts: counts,
      nanoseconds: duration(counts) * (1 + noise))
  }

  static func many(noise: Double = 0) throws -> [CalibrationObservation] {
    var random = SplitMix64(state: 1)
    var observations: [CalibrationObservation] = []
    for size: UInt64 in [1024, 2048, 8192] {
      for page in [FolioSize.size4K, .size64K, .size2M, .size1G] {
        for variant in [Variant.perPage, .merged, .contigPages, .folioStep] {
          for gup in GUP.allCases {
            let wiggle = noise * (Double(random.below(2001)) / 1000 - 1)
            observations.append(try observation(size, page, variant, gup: gup, noise: wiggle))
          }
        }
      }
    }
    return observations
  }

  @Test func findsTheCostsAgain() throws {
    let fit = try Calibration.fit(try Self.many())
    #expect(fit.worstRelativeResidual < 1e-9 && fit.mixed.isEmpty)
    // These are counted alike in every variant here; only their sums can be known.
    #expect(
      fit.indistinguishable == [
        ["refills", "pointers_stored"], ["loop_turns", "reserved_tests", "vpfn_lookups"],
        ["lock_accts", "iommu_maps"],
      ])
    #expect(fit.terms.first?.name == "refills + 512 x pointers_stored")
    for term in fit.terms {
      let expected = term.columns.reduce(0) {
        $0 + (Operation(rawValue: $1.name).flatMap { Self.truth[$0] } ?? 0) * $1.weight
      }
      #expect(abs(term.nanoseconds / expected - 1) < 1e-6, "\(term.name)")
    }
  }

  @Test func predictsWhatItHasNotSeen() throws {
    let fit = try Calibration.fit(try Self.many(noise: 0.01))
    #expect(try #require(fit.relativeError) < 0.01)
    for variant in Variant.allCases where variant.isType1 {
      let scenario = try Scenario(size: 5 << 30, pageSize: .size2M)
      let truth = Self.duration(ClosedForm.map(scenario, variant).counts)
      let prediction = fit.profile.predict(scenario, variant).duration
      // Of the others the data know too little to say more than an interval.
      let isAlike = variant != .singlePage && variant != .wholeFolio
      #expect(!isAlike || abs(prediction.nanoseconds / truth - 1) < 0.03)
      #expect(try #require(prediction.low) <= truth && truth <= (try #require(prediction.high)))
    }
  }

  /// One backing and variant: everything is proportional, one number is known, and it is enough for that variant.
  @Test func oneBackingGivesOneNumber() throws {
    var observations = try [UInt64(1024), 2048].map { try Self.observation($0, .size2M, .perPage) }
    for index in observations.indices { observations[index].counts.call = 0 }
    let fit = try Calibration.fit(observations, prior: .published)
    #expect(fit.terms.count == 1 && fit.terms[0].columns.count == 9)
    let scenario = try Scenario(size: 4 << 30, pageSize: .size2M)
    let truth = Self.duration(ClosedForm.map(scenario, .perPage).counts)
    #expect(abs(fit.profile.price(scenario, .perPage) / truth - 1) < 0.01)
    // The division follows the prior.
    let (walk, store) = (try #require(fit.profile[.leafWalks]), try #require(fit.profile[.pointersStored]))
    #expect(abs(walk.nanoseconds / store.nanoseconds - 55.4916 / 2.203497) < 1e-9)
  }

  @Test func namesCombinationsThatItCannotTellApart() throws {
    // Three columns over three observations of which one is the sum of the others: no two of them are proportional.
    func observation(_ walks: Int, _ turns: Int) -> CalibrationObservation {
      var counts = OperationCounts()
      (counts.leafWalks, counts.loopTurns, counts.iommuMaps) = (walks, turns, walks + turns)
      return CalibrationObservation(label: "", counts: counts, nanoseconds: Double(3 * walks + 5 * turns))
    }
    let fit = try Calibration.fit([observation(1, 2), observation(5, 1), observation(2, 7)])
    #expect(fit.mixed == [["leaf_walks", "loop_turns", "iommu_maps"]] && fit.conditionNumber == .infinity)
    #expect(fit.worstRelativeResidual < 1e-9)
    #expect(fit.profile.coefficients.allSatisfy { $0.uncertainty == nil })
  }

  /// What tracing itself costs: recorded and suppressed children are two columns of the caller's.
  @Test func hooksAreColumnsOfTheirOwn() throws {
    var observations = try Self.many()
    for index in observations.indices {
      let counts = observations[index].counts
      let (recorded, suppressed) = (
        Double(index % 3 * counts.refills), Double((index + 1) % 2 * counts.iommuMaps)
      )
      observations[index].extra = ["recorded child": recorded, "suppressed child": suppressed]
      observations[index].nanoseconds += 350 * recorded + 120 * suppressed
    }
    let fit = try Calibration.fit(observations)
    #expect(abs(try #require(fit.extra["recorded child"]) - 350) < 1e-3)
    #expect(abs(try #require(fit.extra["suppressed child"]) - 120) < 1e-3)
  }

  /// A nested trace: each callee's time is an equation of its own, and divides what whole durations cannot.
  @Test func calleesDivideSums() throws {
    let counts = ClosedForm.map(try Scenario(size: 1 << 30, pageSize: .size2M), .merged).counts
    let names = ["vaddr_get_pfns", "vfio_pin_pages_remote", "vfio_lock_acct.part.0", "iommu_map"]
    let observations = try names.map { name in
      let only = counts.only(try #require(Callee.operations(of: name)))
      return CalibrationObservation(label: name, counts: only, nanoseconds: Self.duration(only))
    }
    let fit = try Calibration.fit(observations)
    #expect(abs(try #require(fit.profile[.lockAccts]).nanoseconds - 150) < 1e-9)
    #expect(abs(try #require(fit.profile[.iommuMaps]).nanoseconds - 210) < 1e-9)
  }

  /// Instruction-counted durations of real kernels (the least of three calls each in 6.17-icx-filter-256M-2m, -512M-2m and
  /// the same of 6.18): three of them predict the fourth.
  @Test(arguments: 0..<4) func predictsTheFourthRealDuration(left: Int) throws {
    let measured: [(megabytes: UInt64, variant: Variant, microseconds: Double)] = [
      (256, .perPage, 6818.817), (512, .perPage, 13631.04), (256, .merged, 1650.852),
      (512, .merged, 3294.745),
    ]
    let all = try measured.map { size, variant, duration in
      CalibrationObservation(
        label: "\(size)",
        counts: ClosedForm.map(try Scenario(size: size << 20, pageSize: .size2M), variant).counts,
        nanoseconds: duration * 1000)
    }
    var known = all
    known.remove(at: left)
    // Two numbers, not three: GUP and the merged loop cannot be told apart by one backing, so the comparisons are held.
    let fit = try Calibration.fit(known, holding: [.call, .pointerCompares], prior: .published)
    let predicted = fit.profile.price(all[left].counts)
    #expect(abs(predicted / all[left].nanoseconds - 1) < 0.01)
  }

  @Test func costsAreNeverNegative() throws {
    var counts = OperationCounts()
    (counts.loopTurns, counts.leafWalks) = (1, 1)
    let first = CalibrationObservation(label: "a", counts: counts, nanoseconds: 10)
    counts.leafWalks = 5
    let second = CalibrationObservation(label: "b", counts: counts, nanoseconds: 8)
    let fit = try Calibration.fit([first, second])
    #expect(fit.profile[.leafWalks]?.nanoseconds == 0)
    // Least squares on relative errors of one number: (1/10 + 1/8) / (1/100 + 1/64).
    #expect(abs(try #require(fit.profile[.loopTurns]).nanoseconds - 0.225 / 0.025625) < 1e-9)
  }

  @Test func refusals() throws {
    let good = try Self.observation(1024, .size2M, .merged)
    #expect(throws: CalibrationError.nothingToFit) { try Calibration.fit([]) }
    #expect(throws: CalibrationError.nothingToFit) {
      try Calibration.fit([good], holding: Operation.allCases, prior: .published)
    }
    let two = [good, try Self.observation(1024, .size2M, .perPage)]
    do {
      _ = try Calibration.fit(two)
      Issue.record("expected too few equations")
    } catch .tooFewEquations(let equations, let unknowns) {
      #expect(equations == 2 && unknowns.count > 2)
    }
    for value in [0, -1, .nan, .infinity] {
      var bad = good
      bad.nanoseconds = value
      #expect(throws: CalibrationError.self) { try Calibration.fit([bad]) }
    }
    for value in [-1, Double.nan, .infinity] {
      var bad = good
      bad.extra = ["x": value]
      #expect(throws: CalibrationError.self) { try Calibration.fit([bad]) }
    }
    var bad = good
    bad.counts.refills = -1
    #expect(throws: CalibrationError.invalidValue(label: good.label, what: "refills", value: -1)) {
      try Calibration.fit([bad])
    }
  }
}
