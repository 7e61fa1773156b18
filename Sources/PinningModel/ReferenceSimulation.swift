/// The model played page by page: slow, and obviously what the kernel does. Memory and time are in proportion to the
/// pages asked for; `ClosedForm` gives the same answers without that.
///
/// The frame is that of `vfio_pin_map_dma` and `vfio_pin_pages_remote`; see `Variant` for where they differ.
public struct ReferenceSimulation: Sendable {
  /// One page of 4 KiB of the request.
  struct PageState {
    var kind: Extent.Kind
    var pfn: Int
    /// Page frame of its folio's head.
    var head: Int
    var folioPages: Int
    var leafPages: Int
    var isHugetlb: Bool
    var isVPFN = false

    var indexInFolio: Int { pfn - head }

    /// In the same folio as `previous`, and the page after it.
    func continuesFolio(of previous: PageState) -> Bool {
      kind == .folios && previous.kind == .folios && head == previous.head && pfn == previous.pfn + 1
    }

    /// Under the same leaf page-table entry as `previous`.
    func sharesLeaf(with previous: PageState) -> Bool {
      kind == previous.kind && head == previous.head && pfn == previous.pfn + 1
        && indexInFolio / leafPages == previous.indexInFolio / leafPages
    }
  }

  enum Refill {
    /// Pages are in the batch.
    case pages
    case reserved(pfn: Int, pages: Int)
  }

  let scenario: Scenario
  let variant: Variant
  let limit: Int
  let pages: [PageState]

  public private(set) var outcome = MapOutcome()
  /// Pins that this mapping holds, by page frame. Below 0: pages were unpinned that it never had pinned.
  public private(set) var pins: [Int: Int] = [:]
  var runs: [MappedRun] = []
  /// Whether each run is of reserved page frames.
  var runIsReserved: [Bool] = []
  /// Pages pinned and not yet part of a run: a range of the request's pages.
  var batch = 0..<0

  private init(_ scenario: Scenario, _ variant: Variant) {
    self.scenario = scenario
    self.variant = variant
    limit = scenario.memoryLock.effectiveLimit
    outcome.lockedPages = scenario.memoryLock.lockedPages
    guard scenario.rejection == nil else {
      pages = []
      return
    }
    var pages: [PageState] = []
    pages.reserveCapacity(scenario.pages)
    for extent in scenario.extents {
      for index in 0..<extent.pages {
        pages.append(
          PageState(
            kind: extent.kind, pfn: extent.pfn(at: index), head: extent.head(at: index),
            folioPages: extent.folioPages, leafPages: extent.leafPages, isHugetlb: extent.isHugetlb))
      }
    }
    for range in scenario.vpfns {
      for page in range { pages[page].isVPFN = true }
    }
    self.pages = pages
  }

  /// Maps, and keeps the state in which that ends.
  public static func map(_ scenario: Scenario, _ variant: Variant) -> ReferenceSimulation {
    var simulation = ReferenceSimulation(scenario, variant)
    simulation.outcome.counts.call = 1
    if let rejection = scenario.rejection {
      simulation.outcome.error = rejection
      return simulation
    }
    guard scenario.container.domains > 0 else { return simulation }
    do throws(Errno) {
      if variant.isType1 { try simulation.mapType1() } else { try simulation.mapMemfd() }
      simulation.outcome.mapping = IOVAMapping(simulation.runs)
      simulation.findFirstWrong()
    } catch {
      simulation.outcome.error = error
      simulation.undo()
    }
    return simulation
  }

  // MARK: The frame

  private mutating func mapType1() throws(Errno) {
    var position = 0
    while position < pages.count {
      position += try pinRun(at: position)
      outcome.counts.iommuMaps += scenario.container.domains
    }
  }

