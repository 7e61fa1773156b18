/// The model over runs and folios: the same counts, mapping and error as `ReferenceSimulation`, in time that depends on
/// the number of extents and vpfn ranges and not on the number of pages.
public enum ClosedForm {
  /// What VFIO_IOMMU_MAP_DMA (of iommufd: IOMMU_IOAS_MAP_FILE) does.
  public static func map(_ scenario: Scenario, _ variant: Variant) -> MapOutcome {
    replay(scenario, variant).outcome
  }

  struct Replay {
    var outcome: MapOutcome
    /// How much work it was.
    var steps = 1
    /// Runs that go on physically where the run before them ends: there ordinary and reserved memory meet.
    var seamlessRuns = 0
  }

  static func replay(_ scenario: Scenario, _ variant: Variant) -> Replay {
    var outcome = MapOutcome()
    outcome.counts.call = 1
    outcome.lockedPages = scenario.memoryLock.lockedPages
    if let rejection = scenario.rejection {
      outcome.error = rejection
      return Replay(outcome: outcome)
    }
    guard scenario.container.domains > 0 else { return Replay(outcome: outcome) }
    guard variant.isType1 else { return mapMemfd(scenario, outcome) }
    var replay = MapReplay(scenario, variant)
    replay.replay()
    outcome.counts = replay.counts
    outcome.counts.call = 1
    outcome.error = replay.error
    if replay.error == nil {
      outcome.mapping = replay.mapping
      outcome.lockedPages = replay.lockedPages
      outcome.firstWrongIOVA = replay.firstWrong.map { scenario.request.iova + UInt64($0) * Page.size }
    }
    return Replay(outcome: outcome, steps: replay.steps, seamlessRuns: replay.seamlessRuns)
  }

  /// What VFIO_IOMMU_UNMAP_DMA does with the whole of a map by the same variant; where the map fails, nothing.
  public static func unmap(_ scenario: Scenario, _ variant: Variant) -> OperationCounts {
    var counts = OperationCounts()
    counts.call = 1
    let replay = replay(scenario, variant)
    let outcome = replay.outcome
    guard outcome.error == nil, scenario.container.domains > 0 else { return counts }
    let shape = MemoryShape(scenario.extents)
    counts.iovaWalks = scenario.pages
    // A wrong mapping has runs of its own.
    counts.iommuUnmaps =
      variant.canMapWrongly && !scenario.disableHugepages
      ? outcome.mapping.runCount - replay.seamlessRuns : shape.runs
    if !variant.unpinsByFolio {
      counts.unpinTests = scenario.pages
      counts.unpinAtomics = 2 * shape.ordinaryPages
      counts.unpinLookups = shape.ordinaryPages
    } else if shape.ordinaryPages < scenario.pages {
      counts.unpinTests = scenario.pages
      counts.unpinAtomics = 2 * shape.ordinaryPages
      counts.unpinLookups = shape.runs
    } else {
      counts.unpinAtomics = 2 * shape.folioPieces
      counts.unpinLookups = variant.isType1 ? shape.runs : 0
    }
    return counts
  }
}

/// What of a memory's shape does not depend on who looks.
struct MemoryShape {
  /// Physically contiguous runs, whatever they are made of.
  var runs = 0
  /// Pieces of folios: pages of one folio that follow one another.
  var folioPieces = 0
  var ordinaryPages = 0

  init(_ extents: [Extent]) {
    var previous: Extent?
    for extent in extents {
      let follows = previous?.isFollowedPhysically(by: extent) ?? false
      let folios = extent.units(of: extent.folioPages, in: 0..<extent.pages)
      runs += (extent.isContiguous ? 1 : folios) - (follows ? 1 : 0)
      if extent.kind == .folios {
        ordinaryPages += extent.pages
        folioPieces += folios - (previous?.isContinuedInFolio(by: extent) ?? false ? 1 : 0)
      }
      previous = extent
    }
  }
}
