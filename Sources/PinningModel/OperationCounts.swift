/// What the model counts. The raw value is the column's name in CSV and the coefficient's in a cost profile.
public enum Operation: String, Sendable, CaseIterable {
  /// Calls of pin_user_pages_remote (memfd_pin_folios) that pin something.
  case refills
  /// Leaf page-table entries visited, summed over refills.
  case leafWalks = "leaf_walks"
  /// Folio look-ups of the longterm check (collect_longterm_unpinnable_folios in mm/gup.c).
  case longtermLookups = "longterm_lookups"
  /// Turns of the pinning loop that add at least one page.
  case loopTurns = "loop_turns"
  /// is_invalid_reserved_pfn; the test that opens a run counts as that of its first turn.
  case reservedTests = "reserved_tests"
  /// Searches in the tree of pages that a mediated driver has pinned.
  case vpfnLookups = "vpfn_lookups"
  /// Comparisons of a page pointer with the one that should follow; a failing one counts too.
  case pointerCompares = "pointer_compares"
  /// Page pointers that GUP stores.
  case pointersStored = "pointers_stored"
  /// vfio_lock_acct, once a run.
  case lockAccts = "lock_accts"
  /// iommu_map, once a run and domain.
  case iommuMaps = "iommu_maps"
  /// Unmap: iommu_iova_to_phys.
  case iovaWalks = "iova_walks"
  /// Unmap: is_invalid_reserved_pfn.
  case unpinTests = "unpin_tests"
  /// Unmap: atomic operations on references and pin counts.
  case unpinAtomics = "unpin_atomics"
  /// Unmap: searches in the tree of pages that a mediated driver has pinned. Not a column of the CSV.
  case unpinLookups = "unpin_lookups"
  /// Unmap: iommu_unmap, once a physically contiguous run. Not a column of the CSV.
  case iommuUnmaps = "iommu_unmaps"
  /// The call itself, once. Not a column of the CSV.
  case call

  /// Columns of `pinstat model --format csv`, in their order.
  public static let columns: [Operation] = [
    .refills, .leafWalks, .longtermLookups, .loopTurns, .reservedTests, .vpfnLookups, .pointerCompares,
    .pointersStored, .lockAccts, .iommuMaps, .iovaWalks, .unpinTests, .unpinAtomics,
  ]

  /// What part of the work an operation belongs to.
  public var part: Part {
    switch self {
    case .refills, .leafWalks, .longtermLookups, .pointersStored: .gup
    case .loopTurns, .reservedTests, .vpfnLookups, .pointerCompares, .lockAccts: .loop
    case .iommuMaps, .iovaWalks, .iommuUnmaps: .iommu
    case .unpinTests, .unpinAtomics, .unpinLookups: .unpin
    case .call: .other
    }
  }

  public enum Part: String, Sendable, CaseIterable {
    case gup
    case loop
    case iommu
    case unpin
    case other
  }
}

/// How often each operation was done.
public struct OperationCounts: Sendable, Hashable {
  public var refills = 0
  public var leafWalks = 0
  public var longtermLookups = 0
  public var loopTurns = 0
  public var reservedTests = 0
  public var vpfnLookups = 0
  public var pointerCompares = 0
  public var pointersStored = 0
  public var lockAccts = 0
  public var iommuMaps = 0
  public var iovaWalks = 0
  public var unpinTests = 0
  public var unpinAtomics = 0
  public var unpinLookups = 0
  public var iommuUnmaps = 0
  public var call = 0

  public init() {}

  public subscript(operation: Operation) -> Int {
    get { self[keyPath: OperationCounts.path(operation)] }
    set { self[keyPath: OperationCounts.path(operation)] = newValue }
  }

  private static func path(_ operation: Operation) -> WritableKeyPath<OperationCounts, Int> {
    switch operation {
    case .refills: \.refills
    case .leafWalks: \.leafWalks
    case .longtermLookups: \.longtermLookups
    case .loopTurns: \.loopTurns
    case .reservedTests: \.reservedTests
    case .vpfnLookups: \.vpfnLookups
    case .pointerCompares: \.pointerCompares
    case .pointersStored: \.pointersStored
    case .lockAccts: \.lockAccts
    case .iommuMaps: \.iommuMaps
    case .iovaWalks: \.iovaWalks
    case .unpinTests: \.unpinTests
    case .unpinAtomics: \.unpinAtomics
    case .unpinLookups: \.unpinLookups
    case .iommuUnmaps: \.iommuUnmaps
    case .call: \.call
    }
  }

  /// What was done since `earlier`, done `times` more.
  mutating func repeatGrowth(since earlier: OperationCounts, times: Int) {
    for operation in Operation.allCases {
      self[operation] &+= (self[operation] &- earlier[operation]) &* times
    }
  }
}
