/// One physically contiguous mapping: what one iommu_map got.
public struct MappedRun: Sendable, Hashable {
  /// First page, counted from the request's first.
  public var page: Int
  public var pages: Int
  /// Page frame of the first page.
  public var pfn: Int

  public init(page: Int, pages: Int, pfn: Int) {
    self.page = page
    self.pages = pages
    self.pfn = pfn
  }
}

/// What the IOMMU translates after a map: runs in the order of their IOVA, repetitions folded, so that a million
/// scattered folios take no more room than one.
public struct IOVAMapping: Sendable, Hashable {
  /// `count` runs of equal length at constant distances.
  struct Series: Sendable, Hashable {
    var run: MappedRun
    var count = 1
    var pageStride = 0
    var pfnStride = 0
  }

  /// `count` repetitions of several series, each shifted by constant distances.
  struct Block: Sendable, Hashable {
    var series: [Series]
    var count = 1
    var pageStride = 0
    var pfnStride = 0
  }

  var blocks: [Block] = []

  public init() {}

  init(_ runs: [MappedRun]) {
    blocks = runs.map { Block(series: [Series(run: $0)]) }
  }

  public var isEmpty: Bool { blocks.isEmpty }

  public var runCount: Int {
    blocks.reduce(0) { sum, block in
      sum + block.count * block.series.reduce(0) { $0 + $1.count }
    }
  }

  public var pages: Int {
    blocks.reduce(0) { sum, block in
      sum + block.count * block.series.reduce(0) { $0 + $1.count * $1.run.pages }
    }
  }

  /// Calls `body` with each run in the order of IOVA, until it returns false.
  public func forEachRun(_ body: (MappedRun) -> Bool) {
    for block in blocks {
      for repetition in 0..<block.count {
        for series in block.series {
          for index in 0..<series.count {
            let run = MappedRun(
              page: series.run.page + repetition * block.pageStride + index * series.pageStride,
              pages: series.run.pages,
              pfn: series.run.pfn + repetition * block.pfnStride + index * series.pfnStride)
            guard body(run) else { return }
          }
        }
      }
    }
  }

  /// The first `limit` runs.
  public func runs(limit: Int = .max) -> [MappedRun] {
    var runs: [MappedRun] = []
    if limit <= 0 { return runs }
    forEachRun { run in
      runs.append(run)
      return runs.count < limit
    }
    return runs
  }
}

/// How a map ended.
public struct MapOutcome: Sendable, Hashable {
  /// nil: mapped. Else everything was undone.
  public var error: Errno?
  /// Successful steps, up to the error; undoing is not counted, nor is a turn that fails the limit.
  public var counts = OperationCounts()
  /// Empty after an error.
  public var mapping = IOVAMapping()
  /// locked_vm afterwards, in pages.
  public var lockedPages = 0
  /// The first IOVA that leads to other memory than per-page pinning would have mapped; nil: it maps correctly. Of a
  /// failed map, nil.
  public var firstWrongIOVA: UInt64?

  public var mapsCorrectly: Bool { firstWrongIOVA == nil }
}
