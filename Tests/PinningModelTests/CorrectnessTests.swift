import Testing

@testable import PinningModel

/// What is mapped, and what is left behind.
@Suite struct CorrectnessTests {
  static let right = Variant.allCases.filter { !$0.canMapWrongly }

  /// Both implementations, which have to agree.
  static func outcome(_ scenario: Scenario, _ variant: Variant) -> MapOutcome {
    let closed = ClosedForm.map(scenario, variant)
    let reference = ReferenceSimulation.map(scenario, variant).outcome
    #expect(closed.counts == reference.counts && closed.mapping.runs() == reference.mapping.runs())
    #expect(closed.firstWrongIOVA == reference.firstWrongIOVA && closed.error == reference.error)
    return closed
  }

  static func scenario(_ extents: [Extent]) throws -> Scenario {
    let pages = extents.reduce(0) { $0 + $1.pages }
    return try Scenario(
      memory: Memory(extents), request: MapRequest(vaddr: 0, iova: 0x1000_0000, size: UInt64(pages) * 4096))
  }

  @Test func patchV1MapsForeignMemoryWhereABatchSpansTwoFolios() throws {
    // Starts 1 MiB into a page: the first batch is the rest of one page and the beginning of the next.
    let scenario = try Scenario(size: 64 << 20, pageSize: .size2M, offset: 1 << 20)
    let wrong = Self.outcome(scenario, .patchV1)
    #expect(wrong.firstWrongIOVA == UInt64(2 << 20))
    let right = Self.outcome(scenario, .perPage)
    #expect(right.mapsCorrectly && wrong.mapping.runs() != right.mapping.runs())
    // Half a page, whole pages, half a page; the wrong one has them all 2 MiB long.
    #expect(right.counts.iommuMaps == 33 && wrong.counts.iommuMaps == 32 && wrong.counts.loopTurns == 32)
  }

  @Test func patchV1MapsForeignMemoryOn64KHugetlb() throws {
    let scenario = try Scenario(size: 16 << 20, pageSize: .size64K, backing: .hugetlb)
    #expect(Self.outcome(scenario, .patchV1).firstWrongIOVA == UInt64(64 << 10))
    // As small folios of another kind the same memory is safe.
    let thp = try Scenario(size: 16 << 20, pageSize: .size64K, backing: .thp)
    #expect(Self.outcome(thp, .patchV1).mapsCorrectly)
  }

  @Test func patchV1MapsForeignMemoryOn1GPagesNotAlignedTo2M() throws {
    let offset: UInt64 = (1 << 30) - (1 << 20)
    let scenario = try Scenario(size: 64 << 20, pageSize: .size1G, offset: offset)
    #expect(Self.outcome(scenario, .patchV1).firstWrongIOVA == UInt64(1 << 30))
    let aligned = try Scenario(size: 64 << 20, pageSize: .size1G, offset: (1 << 30) - (2 << 20))
    #expect(Self.outcome(aligned, .patchV1).mapsCorrectly)
  }

  @Test func patchV1RunsIntoAnotherVMA() throws {
    let scenario = try Self.scenario([
      .folios(.size2M, pages: 256, pfn: (1 << 20) + 256, offset: 256, hugetlb: true),
      .folios(.size4K, pages: 256, pfn: 1 << 24, folioStride: 2),
    ])
    #expect(Self.outcome(scenario, .patchV1).firstWrongIOVA == UInt64(0x1000_0000 + 256 * 4096))
    #expect(Self.outcome(scenario, .folioStep).mapsCorrectly)
  }

