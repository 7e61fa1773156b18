/// Pages of 4 KiB, the unit in which every count and every address of the model is given.
public enum Page {
  /// Bytes a page.
  public static let size: UInt64 = 4096
  static let shift: UInt64 = 12
}

/// How large the folios behind a mapping are. The raw value is in bytes.
public enum FolioSize: UInt64, Sendable, CaseIterable {
  case size4K = 0x1000
  case size16K = 0x4000
  case size64K = 0x1_0000
  case size2M = 0x20_0000
  case size1G = 0x4000_0000

  /// Pages of 4 KiB a folio.
  public var pages: Int { Int(rawValue >> Page.shift) }

  /// How many pages one leaf page-table entry covers: a PMD for 2M, a PUD for 1G, else one PTE a page. (The slow
  /// walk, follow_page_pte in mm/gup.c, visits contiguous PTEs one at a time.)
  public var leafPages: Int { self == .size2M || self == .size1G ? pages : 1 }

  public init(bytes: UInt64) throws(ModelError) {
    guard let size = FolioSize(rawValue: bytes) else { throw .unknownPageSize(bytes: bytes) }
    self = size
  }
}

/// How memory is backed.
public enum Backing: String, Sendable, CaseIterable {
  case hugetlb
  /// Transparent huge pages, 16K and 64K ones included.
  case thp
  /// Small pages.
  case pages

  /// What a page size usually means where nothing else is said.
  public init(usualFor size: FolioSize) {
    switch size {
    case .size4K: self = .pages
    case .size16K: self = .thp
    case .size64K, .size2M, .size1G: self = .hugetlb
    }
  }

  /// The folio sizes that exist with this backing.
  public var folioSizes: [FolioSize] {
    switch self {
    case .hugetlb: [.size64K, .size2M, .size1G]
    case .thp: [.size16K, .size64K, .size2M]
    case .pages: [.size4K, .size16K, .size64K]
    }
  }
}
