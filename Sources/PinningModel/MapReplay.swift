/// A type1 map replayed by stretches instead of pages: a turn of the loop, or many equal ones, in constant time.
/// What repeats is not replayed at all, see `MapReplay+Repetition.swift`.
struct MapReplay {
  /// A run that has not ended yet.
  struct OpenRun {
    var start: Int
    var pfn: Int
    var isReserved: Bool
    /// Pages of it to be charged.
    var charge = 0

    func nextPFN(at page: Int) -> Int { pfn &+ (page &- start) }
  }

  let variant: Variant
  let extents: [Extent]
  /// Where each extent ends, in pages of the request.
  let ends: [Int]
  let vpfns: [Range<Int>]
  let pages: Int
  let limit: Int
  let domains: Int
  let capacity: Int
  let isOldGUP: Bool
  let disableHugepages: Bool

  /// The next page that belongs to no run yet.
  var position = 0
  /// Where the batch ends; `position` if it is empty.
  var batchEnd = 0
  var run: OpenRun?
  var counts = OperationCounts()
  var lockedPages: Int
  var mapping = IOVAMapping()
  var firstWrong: Int?
  var error: Errno?
  /// How much work this was, for tests.
  var steps = 0
  /// See `ClosedForm.Replay.seamlessRuns`.
  var seamlessRuns = 0

  /// The extent that holds `position`.
  private var extentIndex = 0
  /// The first vpfn range that ends after `position`.
  private var vpfnIndex = 0
  /// Of patch-v1: it looks at a batch's first page only once.
  private var mayTakeWholeBatch = true

  init(_ scenario: Scenario, _ variant: Variant) {
    self.variant = variant
    extents = scenario.extents
    var end = 0
    ends = extents.map { extent in
      end += extent.pages
      return end
    }
    vpfns = scenario.vpfns
    pages = scenario.pages
    limit = scenario.memoryLock.effectiveLimit
    domains = scenario.container.domains
    capacity = variant.batchPages(disableHugepages: scenario.disableHugepages)
    isOldGUP = scenario.gup == .old
    disableHugepages = scenario.disableHugepages
    lockedPages = scenario.memoryLock.lockedPages
  }

  mutating func replay() {
    while position < pages && error == nil {
      if position == batchEnd { repeatFolios() }
      if position < pages && position == batchEnd && error == nil { repeatBatches(upTo: pages) }
      if position < pages && error == nil { step() }
    }
    if error == nil { closeRun() }
  }

  // MARK: Where we are

  /// Moves the look-up hints to `position`.
  private mutating func settle() {
    while extentIndex < ends.count - 1 && ends[extentIndex] <= position { extentIndex += 1 }
    while vpfnIndex < vpfns.count && vpfns[vpfnIndex].upperBound <= position { vpfnIndex += 1 }
  }

  /// The extent at `position`, and the page at which it starts.
  mutating func currentExtent() -> (extent: Extent, start: Int) {
    settle()
    let extent = extents[extentIndex]
    return (extent, ends[extentIndex] - extent.pages)
  }

  /// Whether `position` is a vpfn, and up to where that holds.
  mutating func vpfnZone() -> (isVPFN: Bool, end: Int) {
    settle()
    guard vpfnIndex < vpfns.count else { return (false, pages) }
    let range = vpfns[vpfnIndex]
    return range.lowerBound <= position ? (true, range.upperBound) : (false, range.lowerBound)
  }

  private mutating func vpfnCount(upTo end: Int) -> Int {
    settle()
    var count = 0
    var index = vpfnIndex
    while index < vpfns.count && vpfns[index].lowerBound < end {
      count += vpfns[index].clamped(to: position..<end).count
      index += 1
    }
    return count
  }

  // MARK: Steps

  mutating func step() {
    steps += 1
    if position == batchEnd {
      let (extent, start) = currentExtent()
      switch extent.kind {
      case .hole:
        error = .badAddress
        return
      case .reserved:
        takeReserved(extent, start)
        return
      case .folios:
        refill()
      }
    }
    turn()
  }