  /// F0P0 F0P1 F0P2 F1P0 F0P4 ...: a page was copied on write.
  @Test func folioStepIsWrongWhereAPageWasCopied() throws {
    let scenario = try Self.scenario([
      .folios(.size64K, pages: 3, pfn: 1 << 20), .folios(.size4K, pages: 1, pfn: 1 << 22),
      .folios(.size64K, pages: 12, pfn: (1 << 20) + 4, offset: 4),
    ])
    #expect(Self.outcome(scenario, .folioStep).firstWrongIOVA == UInt64(0x1000_0000 + 3 * 4096))
    #expect(Self.outcome(scenario, .patchV1).mapsCorrectly)
    for variant in Self.right {
      #expect(
        Self.outcome(scenario, variant).mapping.runs() == [
          MappedRun(page: 0, pages: 3, pfn: 1 << 20), MappedRun(page: 3, pages: 1, pfn: 1 << 22),
          MappedRun(page: 4, pages: 12, pfn: (1 << 20) + 4),
        ])
    }
  }

  @Test func vpfnsAreNotCharged() throws {
    var scenario = try Scenario(size: 8 << 20, pageSize: .size2M)
    scenario.container.vpfns = [10..<30, 600..<1200]
    for variant in Variant.allCases where variant.isType1 {
      #expect(Self.outcome(scenario, variant).lockedPages == 2048 - 620)
    }
    // patch-v1 looks at the range, then at each page of the two batches in which it finds some, and of the third one.
    #expect(Self.outcome(scenario, .patchV1).counts.vpfnLookups == 3 * 513 + 1)
  }

  @Test func reservedPagesAreMappedAndNotCharged() throws {
    let scenario = try Self.scenario([
      .folios(.size2M, pages: 512, pfn: 1 << 20), .reserved(pages: 100, pfn: (1 << 20) + 512),
      .folios(.size4K, pages: 12, pfn: (1 << 20) + 612),
    ])
    for variant in Variant.allCases where variant.isType1 {
      let outcome = Self.outcome(scenario, variant)
      #expect(outcome.error == nil && outcome.lockedPages == 524 && outcome.counts.iommuMaps == 3)
      var reference = ReferenceSimulation.map(scenario, variant)
      #expect(reference.pins.values.reduce(0, +) == 524)
      // To the unmapping walk it is one physically contiguous run.
      let counts = reference.unmap()
      #expect(
        counts.iommuUnmaps == 1 && reference.pins.isEmpty && counts == ClosedForm.unmap(scenario, variant))
      #expect(counts.unpinTests == 624)
    }
    #expect(Self.outcome(scenario, .iommufdMemfd).error == .badAddress)
  }

  @Test func eachDomainIsMapped() throws {
    var scenario = try Scenario(size: 8 << 20, pageSize: .size2M)
    scenario.container.domains = 3
    #expect(Self.outcome(scenario, .merged).counts.iommuMaps == 12)
    #expect(Self.outcome(scenario, .merged).counts.lockAccts == 4)
    scenario.container.domains = 0
    #expect(Self.outcome(scenario, .merged).counts.refills == 0)
  }
}

/// Errors, and the state after them.
@Suite struct FailureTests {
  struct Rejected: Sendable {
    var request: MapRequest
    var error: Errno
  }

  static let rejected: [Rejected] = [
    Rejected(request: MapRequest(vaddr: 0, iova: 0, size: 0), error: .invalidArgument),
    Rejected(request: MapRequest(vaddr: 0, iova: 0, size: 4097), error: .invalidArgument),
    Rejected(request: MapRequest(vaddr: 0, iova: 1, size: 4096), error: .invalidArgument),
    Rejected(request: MapRequest(vaddr: 2048, iova: 0, size: 4096), error: .invalidArgument),
    Rejected(request: MapRequest(vaddr: 0, iova: 0 &- 4096, size: 8192), error: .invalidArgument),
    Rejected(request: MapRequest(vaddr: 0 &- 4096, iova: 0, size: 8192), error: .invalidArgument),
    Rejected(request: MapRequest(vaddr: 0, iova: 0x20_0000, size: 0x1000), error: .fileExists),
    Rejected(request: MapRequest(vaddr: 0, iova: 0x1f_f000, size: 0x2000), error: .fileExists),
    Rejected(request: MapRequest(vaddr: 0, iova: 1 << 39, size: 0x1000), error: .invalidArgument),
    Rejected(request: MapRequest(vaddr: 0, iova: 0x10_0000, size: 1 << 40), error: .fileExists),
  ]

  @Test(arguments: rejected, Variant.allCases) func rejects(example: Rejected, variant: Variant) throws {
    var scenario = try Scenario(size: 64 << 20, pageSize: .size2M)
    scenario.container.mapped = [0x20_0000..<0x40_0000]
    scenario.container.windows = [0...(1 << 39) - 1]
    scenario.request = example.request
    #expect(scenario.rejection == example.error)
    #expect(ClosedForm.map(scenario, variant).error == example.error)
    #expect(ReferenceSimulation.map(scenario, variant).outcome == ClosedForm.map(scenario, variant))
  }

  @Test func entryLimit() throws {
    var scenario = try Scenario(size: 64 << 20, pageSize: .size2M)
    scenario.container.entriesLeft = 0
    #expect(ClosedForm.map(scenario, .merged).error == .noSpace)
    // An overlap is found first.
    scenario.container.mapped = [0..<4096]
    #expect(ClosedForm.map(scenario, .merged).error == .fileExists)
  }

  static let memlocks: [UInt64] = [0, 4096, 1 << 20, (16 << 20) - 4096]

  @Test(arguments: Variant.allCases, memlocks)
  func aFailingMapLeavesNothingBehind(variant: Variant, memlock: UInt64) throws {
    for offset: UInt64 in [0, 1 << 20] {
      var scenario = try Scenario(size: 16 << 20, pageSize: .size2M, offset: offset, memlock: memlock)
      scenario.memoryLock.lockedPages = 7
      let reference = ReferenceSimulation.map(scenario, variant)
      #expect(reference.outcome.error == .noMemory)
      #expect(reference.outcome.mapping.isEmpty && reference.outcome.lockedPages == 7)
      if !variant.canMapWrongly || offset == 0 { #expect(reference.pins.isEmpty) }
      #expect(ClosedForm.map(scenario, variant) == reference.outcome)
      scenario.memoryLock.hasCapability = true
      #expect(ClosedForm.map(scenario, variant).error == nil)
    }
  }

  @Test func exactlyTheLimitIsEnough() throws {
    for variant in Variant.allCases {
      #expect(
        ClosedForm.map(try Scenario(size: 16 << 20, pageSize: .size2M, memlock: 16 << 20), variant).error
          == nil)
    }
  }

