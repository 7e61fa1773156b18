/// What VFIO_IOMMU_MAP_DMA is asked: `size` bytes from `vaddr`, to be seen by the device at `iova`.
public struct MapRequest: Sendable, Hashable {
  public var vaddr: UInt64
  public var iova: UInt64
  public var size: UInt64

  public init(vaddr: UInt64, iova: UInt64, size: UInt64) {
    self.vaddr = vaddr
    self.iova = iova
    self.size = size
  }
}

/// The state of a VFIO container before the call.
public struct Container: Sendable, Hashable {
  /// IOMMU domains, at most 2²⁰: each gets its own mapping. With 0 (only mediated devices) nothing is pinned by a map.
  public var domains = 1 { didSet { domains = min(max(domains, 0), Container.domainsLimit) } }
  /// IOVA ranges, in bytes, that are mapped already.
  public var mapped: [Range<UInt64>] = []
  /// How many more mappings it may hold (`dma_entry_limit`, 65535 in all).
  public var entriesLeft = 65535
  /// IOVA ranges, in bytes, that the IOMMU can translate; empty: all.
  public var windows: [ClosedRange<UInt64>] = []
  /// IOVA ranges, in pages of 4 KiB (`iova >> 12`), whose pages a mediated driver has pinned through this mapping
  /// already: ascending, disjoint. They are charged to that driver.
  public var vpfns: [Range<UInt64>] = []

  static let domainsLimit = 1 << 20

  public init() {}
}

/// What the process may lock.
public struct MemoryLock: Sendable, Hashable {
  /// RLIMIT_MEMLOCK in bytes; nil: unlimited.
  public var limit: UInt64?
  /// CAP_IPC_LOCK: the limit does not hold.
  public var hasCapability: Bool
  /// Pages locked before the call (locked_vm), 0 to 2⁵².
  public var lockedPages: Int { didSet { lockedPages = MemoryLock.clamp(lockedPages) } }

  public init(limit: UInt64? = nil, hasCapability: Bool = false, lockedPages: Int = 0) {
    self.limit = limit
    self.hasCapability = hasCapability
    self.lockedPages = MemoryLock.clamp(lockedPages)
  }

  private static func clamp(_ pages: Int) -> Int { min(max(pages, 0), 1 << 52) }

  /// In pages; the largest number where none holds.
  var effectiveLimit: Int {
    guard let limit, !hasCapability else { return Int.max / 2 }
    return Int(limit >> Page.shift)
  }
}

/// Which longterm check GUP makes.
public enum GUP: String, Sendable, CaseIterable {
  /// Before a03db236aebf: a folio look-up per page.
  case old
  /// From it on: a page-frame range check per page, a look-up per folio.
  case new
}

/// Memory, request and surroundings: everything on which the model's answer depends but the variant.
public struct Scenario: Sendable, Hashable {
  public var memory: Memory
  public var request: MapRequest
  public var container: Container
  public var memoryLock: MemoryLock
  public var gup: GUP
  /// The module parameter `disable_hugepages`: batches and runs of one page.
  public var disableHugepages: Bool

  /// - Throws: `ModelError` where the container's vpfns are not ascending and disjoint.
  public init(
    memory: Memory, request: MapRequest, container: Container = Container(),
    memoryLock: MemoryLock = MemoryLock(),
    gup: GUP = .new, disableHugepages: Bool = false
  ) throws(ModelError) {
    var end: UInt64 = 0
    for range in container.vpfns {
      guard !range.isEmpty, range.lowerBound >= end, range.upperBound <= 1 << 52 else {
        throw .invalidRange(
          what: "vpfns", reason: "expected ascending, disjoint ranges of IOVA pages below 2^52")
      }
      end = range.upperBound
    }
    self.memory = memory
    self.request = request
    self.container = container
    self.memoryLock = memoryLock
    self.gup = gup
    self.disableHugepages = disableHugepages
  }

  /// One map of `size` bytes on folios of one size: the experiment of the published figures.
  /// - Parameters:
  ///   - size: bytes, a multiple of 4 KiB.
  ///   - pageSize: of the folios.
  ///   - backing: nil: what the page size usually means.
  ///   - offset: bytes by which the mapping starts within its first folio.
  ///   - adjacent: the folios follow one another physically; else no two do.
  ///   - memlock: RLIMIT_MEMLOCK in bytes without CAP_IPC_LOCK; nil: no limit.
  ///   - gup: the longterm check of GUP.
  ///   - disableHugepages: the option of vfio_iommu_type1.
  ///   - seed: where in physical memory scattered folios lie.
  public init(
    size: UInt64, pageSize: FolioSize, backing: Backing? = nil, offset: UInt64 = 0, adjacent: Bool = false,
    memlock: UInt64? = nil, gup: GUP = .new, disableHugepages: Bool = false, seed: UInt64 = 0
  ) throws(ModelError) {
    let backing = backing ?? Backing(usualFor: pageSize)
    guard backing.folioSizes.contains(pageSize) else { throw .noSuchBacking(backing, pageSize: pageSize) }
    guard offset <= UInt64.max - size else { throw .wrapsAround(what: "offset", start: offset, size: size) }
    let memory = try Memory.uniform(
      pageSize, bytes: size, offset: offset, adjacent: adjacent, hugetlb: backing == .hugetlb, seed: seed)
    try self.init(
      memory: memory, request: MapRequest(vaddr: offset, iova: offset, size: size),
      memoryLock: MemoryLock(limit: memlock), gup: gup, disableHugepages: disableHugepages)
  }

  /// The checks of vfio_dma_do_map, in its order; nil: the request goes through to pinning.
  public var rejection: Errno? {
    let (iova, size) = (request.iova, request.size)
    if size == 0 || (size | iova | request.vaddr) % Page.size != 0 { return .invalidArgument }
    let (last, wraps) = iova.addingReportingOverflow(size - 1)
    if wraps || request.vaddr.addingReportingOverflow(size - 1).overflow { return .invalidArgument }
    if container.mapped.contains(where: { $0.lowerBound <= last && $0.upperBound > iova }) {
      return .fileExists
    }
    if container.entriesLeft <= 0 { return .noSpace }
    let windows = container.windows
    if !windows.isEmpty && !windows.contains(where: { $0.contains(iova) && $0.contains(last) }) {
      return .invalidArgument
    }
    return nil
  }

  /// Pages asked for.
  public var pages: Int { Int(request.size >> Page.shift) }

  /// What backs the request, page 0 being its first.
  var extents: [Extent] {
    let vaddr = request.vaddr
    if vaddr >= memory.start {
      return memory.extents(from: Int((vaddr - memory.start) >> Page.shift), pages: pages)
    }
    let before = Int(min((memory.start - vaddr) >> Page.shift, UInt64(pages)))
    return [.hole(pages: before)] + (before < pages ? memory.extents(from: 0, pages: pages - before) : [])
  }

  /// The container's vpfns as pages of the request.
  var vpfns: [Range<Int>] {
    let first = Int(request.iova >> Page.shift)
    return container.vpfns.compactMap { range in
      let clamped = Int(clamping: range.lowerBound) - first..<Int(clamping: range.upperBound) - first
      let inside = clamped.clamped(to: 0..<pages)
      return inside.isEmpty ? nil : inside
    }
  }
}
