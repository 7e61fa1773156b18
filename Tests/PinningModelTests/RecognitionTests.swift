import PinningModel
import Testing

@Suite struct RecognitionTests {
  @Test(arguments: [
    ("6.17.13+deb14-amd64", Variant.perPage), ("6.18.15", .merged), ("5.11.22-7-generic", .singlePage),
    ("5.12-rc1", .perPage), ("6.18-rc1", .merged), ("7.0.1", .merged), ("4.19.0", .singlePage),
    ("6.1.0-37-amd64", .perPage),
  ]) func byRelease(release: String, variant: Variant) throws {
    let recognition = Recognition.byRelease(release)
    #expect(recognition.variant == variant)
    #expect(try #require(recognition.reasons.first).contains("backported"))
  }

  @Test(arguments: ["", "linux", "6", "6.", "6.x", "-1.2", "99999999999999999999.1"]) func noRelease(
    release: String
  ) {
    #expect(Recognition.byRelease(release).candidates.isEmpty)
  }

  @Test(arguments: [
    ("6.15.9", GUP.old), ("6.17.13", .new), ("6.18.15", .new), ("5.10.0", .old), ("6.12.50", nil),
    ("6.16.1", nil),
    ("none", nil),
  ]) func gup(release: String, gup: GUP?) {
    #expect(Recognition.gup(byRelease: release) == gup)
  }

  /// The callees of 6.18-nest3-256m-2m and 6.17-nest3-256m-2m, per call.
  @Test func nestedTraces() {
    let common: [(name: String, callsPerCall: Double)] = [
      ("vfio_pin_pages_remote", 128), ("vaddr_get_pfns", 128), ("vfio_lock_acct.part.0", 128),
      ("iommu_map", 128),
    ]
    let after = Recognition.byCallees(common + [("vpfn_pages.isra.0", 128)], pages: 65536)
    #expect(after.candidates.first == .merged && !after.candidates.contains(.perPage))
    let before = Recognition.byCallees(common, pages: 65536)
    #expect(
      before.candidates.first == .perPage && !before.candidates.contains(.merged) && before.variant == nil)
  }

  @Test(arguments: [
    ("memfd_pin_folios", Variant.iommufdMemfd), ("contig_pages", .contigPages),
    ("num_pages_contiguous.constprop.0", .merged),
    ("vaddr_get_pfn", .singlePage),
  ]) func telltaleNames(name: String, variant: Variant) {
    #expect(Recognition.byCallees([(name, 4)]).variant == variant)
  }

  @Test func otherCallees() {
    #expect(
      Recognition.byCallees([("vaddr_get_pfns", 4096)], pages: 4096).candidates == [.perPage, .singlePage])
    #expect(
      Recognition.byCallees([("vaddr_get_pfns", 8), ("vfio_find_vpfn", 4096)], pages: 4096).variant
        == .perPage)
    #expect(Recognition.byCallees([("vfio_find_vpfn_range", 8)]).candidates == [.folioStep, .patchV1])
    #expect(Recognition.byCallees([("iopt_map_pages", 1)]).candidates.isEmpty)
    #expect(Recognition.byCallees([("schedule", 1)]).candidates.isEmpty)
    #expect(Recognition.byCallees([]).candidates.isEmpty)
  }

  static let scenario = Result { try Scenario(size: 8 << 30, pageSize: .size2M, gup: .old) }

  @Test func byDurations() throws {
    let scenario = try Self.scenario.get()
    func recognize(_ nanoseconds: Double) -> Recognition {
      Recognition.byDurations([(scenario, nanoseconds)], profile: .published)
    }
    // v5 and merged do the same work on 2M pages, as do v1, v4 and whole-folio.
    #expect(recognize(33_813_703).variant == .perPage)
    #expect(Set(recognize(18_310_320).candidates) == [.contigPages, .merged])
    #expect(recognize(25_000_000).candidates.isEmpty)
    #expect(recognize(-1).candidates.isEmpty && recognize(.nan).candidates.isEmpty)
    let between = recognize(16_900_000)
    #expect(
      between.variant == nil && between.candidates.contains(.merged) && between.candidates.contains(.patchV1),
      "\(between)")
  }

  @Test func severalDurationsDecideTogether() throws {
    let small = try Scenario(size: 1 << 30, pageSize: .size64K, backing: .thp)
    let large = try Scenario(size: 1 << 30, pageSize: .size1G)
    let profile = CostProfile.published
    for variant in [Variant.perPage, .contigPages, .merged] {
      let measured = [small, large].map { ($0, profile.price($0, variant) * 1.001) }
      let recognition = Recognition.byDurations(
        measured.map { (scenario: $0.0, nanoseconds: $0.1) }, profile: profile,
        among: [.perPage, .contigPages, .merged],
        tolerance: 0.01)
      #expect(recognition.candidates.contains(variant))
    }
  }
}