  private mutating func takeReserved(_ extent: Extent, _ start: Int) {
    let rest = start + extent.pages - position
    let pfn = extent.pfn(at: position - start)
    var turns = rest
    if !disableHugepages && variant != .singlePage {
      turns = extent.units(of: extent.leafPages, in: position - start..<extent.pages)
      if position == start && extentIndex > 0 && extent.leafPages > 1
        && extents[extentIndex - 1].endsInLeaf(of: extent)
      {
        turns -= 1
      }
    }
    counts.leafWalks += turns
    counts.loopTurns += turns
    counts.reservedTests += turns
    if disableHugepages {
      counts.lockAccts += rest
      counts.iommuMaps += rest * domains
      let series = IOVAMapping.Series(
        run: MappedRun(page: position, pages: 1, pfn: pfn), count: rest, pageStride: 1, pfnStride: 1)
      mapping.blocks.append(IOVAMapping.Block(series: [series]))
    } else {
      if let run, !run.isReserved || run.nextPFN(at: position) != pfn {
        if run.nextPFN(at: position) == pfn { seamlessRuns += 1 }
        closeRun()
      }
      if run == nil { run = OpenRun(start: position, pfn: pfn, isReserved: true) }
    }
    position += rest
    batchEnd = position
  }

  /// Fills the batch: as many pages as fit, as long as they are ordinary memory.
  private mutating func refill() {
    var end = position
    var index = extentIndex
    var leaves = 0
    var folios = 0
    let want = min(pages - position, capacity)
    var wanted = want
    while wanted > 0, index < extents.count, extents[index].kind == .folios {
      let extent = extents[index]
      let start = ends[index] - extent.pages
      let taken = min(wanted, ends[index] - end)
      let part = end - start..<end - start + taken
      leaves += extent.units(of: extent.leafPages, in: part)
      folios += extent.units(of: extent.folioPages, in: part)
      if end > position {
        let previous = extents[index - 1]
        if previous.head(at: previous.pages - 1) == extent.head(at: 0) { folios -= 1 }
        if extent.leafPages > 1 && previous.endsInLeaf(of: extent) { leaves -= 1 }
      }
      end += taken
      wanted -= taken
      index += 1
      steps += 1
    }
    counts.refills += 1
    counts.leafWalks += leaves
    counts.longtermLookups += isOldGUP ? end - position : folios
    counts.pointersStored += end - position
    if variant == .wholeFolio && !disableHugepages { end = leafEnd(of: end - 1, extentIndex: index - 1) }
    batchEnd = end
    mayTakeWholeBatch = true
  }

  /// Where the leaf entry of `page` ends: what of its folio needs no walk of its own.
  private func leafEnd(of page: Int, extentIndex: Int) -> Int {
    var index = extentIndex
    var end = page + 1
    while true {
      let extent = extents[index]
      let start = ends[index] - extent.pages
      let leaf = extent.leafPages
      if leaf > 1 {
        let inLeaf = (extent.offset + end - 1 - start) % leaf
        end = min(ends[index], end + leaf - 1 - inLeaf)
      }
      guard end == ends[index], index + 1 < extents.count else { return end }
      let next = extents[index + 1]
      guard next.leafPages > 1, extent.endsInLeaf(of: next) else { return end }
      index += 1
      end += 1
    }
  }

  private mutating func turn() {
    let (extent, start) = currentExtent()
    let index = position - start
    let pfn = extent.pfn(at: index)
    if let run, run.isReserved || run.nextPFN(at: position) != pfn {
      if run.nextPFN(at: position) == pfn { seamlessRuns += 1 }
      closeRun()
    }
    let opensRun = run == nil
    if opensRun {
      run = OpenRun(start: position, pfn: pfn, isReserved: false)
      mayTakeWholeBatch = true
    }
    let inBatch = batchEnd - position
    switch variant {
    case .singlePage, .perPage, .iommufdMemfd: takePages(extent, start, extraLookups: 0)
    case .patchV1:
      let looksAtBatch = mayTakeWholeBatch && !disableHugepages && extent.isHugetlb
      mayTakeWholeBatch = false
      if looksAtBatch && vpfnCount(upTo: batchEnd) == 0 {
        take(inBatch, charge: inBatch, reservedTests: opensRun ? 1 : 0)
      } else {
        takePages(extent, start, extraLookups: looksAtBatch ? 1 : 0)
      }
    case .folioStep:
      let step = min(inBatch, extent.folioPages - extent.indexInFolio(at: index))
      if step > 1 && vpfnCount(upTo: position + step) == 0 {
        take(step, charge: step)
      } else {
        take(1, charge: vpfnZone().isVPFN ? 0 : 1, lookups: step > 1 ? 2 : 1)
      }
    case .contigPages, .merged, .wholeFolio:
      let inFolio = extent.folioPages - extent.indexInFolio(at: index)
      let most = variant == .merged ? inBatch : min(inBatch, inFolio)
      let count = contiguousPages(most: most)
      let compares = variant == .wholeFolio ? 0 : count < most ? count : count - 1
      take(count, charge: count - vpfnCount(upTo: position + count), compares: compares)
    }
    if disableHugepages && error == nil { closeRun() }
  }

