/// Durations and costs that were published, in nanoseconds. Nobody's machine is the other's.
public enum PublishedFigures {
  /// `vfio_pin_map_dma` of 8 GiB on hugetlb pages of 2 MiB, one call each (Li Zhe's patch of 2025-05-13 and its versions
  /// 4 and 5). Before a03db236aebf, so with the old longterm check.
  public static let mapDurations: [(variant: Variant, nanoseconds: Double)] = [
    (.perPage, 33_813_703), (.patchV1, 15_635_055), (.folioStep, 16_071_378), (.contigPages, 18_310_320),
  ]

  /// gup_test at v6.15, 8 GiB in batches of 512, longterm (a03db236aebf).
  public enum GUPTest {
    public static let get2MOld = 14_391_000.0
    public static let get2MNew = 4_867_000.0
    public static let put2M = 10_858_000.0
    public static let get4K = 130_538_000.0
    public static let put4K = 31_676_000.0
  }

  /// `vfio_unmap_unpin` of 8 GiB on hugetlb pages of 2 MiB at v6.15 (the merged series).
  public static let unmapBefore = 94_413_092.0
  public static let unmapAfter = 31_260_124.0

  /// IOMMU page tables of VT-d, kunit on an i7-12700: one 4K mapping, 256 of 4K, 256 of 2M, one unmapping of 4K.
  public static let iommuMap4K = 55.0
  public static let iommuMap256x4K = 391.0
  public static let iommuMap256x2M = 383.0
  public static let iommuUnmap4K = 69.0

  /// vfio-pci-mem-dma-map, 16 GiB, mean of 10, v6.16 and v6.16 with the merged series.
  public struct MemDMAMap: Sendable, Hashable {
    public var memory: String
    public var mapBefore: Double
    public var mapAfter: Double
    public var unmapBefore: Double
    public var unmapAfter: Double
  }

  public static let memDMAMap: [MemDMAMap] = [
    MemDMAMap(memory: "THP", mapBefore: 49e6, mapAfter: 25e6, unmapBefore: 141e6, unmapAfter: 44e6),
    MemDMAMap(memory: "4K shared", mapBefore: 268e6, mapAfter: 249e6, unmapBefore: 307e6, unmapAfter: 289e6),
    MemDMAMap(memory: "hugetlb", mapBefore: 51e6, mapAfter: 30e6, unmapBefore: 135e6, unmapAfter: 44e6),
  ]
}

extension CostProfile {
  /// The profile of the published figures: it reproduces the patch's four durations within 1.4 %.
  ///
  /// With N = 2,097,152 pages and M = 4096 batches, and GUP as gup_test measured it:
  /// - store, leaf walk and folio look-up solve the three gup_test sums exactly: old minus new on 2M is (N − M)
  ///   look-ups; new on 2M is M walks, M look-ups and N stores; 4K is N of each.
  /// - The four durations less the old GUP sum (14.391 ms) determine three numbers by least squares on relative errors:
  ///   turn + reserved test + vpfn look-up (8.58 ns), pointer compare (1.18 ns), and what a refill costs beyond
  ///   gup_test + lock_acct + iommu_map (347 ns). How the sums divide is a prior: equally. patch-v1 and folio-step
  ///   have equal counts, so one prediction (15.85 ms) for both.
  /// - The unmap figures, less M times the kunit cost of iommu_unmap, determine the walk (14.73 ns a page) and test +
  ///   two atomics + look-up (30.16 ns); divided equally among the four.
  ///
  /// Every figure is one call or one mean without a spread. The standard error of the fit (1.9 % of a duration, one
  /// degree of freedom) serves as the spread of all of them.
  public static let published = CostProfile(
    name: "published figures",
    coefficients: [
      CostCoefficient(
        .refills, nanoseconds: 115.6457, uncertainty: 17.8, kind: .fit, source: fourDurations + perBatch,
        sum: "batch and run"),
      CostCoefficient(.leafWalks, nanoseconds: 55.4916, uncertainty: 1.2, kind: .fit, source: gupTest),
      CostCoefficient(
        .longtermLookups, nanoseconds: 4.550284, uncertainty: 0.14, kind: .fit, source: gupTest),
      CostCoefficient(
        .pointersStored, nanoseconds: 2.203497, uncertainty: 0.045, kind: .fit, source: gupTest),
      CostCoefficient(
        .loopTurns, nanoseconds: 2.861285, uncertainty: 0.110, kind: .fit, source: fourDurations + perTurn,
        sum: "turn"),
      CostCoefficient(
        .reservedTests, nanoseconds: 2.861285, uncertainty: 0.110, kind: .fit,
        source: fourDurations + perTurn,
        sum: "turn"),
      CostCoefficient(
        .vpfnLookups, nanoseconds: 2.861285, uncertainty: 0.110, kind: .fit, source: fourDurations + perTurn,
        sum: "turn"),
      CostCoefficient(
        .pointerCompares, nanoseconds: 1.176799, uncertainty: 0.200, kind: .fit, source: fourDurations),
      CostCoefficient(
        .lockAccts, nanoseconds: 115.6457, uncertainty: 17.8, kind: .fit, source: fourDurations + perBatch,
        sum: "batch and run"),
      CostCoefficient(
        .iommuMaps, nanoseconds: 115.6457, uncertainty: 17.8, kind: .fit,
        source: fourDurations + perBatch + "; kunit on VT-d: 55 ns for the page table alone",
        sum: "batch and run"),
      CostCoefficient(
        .iovaWalks, nanoseconds: 14.727047, uncertainty: 0.290, kind: .fit, source: unmapFigures),
      CostCoefficient(
        .unpinTests, nanoseconds: 7.539465, uncertainty: 0.231, kind: .fit, source: unmapFigures + perUnpin,
        sum: "unpin"),
      CostCoefficient(
        .unpinAtomics, nanoseconds: 7.539465, uncertainty: 0.231, kind: .fit, source: unmapFigures + perUnpin,
        sum: "unpin", weight: 2),
      CostCoefficient(
        .unpinLookups, nanoseconds: 7.539465, uncertainty: 0.231, kind: .fit, source: unmapFigures + perUnpin,
        sum: "unpin"),
      CostCoefficient(
        .iommuUnmaps, nanoseconds: PublishedFigures.iommuUnmap4K, uncertainty: 1.4, kind: .published,
        source: "VT-d kunit, i7-12700: one unmapping of 4K"),
    ])

  private static let fourDurations =
    "least squares on relative errors over vfio_pin_map_dma of 8 GiB on 2M hugetlb: 33813.703, 15635.055, 16071.378, "
    + "18310.320 us, GUP held at gup_test's 14391 us"
  private static let perTurn =
    "; only turn + reserved test + vpfn look-up is determined, divided equally (prior)"
  private static let perBatch =
    "; only refill + lock_acct + iommu_map is determined, beyond what gup_test contains, divided equally (prior)"
  private static let gupTest =
    "gup_test at v6.15, 8 GiB in batches of 512, longterm: 2M get 14391 us before a03db236aebf and 4867 us after, 4K get "
    + "130538 us; solved exactly"
  private static let unmapFigures =
    "vfio_unmap_unpin of 8 GiB on 2M hugetlb at v6.15: 94413.092 us before the merged series, 31260.124 us after; solved "
    + "exactly"
  private static let perUnpin = "; only test + 2 atomics + look-up is determined, divided equally (prior)"
}
