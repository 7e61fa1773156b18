/// Repetition: in an extent, what the kernel does with one period of pages it does with the next one, only shifted.
///
/// Two periods matter: a batch within a folio larger than a batch, and the larger of batch and folio within a series of
/// folios (both are powers of two). One period is replayed; if it ends in the state in which it began, shifted, all
/// that follow up to the next irregularity (the extent's end, a vpfn, the limit) are multiplied. If it does not, as on
/// the first one, no harm is done: its pages are replayed, and the next one is tried.
extension MapReplay {
  private struct Snapshot {
    var position: Int
    var pfn: Int
    var run: OpenRun?
    var counts: OperationCounts
    var lockedPages: Int
    var blocks: Int

    /// The open run goes on with the next page.
    var continuesRun: Bool { run.map { !$0.isReserved && $0.nextPFN(at: position) == pfn } ?? false }
  }

  private mutating func snapshot() -> Snapshot? {
    guard position < pages, position == batchEnd, error == nil else { return nil }
    let (extent, start) = currentExtent()
    return Snapshot(
      position: position, pfn: extent.pfn(at: position - start), run: run, counts: counts,
      lockedPages: lockedPages,
      blocks: mapping.blocks.count)
  }

  /// Multiplies periods of a series of folios.
  mutating func repeatFolios() {
    let (extent, start) = currentExtent()
    guard extent.kind == .folios else { return }
    let period = max(extent.folioPages, capacity)
    let zoneEnd = min(start + extent.pages, vpfnZone().end)
    guard (zoneEnd - position) / period >= 4, let before = snapshot() else { return }
    let end = position + period
    while position < end && error == nil {
      if position == batchEnd { repeatBatches(upTo: end) }
      if position < end && error == nil { step() }
    }
    multiply(since: before, period: period, zoneEnd: zoneEnd)
  }

  /// Multiplies batches within one folio.
  mutating func repeatBatches(upTo limit: Int) {
    let (extent, start) = currentExtent()
    guard extent.kind == .folios else { return }
    let zoneEnd = min(start + extent.folioEnd(at: position - start), vpfnZone().end, limit)
    guard (zoneEnd - position) / capacity >= 4, let before = snapshot() else { return }
    let end = position + capacity
    while position < end && error == nil { step() }
    multiply(since: before, period: capacity, zoneEnd: zoneEnd)
  }

  /// Repeats what has happened since `before` as often as it fits.
  private mutating func multiply(since before: Snapshot, period: Int, zoneEnd: Int) {
    guard position == before.position + period, let after = snapshot(), let growth = growth(before, after)
    else {
      return
    }
    let charge = after.lockedPages - before.lockedPages + growth
    var times = (zoneEnd - position) / period
    if charge > 0 { times = min(times, (limit - lockedPages - (run?.charge ?? 0)) / charge) }
    guard times > 0, let pattern = flatten(mapping.blocks[before.blocks...]) else { return }
    let shift = after.pfn - before.pfn
    counts.repeatGrowth(since: before.counts, times: times)
    lockedPages += (after.lockedPages - before.lockedPages) * times
    if mapping.blocks.count > before.blocks {
      mapping.blocks.removeSubrange(before.blocks...)
      mapping.blocks.append(
        IOVAMapping.Block(series: pattern, count: times + 1, pageStride: period, pfnStride: shift))
      run?.start += times * period
      run?.pfn += times * shift
    }
    run?.charge += growth * times
    position += times * period
    batchEnd = position
  }

  /// Blocks as one series each; nil where one is more than that.
  private func flatten(_ blocks: ArraySlice<IOVAMapping.Block>) -> [IOVAMapping.Series]? {
    var flat: [IOVAMapping.Series] = []
    for block in blocks {
      if block.count == 1 {
        flat += block.series
      } else {
        guard block.series.count == 1, var series = block.series.first, series.count == 1 else { return nil }
        (series.count, series.pageStride, series.pfnStride) = (block.count, block.pageStride, block.pfnStride)
        flat.append(series)
      }
    }
    return flat
  }

  /// By how much the open run's charge grows a period, if the state after it is that before it, shifted; else nil.
  private func growth(_ before: Snapshot, _ after: Snapshot) -> Int? {
    switch (before.run, after.run) {
    case (nil, nil): return 0
    case (let first?, let second?):
      if before.blocks == after.blocks {
        // One run through the whole period.
        return before.continuesRun && after.continuesRun ? second.charge - first.charge : nil
      }
      let isShifted =
        before.position - first.start == after.position - second.start
        && first.isReserved == second.isReserved
        && first.pfn - before.pfn == second.pfn - after.pfn && first.charge == second.charge
      return isShifted ? 0 : nil
    default: return nil
    }
  }
}
