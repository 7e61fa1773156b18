import Testing

@testable import PinningModel

/// The counts of one aligned map of 8 GiB on folios that are not adjacent, cell by cell.
@Suite struct CountTableTests {
  static let n = 2_097_152
  static let gib8: UInt64 = 8 << 30

  struct Row: Sendable, CustomStringConvertible {
    var variant: Variant
    var size: FolioSize
    var turns: Int
    var reserved: Int
    var vpfns: Int
    var compares: Int
    var stored: Int
    var locks: Int
    var maps: Int
    var refills = 4096
    var leaves: Int
    var lookups: Int
    var description: String { "\(variant.rawValue) \(size)" }
  }

  static let rows: [Row] = [
    row(.perPage, .size2M, n, n, n, 0, n, 4096, lookups: 4096),
    row(.perPage, .size1G, n, n, n, 0, n, 8, lookups: 4096),
    row(.singlePage, .size2M, n, n, n, 0, n, 4096, refills: n, leaves: n, lookups: n),
    row(.patchV1, .size2M, 4096, 4096, 4096, 0, n, 4096, lookups: 4096),
    row(.patchV1, .size1G, 4096, 8, 4096, 0, n, 8, lookups: 4096),
    row(.wholeFolio, .size2M, 4096, 4096, 4096, 0, n, 4096, lookups: 4096),
    row(.folioStep, .size2M, 4096, 4096, 4096, 0, n, 4096, lookups: 4096),
    row(.folioStep, .size1G, 4096, 4096, 4096, 0, n, 8, lookups: 4096),
    row(.contigPages, .size2M, 4096, 4096, 4096, n - 4096, n, 4096, lookups: 4096),
    row(.contigPages, .size1G, 4096, 4096, 4096, n - 4096, n, 8, lookups: 4096),
    row(.merged, .size2M, 4096, 4096, 4096, n - 4096, n, 4096, lookups: 4096),
    row(.merged, .size1G, 4096, 4096, 4096, n - 4096, n, 8, lookups: 4096),
    row(.wholeFolio, .size1G, 8, 8, 8, 0, 4096, 8, refills: 8, leaves: 8, lookups: 8),
    row(.iommufdMemfd, .size2M, 4096, 0, 0, 0, 0, 0, maps: 4096, refills: 256, leaves: 0, lookups: 4096),
    row(.iommufdMemfd, .size1G, 256, 0, 0, 0, 0, 0, maps: 8, refills: 256, leaves: 0, lookups: 256),
    row(.perPage, .size4K, n, n, n, 0, n, n, leaves: n, lookups: n),
    row(.patchV1, .size4K, n, n, n, 0, n, n, leaves: n, lookups: n),
    row(.folioStep, .size4K, n, n, n, 0, n, n, leaves: n, lookups: n),
    row(.contigPages, .size4K, n, n, n, 0, n, n, leaves: n, lookups: n),
    row(.merged, .size4K, n, n, n, n - n / 512, n, n, leaves: n, lookups: n),
  ]

  static func row(
    _ variant: Variant, _ size: FolioSize, _ turns: Int, _ reserved: Int, _ vpfns: Int, _ compares: Int,
    _ stored: Int,
    _ locks: Int, maps: Int? = nil, refills: Int = 4096, leaves: Int = 4096, lookups: Int
  ) -> Row {
    Row(
      variant: variant, size: size, turns: turns, reserved: reserved, vpfns: vpfns, compares: compares,
      stored: stored,
      locks: locks, maps: maps ?? locks, refills: refills, leaves: leaves, lookups: lookups)
  }

