/// How a kernel pins and maps: the variants of `vfio_pin_pages_remote` (drivers/vfio/vfio_iommu_type1.c), merged,
/// proposed and wished for, and iommufd's way.
public enum Variant: String, Sendable, CaseIterable {
  /// Before v5.12: a page a refill.
  case singlePage = "single-page"
  /// v5.12 to v6.17 (4d83de6da265): batches of 512, each page looked at.
  case perPage = "per-page"
  /// Li Zhe's first version (2025-05-13), never merged: the rest of a batch in one step if its first page is hugetlb.
  case patchV1 = "patch-v1"
  /// Its versions 2 to 4, rejected: to the end of the folio by arithmetic; here as from v3 on, for any folio.
  case folioStep = "folio-step"
  /// Its version 5: as many pointers as follow one another within a folio.
  case contigPages = "contig-pages"
  /// v6.18 and later: as many pointers as follow one another.
  case merged
  /// The reviewer's wish: a folio a step, and no pointers beyond a folio's first batch.
  case wholeFolio = "whole-folio"
  /// iommufd with a memfd (drivers/iommu/iommufd/pages.c, v6.13): a folio a step, no page pointers.
  case iommufdMemfd = "iommufd-memfd"

  /// Takes pages on trust that it did not look at: maps foreign memory in some layouts.
  public var canMapWrongly: Bool { self == .patchV1 || self == .folioStep }

  /// Goes through VFIO's type1 driver.
  public var isType1: Bool { self != .iommufdMemfd }

  /// Unpins by runs and folios rather than page by page (v6.18: 089722e8939e, d14de5b92578, 929bf010e059). The
  /// proposals before it changed only the pinning.
  public var unpinsByFolio: Bool { self == .merged || self == .wholeFolio || self == .iommufdMemfd }

  /// Pages a refill can take.
  func batchPages(disableHugepages: Bool) -> Int {
    if self == .iommufdMemfd { return Variant.memfdCallPages }
    return self == .singlePage || disableHugepages ? 1 : Variant.batchCapacity
  }

  /// Page pointers that a batch holds: one page of them (VFIO_BATCH_MAX_CAPACITY).
  public static let batchCapacity = 512
  /// Pages that iommufd pins with one call for a memfd: 32 MiB.
  public static let memfdCallPages = 8192
}
