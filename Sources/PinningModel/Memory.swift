/// A process' virtual memory as far as it matters here: what backs each page from `start` on. Beyond the extents there
/// is nothing. Its size in bytes does not matter, only the number of extents.
public struct Memory: Sendable, Hashable {
  /// Virtual address of the first page.
  public let start: UInt64
  public let extents: [Extent]
  /// Pages of all extents.
  public let pages: Int

  /// Page frames and lengths beyond this are refused, so that no sum can overflow: 2⁵² pages are all of 64 bits.
  static let pagesLimit = 1 << 52

  public init(start: UInt64 = 0, _ extents: [Extent]) throws(ModelError) {
    guard start % Page.size == 0 else { throw .misaligned(what: "virtual address", bytes: start) }
    var pages = 0
    for (index, extent) in extents.enumerated() {
      try Memory.check(extent, index)
      pages += extent.pages
      guard pages <= Memory.pagesLimit else {
        throw .tooLarge(what: "pages", value: UInt64(pages), limit: UInt64(Memory.pagesLimit))
      }
    }
    self.start = start
    self.extents = extents
    self.pages = pages
  }

  private static func check(_ extent: Extent, _ index: Int) throws(ModelError) {
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(ModelError) {
      guard condition else { throw .invalidExtent(index: index, reason: reason()) }
    }
    try require((1...pagesLimit).contains(extent.pages), "\(extent.pages) pages: expected 1 to 2^52")
    guard extent.kind != .hole else { return }
    let size = extent.folioPages
    try require(
      FolioSize.allCases.contains { $0.pages == size },
      "folios of \(size) pages: expected 1, 4, 16, 512 or 262144")
    try require(
      (0..<size).contains(extent.offset), "offset \(extent.offset): expected less than the folio's \(size)")
    try require(
      extent.leafPages >= 1 && size % extent.leafPages == 0,
      "a leaf entry of \(extent.leafPages) pages: expected a divisor of the folio's \(size)")
    try require(
      extent.kind == .folios || extent.leafPages == size && extent.folioStride == size,
      "reserved memory: expected page frames that follow one another")
    // A stride below the folio's size would make folios overlap.
    let stride = extent.folioStride.magnitude
    try require(
      stride >= UInt(size) && stride <= 1 << 40,
      "folio stride \(extent.folioStride): expected \(size) to 2^40")
    let folios = extent.units(of: size, in: 0..<extent.pages)
    let (distance, overflow) = (folios - 1).multipliedReportingOverflow(by: extent.folioStride)
    let ends = [extent.pfn, extent.pfn &- extent.offset &+ distance]
    try require(
      !overflow && ends.allSatisfy { $0 >= 0 && $0 <= 1 << 60 },
      "page frames from \(extent.pfn): expected all within 0 to 2^60")
  }

  /// The extents that back `pages` pages from page `first` of this memory on, a hole where it ends.
  func extents(from first: Int, pages: Int) -> [Extent] {
    var result: [Extent] = []
    var position = 0
    var missing = pages
    for extent in extents where missing > 0 {
      let skipped = max(0, first - position)
      if skipped < extent.pages {
        let taken = min(missing, extent.pages - skipped)
        result.append(extent.slice(skipped..<skipped + taken))
        missing -= taken
      }
      position += extent.pages
    }
    if missing > 0 { result.append(.hole(pages: missing)) }
    return result
  }
}

extension Memory {
  /// Memory in folios of one size.
  /// - Parameters:
  ///   - size: of every folio.
  ///   - bytes: length, a multiple of 4 KiB.
  ///   - offset: bytes by which it starts within its first folio (a virtual address that is not aligned).
  ///   - adjacent: the folios follow one another physically; else no two of them do.
  ///   - hugetlb: the folios are hugetlb's.
  ///   - seed: where in physical memory, and at which distance the scattered folios lie.
  public static func uniform(
    _ size: FolioSize, bytes: UInt64, offset: UInt64 = 0, adjacent: Bool = false, hugetlb: Bool,
    seed: UInt64 = 0
  ) throws(ModelError) -> Memory {
    for (what, value) in [("size", bytes), ("offset", offset)] where value % Page.size != 0 {
      throw .misaligned(what: what, bytes: value)
    }
    guard bytes > 0 else { throw .empty(what: "size") }
    let inFolio = Int((offset % size.rawValue) >> Page.shift)
    // 2 to 8 folios apart, from the second GiB-aligned address above 4 GiB on.
    let stride = adjacent ? size.pages : size.pages * Int(2 + seed % 7)
    let base = FolioSize.size1G.pages * Int(4 + seed / 7 % 1024)
    let extent = Extent.folios(
      size, pages: Int(bytes >> Page.shift), pfn: base + inFolio, offset: inFolio, folioStride: stride,
      hugetlb: hugetlb)
    return try Memory(start: offset, [extent])
  }
}
