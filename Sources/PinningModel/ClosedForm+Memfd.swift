extension ClosedForm {
  /// iommufd with a memfd: calls of 32 MiB, in each a step a piece of a folio. No loop is needed: a step begins where a
  /// piece of a folio or a call begins, so their number is that of the one plus that of the other minus that of both.
  static func mapMemfd(_ scenario: Scenario, _ start: MapOutcome) -> Replay {
    var outcome = start
    let call = Variant.memfdCallPages
    let extents = scenario.extents
    // How many pages are pinned before something fails.
    var done = scenario.pages
    var position = 0
    for extent in extents {
      if extent.kind != .folios {
        done = position / call * call
        outcome.error = .badAddress
        break
      }
      position += extent.pages
    }
    let room = max(0, scenario.memoryLock.effectiveLimit - outcome.lockedPages)
    if room < done {
      done = room / call * call
      outcome.error = .noMemory
    }
    let pinned = Scenario.trim(extents, to: done)
    let steps = memfdSteps(pinned)
    outcome.counts.refills = (done + call - 1) / call
    outcome.counts.loopTurns = steps
    outcome.counts.longtermLookups = steps
    let runs = MemoryShape(pinned).runs
    // The last run is mapped when it is seen to end.
    let mapped = outcome.error == nil ? runs : max(0, runs - 1)
    outcome.counts.iommuMaps = mapped * scenario.container.domains
    if outcome.error == nil {
      outcome.lockedPages += done
      outcome.mapping = IOVAMapping(contiguousRunsOf: pinned)
    }
    return Replay(outcome: outcome, steps: extents.count)
  }

  /// Pieces of folios, cut at the calls' borders.
  private static func memfdSteps(_ extents: [Extent]) -> Int {
    let call = Variant.memfdCallPages
    var steps = 0
    var start = 0
    var previous: Extent?
    for extent in extents {
      let range = start..<start + extent.pages
      let continues = previous?.isContinuedInFolio(by: extent) ?? false
      let pieces = extent.units(of: extent.folioPages, in: 0..<extent.pages) - (continues ? 1 : 0)
      let calls = multiples(of: call, in: range)
      // A page at which both begin: a multiple of a call at a folio's head. Either length divides the other.
      let lead = (extent.folioPages - extent.offset) % extent.folioPages
      var both: Int
      if extent.folioPages <= call {
        both = (start + lead) % extent.folioPages == 0 ? calls : 0
      } else {
        let firstHead = start + lead
        both =
          firstHead % call == 0
          ? multiples(of: extent.folioPages, in: 0..<max(0, range.upperBound - firstHead)) : 0
      }
      // The extent's first page begins a piece even within a folio, unless the extent before it ends there.
      if start % call == 0 && lead != 0 && !continues { both += 1 }
      if start % call == 0 && lead == 0 && continues { both -= 1 }
      steps += pieces + calls - both
      start += extent.pages
      previous = extent
    }
    return steps
  }

  private static func multiples(of unit: Int, in range: Range<Int>) -> Int {
    (range.upperBound + unit - 1) / unit - (range.lowerBound + unit - 1) / unit
  }
}

extension Scenario {
  /// The first `pages` pages.
  static func trim(_ extents: [Extent], to pages: Int) -> [Extent] {
    var result: [Extent] = []
    var missing = pages
    for extent in extents where missing > 0 {
      let taken = min(extent.pages, missing)
      result.append(extent.slice(0..<taken))
      missing -= taken
    }
    return result
  }
}

extension IOVAMapping {
  /// The longest physically contiguous runs of memory without holes.
  init(contiguousRunsOf extents: [Extent]) {
    self.init()
    var open: MappedRun?
    var start = 0
    func close() {
      if let run = open { blocks.append(Block(series: [Series(run: run)])) }
      open = nil
    }
    for extent in extents {
      var index = 0
      while index < extent.pages {
        let end = extent.contiguousEnd(at: index)
        let pfn = extent.pfn(at: index)
        if let run = open, run.pfn + run.pages == pfn {
          open?.pages += end - index
        } else {
          close()
          open = MappedRun(page: start + index, pages: end - index, pfn: pfn)
        }
        index = end
        // Whole folios in between are runs of their own.
        let whole = (extent.pages - index) / extent.folioPages
        if index < extent.pages && extent.indexInFolio(at: index) == 0 && whole > 1 {
          close()
          let run = MappedRun(page: start + index, pages: extent.folioPages, pfn: extent.pfn(at: index))
          let series = Series(
            run: run, count: whole - 1, pageStride: extent.folioPages, pfnStride: extent.folioStride)
          blocks.append(Block(series: [series]))
          index += (whole - 1) * extent.folioPages
        }
      }
      start += extent.pages
    }
    close()
  }
}