  @Test(arguments: rows) func map(row: Row) throws {
    let outcome = ClosedForm.map(try Scenario(size: Self.gib8, pageSize: row.size), row.variant)
    var expected = OperationCounts()
    expected.refills = row.refills
    expected.leafWalks = row.leaves
    expected.longtermLookups = row.lookups
    expected.loopTurns = row.turns
    expected.reservedTests = row.reserved
    expected.vpfnLookups = row.vpfns
    expected.pointerCompares = row.compares
    expected.pointersStored = row.stored
    expected.lockAccts = row.locks
    expected.iommuMaps = row.maps
    expected.call = 1
    #expect(outcome.counts == expected)
    #expect(outcome.error == nil && outcome.mapsCorrectly)
    #expect(outcome.mapping.pages == Self.n && outcome.mapping.runCount == row.maps)
    #expect(outcome.lockedPages == Self.n)
  }

  @Test(arguments: rows) func oldLongtermCheckLooksEachPageUp(row: Row) throws {
    let old = ClosedForm.map(try Scenario(size: Self.gib8, pageSize: row.size, gup: .old), row.variant)
    // memfd_pin_folios has always checked folios.
    let expected = row.variant == .iommufdMemfd ? row.lookups : row.stored
    #expect(old.counts.longtermLookups == expected)
  }

  /// The reference once in full size; elsewhere it is held against the closed form on smaller memories.
  @Test(arguments: [Variant.merged, .patchV1]) func reference(variant: Variant) throws {
    let scenario = try Scenario(size: 1 << 30, pageSize: .size2M)
    #expect(
      ReferenceSimulation.map(scenario, variant).outcome.counts == ClosedForm.map(scenario, variant).counts)
  }

  @Test(arguments: Variant.allCases, [FolioSize.size2M, .size1G, .size4K]) func unmap(
    variant: Variant, size: FolioSize
  )
    throws
  {
    let counts = ClosedForm.unmap(try Scenario(size: Self.gib8, pageSize: size), variant)
    let folios = Self.n / size.pages
    var expected = OperationCounts()
    expected.call = 1
    expected.iovaWalks = Self.n
    expected.iommuUnmaps = folios
    switch variant {
    case .singlePage, .perPage, .patchV1, .folioStep, .contigPages:
      expected.unpinTests = Self.n
      expected.unpinAtomics = 2 * Self.n
      expected.unpinLookups = Self.n
    case .merged, .wholeFolio:
      expected.unpinAtomics = 2 * folios
      expected.unpinLookups = folios
    case .iommufdMemfd: expected.unpinAtomics = 2 * folios
    }
    #expect(counts == expected)
  }

  /// Nested traces of 256 MiB on 2M pages that were not adjacent (6.17-nest3-256m-2m, 6.18-nest3-256m-2m): 128 calls each
  /// of vaddr_get_pfns, vfio_lock_acct, iommu_map, and on 6.18 of vpfn_pages.
  @Test(arguments: [Variant.perPage, .merged]) func nestedTraces(variant: Variant) throws {
    let counts = ClosedForm.map(try Scenario(size: 256 << 20, pageSize: .size2M), variant).counts
    #expect(counts.refills == 128 && counts.lockAccts == 128 && counts.iommuMaps == 128)
    if variant == .merged { #expect(counts.vpfnLookups == 128) }
  }

  @Test(arguments: Variant.allCases) func disableHugepages(variant: Variant) throws {
    let counts = ClosedForm.map(
      try Scenario(size: Self.gib8, pageSize: .size2M, disableHugepages: true), variant
    ).counts
    let expected = variant == .iommufdMemfd ? 4096 : Self.n
    #expect(counts.iommuMaps == expected)
    if variant.isType1 { #expect(counts.refills == Self.n && counts.lockAccts == Self.n) }
  }

  @Test(arguments: Variant.allCases) func adjacentFoliosAreOneRun(variant: Variant) throws {
    let scenario = try Scenario(size: Self.gib8, pageSize: .size2M, adjacent: true)
    let outcome = ClosedForm.map(scenario, variant)
    #expect(
      outcome.counts.iommuMaps == 1
        && outcome.mapping.runs() == [MappedRun(page: 0, pages: Self.n, pfn: 1 << 20)])
  }
}
