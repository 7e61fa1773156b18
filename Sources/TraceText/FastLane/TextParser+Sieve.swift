internal import FunctionGraph

/// Strict lines through the sieve: of nearly all of them only the depth and the name are looked at.
extension TextParser {
  /// Strict lines from `base` on, up to one that is none; as `readLines`.
  @inline(__always)
  mutating func siftLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictLane.Layout, _ sieve: TextSieve,
    _ batchSize: Int, _ batch: inout [Event],
    _ read: (inout TextParser, UnsafeRawPointer) -> StrictLine?
  ) -> Int {
    let hasTasks = layout.hasTasks
    let hasTimes = layout.hasTimes
    guard sieve.accepts(hasTasks ? .tasks : .graph), !hasTasks || layout.isReport || !nesting.sawInterrupt
    else {
      sieve.giveUp()
      return 0
    }
    var position = base
    var lines = 0
    var exits: UInt64 = 0
    var deepest: Int32 = -1
    let thresholds = sieve.thresholds
    let verdicts = sieve.verdicts
    let skippedTo = sieve.skippedTo
    while position < limit, let line = read(&self, position) {
      let slot = Int(hasTasks ? line.task.slot : line.task.cpu)
      // Of a CPU few digits, but it is an index into memory.
      guard slot < TextSieve.mostSlots else { break }
      if hasTimes, !sieve.passes(line.time) {
        sieve.giveUp()
        break
      }
      let depth = Int32(truncatingIfNeeded: line.call.depth)
      let isWanted =
        !line.call.name.isEmpty && (verdicts.find(line.call.name) ?? sieve.judge(line.call.name)) == 1
      lines += 1
      position = line.call.next
      if depth > thresholds[slot], !isWanted,
        !hasTasks || skippedTo[slot] == line.task.cpu || skippedTo[slot] == TextSieve.none
      {
        let isEntry = line.call.kind == .entry
        exits &+= isEntry ? 0 : 1
        deepest = max(deepest, depth)
        skippedTo[slot] = hasTasks ? line.task.cpu : isEntry ? depth : depth &- 1
        continue
      }
      if !hasTasks, skippedTo[slot] != TextSieve.none { nesting.setOpen(skippedTo[slot], cpu: slot) }
      count(strictLines: lines, layout)
      lines = 0
      var event = self.event(for: line, layout)
      if !hasTasks { nesting.adjust(&event) }
      sieve.deliver(event, isWanted: isWanted, functions, into: &batch)
      if !hasTasks, !sieve.needsAll { sieve.heed(nesting, cpu: slot) }
      if batch.count >= batchSize || sieve.needsAll { break }
    }
    sieve.exits += exits
    sieve.deepest = max(sieve.deepest, deepest)
    count(strictLines: lines, layout)
    return base.distance(to: position)
  }

  /// One line the general way, its events through the sieve.
  mutating func sift(
    _ sieve: TextSieve, into batch: inout [Event], _ parse: (inout TextParser, inout [Event]) -> Void
  ) {
    guard !sieve.needsAll else { return }
    sieve.bringUpToDate(&nesting)
    var events: [Event] = []
    swap(&events, &sifted)
    events.removeAll(keepingCapacity: true)
    parse(&self, &events)
    for event in events where !sieve.needsAll { sieve.deliver(event, functions, into: &batch) }
    swap(&events, &sifted)
    // How deep its calls are hangs on what a CPU's other tasks had open.
    if nesting.sawInterrupt, !sieve.accepts(.graph) { sieve.giveUp() }
    if !sieve.needsAll { for cpu in 0..<sieve.cpuEnd { sieve.heed(nesting, cpu: cpu) } }
  }
}