  /// Pins the longest physically contiguous run from page `start` on, charges it, and returns its length.
  private mutating func pinRun(at start: Int) throws(Errno) -> Int {
    let wanted = scenario.disableHugepages ? 1 : pages.count - start
    var run: MappedRun?
    var isReserved = false
    var pinned = 0
    var charge = 0
    var isOver = false
    do throws(Errno) {
      if !batch.isEmpty { run = MappedRun(page: start, pages: 0, pfn: pages[batch.lowerBound].pfn) }
      while pinned < wanted && !isOver {
        if batch.isEmpty {
          switch try refill(at: start + pinned, wanted: wanted - pinned) {
          case .pages:
            if run == nil { run = MappedRun(page: start, pages: 0, pfn: pages[batch.lowerBound].pfn) }
          case .reserved(let pfn, let count):
            if run == nil {
              run = MappedRun(page: start, pages: 0, pfn: pfn)
              isReserved = true
            }
            guard let run, isReserved, pfn == run.pfn + pinned else {
              isOver = true
              continue
            }
            outcome.counts.leafWalks += 1
            outcome.counts.loopTurns += 1
            outcome.counts.reservedTests += 1
            pinned += count
            continue
          }
        }
        guard let run else { break }
        var takesWholeBatch = true
        while !batch.isEmpty && !isOver {
          let follows = pages[batch.lowerBound].pfn == run.pfn + pinned
          guard follows, !isReserved else {
            isOver = true
            continue
          }
          let turn = takeTurn(opensRun: pinned == 0, mayTakeWholeBatch: takesWholeBatch)
          takesWholeBatch = false
          guard outcome.lockedPages + charge + turn.charge <= limit || turn.charge == 0 else {
            throw .noMemory
          }
          outcome.counts = turn.counts
          charge += turn.charge
          pinned += turn.pages
          batch = batch.lowerBound + turn.pages..<batch.upperBound
        }
      }
    } catch {
      if let run, !isReserved { unpin(run.pfn..<run.pfn + pinned) }
      throw error
    }
    guard let run else { return 0 }
    outcome.counts.lockAccts += 1
    outcome.lockedPages += charge
    runs.append(MappedRun(page: start, pages: pinned, pfn: run.pfn))
    runIsReserved.append(isReserved)
    return pinned
  }

  // MARK: GUP

  private mutating func refill(at start: Int, wanted: Int) throws(Errno) -> Refill {
    let capacity = variant.batchPages(disableHugepages: scenario.disableHugepages)
    let want = min(wanted, capacity)
    var end = start
    while end < start + want && pages[end].kind == .folios { end += 1 }
    guard end > start else { return try refillReserved(at: start, wanted: wanted) }
    var leaves = 0
    var folios = 0
    for page in start..<end {
      if page == start || !pages[page].sharesLeaf(with: pages[page - 1]) || pages[page].leafPages == 1 {
        leaves += 1
      }
      if page == start || pages[page].head != pages[page - 1].head { folios += 1 }
    }
    outcome.counts.refills += 1
    outcome.counts.leafWalks += leaves
    outcome.counts.longtermLookups += scenario.gup == .old ? end - start : folios
    outcome.counts.pointersStored += end - start
    if variant == .wholeFolio && !scenario.disableHugepages {
      // The entry that the walk saw last covers what follows as well.
      while end < start + wanted, pages[end].sharesLeaf(with: pages[end - 1]), pages[end].leafPages > 1 {
        end += 1
      }
    }
    batch = start..<end
    for page in batch { pins[pages[page].pfn, default: 0] += 1 }
    return .pages
  }

  private func refillReserved(at start: Int, wanted: Int) throws(Errno) -> Refill {
    guard pages[start].kind == .reserved else { throw .badAddress }
    var end = start + 1
    let most = variant == .singlePage ? 1 : wanted
    while end < start + most, pages[end].sharesLeaf(with: pages[end - 1]), pages[end].leafPages > 1 {
      end += 1
    }
    return .reserved(pfn: pages[start].pfn, pages: end - start)
  }

  // MARK: One turn of the loop

  struct Turn {
    var pages = 1
    var charge = 0
    var counts: OperationCounts
  }

  private func takeTurn(opensRun: Bool, mayTakeWholeBatch: Bool) -> Turn {
    let first = batch.lowerBound
    var turn = Turn(counts: outcome.counts)
    turn.counts.loopTurns += 1
    let foreign = { (count: Int) in pages[first..<first + count].count { $0.isVPFN } }
    switch variant {
    case .singlePage, .perPage, .iommufdMemfd:
      turn.counts.reservedTests += 1
      turn.counts.vpfnLookups += 1
      turn.charge = 1 - foreign(1)
    case .patchV1:
      if mayTakeWholeBatch && !scenario.disableHugepages && pages[first].isHugetlb {
        turn.counts.vpfnLookups += 1
        if foreign(batch.count) == 0 {
          turn.pages = batch.count
          turn.charge = batch.count
          turn.counts.reservedTests += opensRun ? 1 : 0
          return turn
        }
      }
      turn.counts.reservedTests += 1
      turn.counts.vpfnLookups += 1
      turn.charge = 1 - foreign(1)
    case .folioStep:
      turn.counts.reservedTests += 1
      turn.counts.vpfnLookups += 1
      let step = min(batch.count, pages[first].folioPages - pages[first].indexInFolio)
      if step > 1 && foreign(step) == 0 {
        turn.pages = step
        turn.charge = step
      } else {
        turn.counts.vpfnLookups += step > 1 ? 1 : 0
        turn.charge = 1 - foreign(1)
      }
    case .contigPages, .merged, .wholeFolio:
      var most = batch.count
      if variant != .merged { most = min(most, pages[first].folioPages - pages[first].indexInFolio) }
      var count = 1
      while count < most && pages[first + count].pfn == pages[first].pfn + count { count += 1 }
      turn.pages = count
      turn.charge = count - foreign(count)
      turn.counts.reservedTests += 1
      turn.counts.vpfnLookups += 1
      if variant != .wholeFolio { turn.counts.pointerCompares += count < most ? count : count - 1 }
    }
    return turn
  }