  /// A hole in the middle of a batch, and one after a short batch.
  @Test(arguments: Variant.allCases, [100, 512, 700]) func holes(variant: Variant, pages: Int) throws {
    let scenario = try CorrectnessTests.scenario([
      .folios(.size4K, pages: pages, pfn: 1 << 20, folioStride: 3), .hole(pages: 1),
      .folios(.size4K, pages: 10, pfn: 1 << 22),
    ])
    let reference = ReferenceSimulation.map(scenario, variant)
    #expect(
      reference.outcome.error == .badAddress && reference.pins.isEmpty && reference.outcome.mapping.isEmpty)
    #expect(ClosedForm.map(scenario, variant) == reference.outcome)
  }

  /// What patch-v1 undoes is what it believes to have pinned.
  @Test func patchV1LeavesPinsBehindAfterAWrongMap() throws {
    var reference = ReferenceSimulation.map(
      try Scenario(size: 16 << 20, pageSize: .size2M, offset: 1 << 20), .patchV1)
    _ = reference.unmap()
    #expect(!reference.pins.isEmpty)
    #expect(reference.pins.values.contains { $0 < 0 } && reference.pins.values.contains { $0 > 0 })
  }
}

@Suite struct ModelErrorTests {
  @Test func badArguments() {
    #expect(throws: ModelError.misaligned(what: "size", bytes: 5000)) {
      try Scenario(size: 5000, pageSize: .size4K)
    }
    #expect(throws: ModelError.empty(what: "size")) { try Scenario(size: 0, pageSize: .size4K) }
    #expect(throws: ModelError.misaligned(what: "offset", bytes: 1)) {
      try Scenario(size: 4096, pageSize: .size4K, offset: 1)
    }
    #expect(throws: ModelError.wrapsAround(what: "offset", start: 8192, size: 0 &- 4096)) {
      try Scenario(size: 0 &- 4096, pageSize: .size4K, offset: 8192)
    }
    #expect(throws: ModelError.unknownPageSize(bytes: 8192)) { try FolioSize(bytes: 8192) }
    #expect(throws: ModelError.noSuchBacking(.thp, pageSize: .size1G)) {
      try Scenario(size: 1 << 30, pageSize: .size1G, backing: .thp)
    }
  }

  @Test(arguments: [
    Extent.folios(.size4K, pages: 0, pfn: 1), .folios(.size2M, pages: 1, pfn: 1, offset: 512),
    .folios(.size2M, pages: 1, pfn: 1, folioStride: 511), .folios(.size4K, pages: 5, pfn: -1),
    .folios(.size4K, pages: 5, pfn: 3, folioStride: -1),
    .folios(.size4K, pages: 1 << 50, pfn: 1, folioStride: 1 << 40),
    .folios(.size2M, pages: 5, pfn: 512, leafPages: 0),
  ]) func badExtents(extent: Extent) {
    #expect(throws: ModelError.self) { try Memory([extent]) }
  }

  /// The largest request that there is.
  @Test(arguments: Variant.allCases) func theWholeAddressSpace(variant: Variant) throws {
    let scenario = try Scenario(size: 0 &- (1 << 30), pageSize: .size1G)
    let outcome = ClosedForm.map(scenario, variant)
    #expect(outcome.error == nil && outcome.mapping.pages == scenario.pages)
  }
}

@Suite struct ScaleTests {
  /// What the closed form does grows with the number of extents, not with that of pages.
  @Test(arguments: Variant.allCases, FolioSize.allCases) func stepsDoNotDependOnSize(
    variant: Variant, size: FolioSize
  )
    throws
  {
    for adjacent in [false, true] {
      for disableHugepages in [false, true] {
        let steps = try [UInt64(1 << 36), 1 << 40, 1 << 45].map { bytes in
          ClosedForm.replay(
            try Scenario(size: bytes, pageSize: size, adjacent: adjacent, disableHugepages: disableHugepages),
            variant
          ).steps
        }
        #expect(steps[0] == steps[1] && steps[1] == steps[2] && steps[0] < 10_000)
      }
    }
  }

  @Test(arguments: Variant.allCases) func vpfnsEverywhere(variant: Variant) throws {
    var scenario = try Scenario(size: 1 << 40, pageSize: .size2M)
    scenario.container.vpfns = [0..<1 << 28]
    let replay = ClosedForm.replay(scenario, variant)
    #expect(replay.steps < 10_000 && replay.outcome.lockedPages == (variant.isType1 ? 0 : 1 << 28))
  }
}
