/// A stretch of virtual memory backed in one way, however long: folios of one size at a constant distance, reserved
/// page frames, or nothing.
///
/// The folios of a stretch follow one another physically (`folioStride` is their own size) or never do. Where some
/// happen to be adjacent and some not, as in real memory, each series is its own extent.
public struct Extent: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// Ordinary memory in folios.
    case folios
    /// Page frames without references that a driver mapped (VM_PFNMAP): device memory, or reserved.
    case reserved
    /// Nothing that can be pinned: no VMA, or one that may not be written.
    case hole
  }

  public var kind: Kind
  /// Length in pages of 4 KiB.
  public var pages: Int
  /// Page frame of the first page.
  public var pfn: Int
  /// Pages a folio; of reserved memory, pages that one leaf page-table entry maps.
  public var folioPages: Int
  /// Which page of its folio the first page is: above 0 where a VMA or a request starts within a folio.
  public var offset: Int
  /// Page frames from one folio's head to the next one's.
  public var folioStride: Int
  /// Pages that one leaf page-table entry covers, a divisor of `folioPages`.
  public var leafPages: Int
  public var isHugetlb: Bool

  /// Memory in folios of one size.
  /// - Parameters:
  ///   - size: of every folio.
  ///   - pages: length, in pages of 4 KiB.
  ///   - pfn: page frame of the first page (of the first folio's head, if `offset` is 0).
  ///   - offset: pages by which it starts within its first folio.
  ///   - folioStride: nil: the folios follow one another physically.
  ///   - hugetlb: the folios are hugetlb's.
  ///   - leafPages: nil: what the folio size usually has; 1 for a slice of a large folio, which is mapped by PTEs.
  public static func folios(
    _ size: FolioSize, pages: Int, pfn: Int, offset: Int = 0, folioStride: Int? = nil, hugetlb: Bool = false,
    leafPages: Int? = nil
  ) -> Extent {
    Extent(
      kind: .folios, pages: pages, pfn: pfn, folioPages: size.pages, offset: offset,
      folioStride: folioStride ?? size.pages, leafPages: leafPages ?? size.leafPages, isHugetlb: hugetlb)
  }

  /// Reserved page frames that follow one another.
  public static func reserved(pages: Int, pfn: Int, leaf: FolioSize = .size4K) -> Extent {
    Extent(
      kind: .reserved, pages: pages, pfn: pfn, folioPages: leaf.leafPages, offset: 0,
      folioStride: leaf.leafPages,
      leafPages: leaf.leafPages, isHugetlb: false)
  }

  public static func hole(pages: Int) -> Extent {
    Extent(
      kind: .hole, pages: pages, pfn: 0, folioPages: 1, offset: 0, folioStride: 1, leafPages: 1,
      isHugetlb: false)
  }

  /// All its pages follow one another physically.
  var isContiguous: Bool { folioStride == folioPages || offset &+ pages <= folioPages }

  /// Page frame of the head of the folio that holds page `index`.
  func head(at index: Int) -> Int {
    pfn &- offset &+ ((offset &+ index) / folioPages) &* folioStride
  }

  func indexInFolio(at index: Int) -> Int { (offset &+ index) % folioPages }

  func pfn(at index: Int) -> Int { head(at: index) &+ indexInFolio(at: index) }

  /// Where the folio of page `index` ends within this extent.
  func folioEnd(at index: Int) -> Int {
    min(pages, index &+ folioPages &- indexInFolio(at: index))
  }

  /// Where the physically contiguous stretch of page `index` ends within this extent.
  func contiguousEnd(at index: Int) -> Int {
    folioStride == folioPages ? pages : folioEnd(at: index)
  }

  /// Leaf entries (unit: `leafPages`) or folios (unit: `folioPages`) that pages `range` touch.
  func units(of unit: Int, in range: Range<Int>) -> Int {
    range.isEmpty ? 0 : (offset &+ range.upperBound &- 1) / unit &- (offset &+ range.lowerBound) / unit &+ 1
  }

  /// Pages `range` of it as an extent of their own.
  func slice(_ range: Range<Int>) -> Extent {
    var slice = self
    slice.pages = range.count
    slice.pfn = pfn(at: range.lowerBound)
    slice.offset = indexInFolio(at: range.lowerBound)
    return slice
  }

  /// Page 0 of `next` is the page frame after the last one of this.
  func isFollowedPhysically(by next: Extent) -> Bool {
    kind != .hole && next.kind != .hole && pfn(at: pages &- 1) &+ 1 == next.pfn
  }

  /// `next` goes on in the folio in which this ends, with the page after it.
  func isContinuedInFolio(by next: Extent) -> Bool {
    kind == .folios && next.kind == .folios && isFollowedPhysically(by: next)
      && head(at: pages &- 1) == next.pfn &- next.offset
  }
}