  /// How many pages from `position` on follow one another physically, at most `most`.
  private mutating func contiguousPages(most: Int) -> Int {
    settle()
    let end = position + most
    var index = extentIndex
    var page = position
    while true {
      let extent = extents[index]
      let start = ends[index] - extent.pages
      page = min(end, start + extent.contiguousEnd(at: page - start))
      steps += 1
      guard page == ends[index], page < end, extent.isFollowedPhysically(by: extents[index + 1]) else {
        return page - position
      }
      index += 1
    }
  }

  /// As many turns of one page each as are alike.
  private mutating func takePages(_ extent: Extent, _ start: Int, extraLookups: Int) {
    let zone = vpfnZone()
    var count = min(batchEnd, start + extent.contiguousEnd(at: position - start), zone.end) - position
    if disableHugepages { count = min(count, 1) }
    let charged = lockedPages + (run?.charge ?? 0)
    if !zone.isVPFN && charged + count > limit {
      error = .noMemory
      count = max(0, limit - charged)
      guard count > 0 else { return }
    }
    counts.loopTurns += count
    counts.reservedTests += count
    counts.vpfnLookups += count + extraLookups
    run?.charge += zone.isVPFN ? 0 : count
    position += count
  }

  /// One turn that adds `count` pages of the batch.
  private mutating func take(
    _ count: Int, charge: Int, reservedTests: Int = 1, lookups: Int = 1, compares: Int = 0
  ) {
    guard charge == 0 || lockedPages + (run?.charge ?? 0) + charge <= limit else {
      error = .noMemory
      return
    }
    if variant.canMapWrongly && firstWrong == nil { findWrong(upTo: position + count) }
    counts.loopTurns += 1
    counts.reservedTests += reservedTests
    counts.vpfnLookups += lookups
    counts.pointerCompares += compares
    run?.charge += charge
    position += count
  }

  /// Holds what a turn assumes against what is there.
  private mutating func findWrong(upTo end: Int) {
    guard let run else { return }
    settle()
    var index = extentIndex
    var page = position
    while page < end {
      let extent = extents[index]
      let start = ends[index] - extent.pages
      guard extent.pfn(at: page - start) == run.nextPFN(at: page) else {
        firstWrong = page
        return
      }
      page = start + extent.contiguousEnd(at: page - start)
      if page == ends[index] { index += 1 }
      steps += 1
    }
  }

  /// Charges the run and maps it.
  mutating func closeRun() {
    guard let run else { return }
    counts.lockAccts += 1
    counts.iommuMaps += domains
    lockedPages += run.charge
    let mapped = MappedRun(page: run.start, pages: position - run.start, pfn: run.pfn)
    mapping.blocks.append(IOVAMapping.Block(series: [IOVAMapping.Series(run: mapped)]))
    self.run = nil
  }
}

extension Extent {
  /// The page before `next` and its first page are under one leaf entry, with `next`'s idea of how large that is.
  func endsInLeaf(of next: Extent) -> Bool {
    let last = pages &- 1
    return kind == next.kind && isFollowedPhysically(by: next) && head(at: last) == next.head(at: 0)
      && indexInFolio(at: last) / next.leafPages == next.offset / next.leafPages
  }
}