  // MARK: iommufd

  private mutating func mapMemfd() throws(Errno) {
    var open: MappedRun?
    var start = 0
    while start < pages.count {
      let end = min(pages.count, start + Variant.memfdCallPages)
      guard pages[start..<end].allSatisfy({ $0.kind == .folios }) else { throw .badAddress }
      guard outcome.lockedPages + end - start <= limit else { throw .noMemory }
      outcome.counts.refills += 1
      for page in start..<end {
        pins[pages[page].pfn, default: 0] += 1
        if page == start || !pages[page].continuesFolio(of: pages[page - 1]) {
          outcome.counts.loopTurns += 1
          outcome.counts.longtermLookups += 1
        }
        if let run = open, pages[page].pfn == run.pfn + run.pages {
          open?.pages += 1
        } else {
          finishMemfdRun(open)
          open = MappedRun(page: page, pages: 1, pfn: pages[page].pfn)
        }
      }
      outcome.lockedPages += end - start
      batch = 0..<end
      start = end
    }
    finishMemfdRun(open)
    batch = end(of: batch)
  }

  private func end(of range: Range<Int>) -> Range<Int> { range.upperBound..<range.upperBound }

  private mutating func finishMemfdRun(_ run: MappedRun?) {
    guard let run else { return }
    runs.append(run)
    runIsReserved.append(false)
    outcome.counts.iommuMaps += scenario.container.domains
  }

  // MARK: Undoing

  private mutating func unpin(_ pfns: Range<Int>) {
    for pfn in pfns {
      let left = pins[pfn, default: 0] - 1
      pins[pfn] = left == 0 ? nil : left
    }
  }

  /// Takes back what earlier runs and the batch have.
  private mutating func undo() {
    for page in batch { unpin(pages[page].pfn..<pages[page].pfn + 1) }
    if variant.isType1 {
      for (run, isReserved) in zip(runs, runIsReserved) where !isReserved {
        unpin(run.pfn..<run.pfn + run.pages)
      }
    }
    batch = 0..<0
    runs = []
    runIsReserved = []
    outcome.lockedPages = scenario.memoryLock.lockedPages
  }

  /// Holds what is mapped against the pages themselves, which is what per-page pinning maps.
  private mutating func findFirstWrong() {
    for run in runs {
      for index in 0..<run.pages where pages[run.page + index].pfn != run.pfn + index {
        outcome.firstWrongIOVA = scenario.request.iova + UInt64(run.page + index) * Page.size
        return
      }
    }
  }
}

extension ReferenceSimulation {
  /// Unmaps what `map` mapped (vfio_unmap_unpin): the counts, and whether anything is left pinned.
  ///
  /// The walk looks each page up, whatever the variant (of iommufd, batch_from_domain); what is physically contiguous
  /// is one run, however it was mapped.
  public mutating func unmap() -> OperationCounts {
    var counts = OperationCounts()
    counts.call = 1
    let reserved = runIsReserved.contains(true)
    var mapped: [(pfn: Int, isReserved: Bool)] = []
    for (run, isReserved) in zip(runs, runIsReserved) {
      for index in 0..<run.pages { mapped.append((run.pfn + index, isReserved)) }
    }
    for page in mapped.indices {
      counts.iovaWalks += 1
      let opensRun = page == 0 || mapped[page].pfn != mapped[page - 1].pfn + 1
      if opensRun { counts.iommuUnmaps += 1 }
      if variant.unpinsByFolio {
        if opensRun && variant.isType1 { counts.unpinLookups += 1 }
        if reserved {
          counts.unpinTests += 1
          counts.unpinAtomics += mapped[page].isReserved ? 0 : 2
        } else if opensRun || !pages[page].continuesFolio(of: pages[page - 1]) {
          counts.unpinAtomics += 2
        }
      } else {
        counts.unpinTests += 1
        if !mapped[page].isReserved {
          counts.unpinAtomics += 2
          counts.unpinLookups += 1
        }
      }
      if !mapped[page].isReserved { unpin(mapped[page].pfn..<mapped[page].pfn + 1) }
    }
    runs = []
    runIsReserved = []
    outcome.mapping = IOVAMapping()
    outcome.lockedPages = scenario.memoryLock.lockedPages
    return counts
  }
}
