internal import FunctionGraph

/// Strict lines through the sieve: of nearly all of them only the depth and the name are looked at.
extension TextParser {
  mutating func siftGraphLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictGraphLayout, _ sieve: TextSieve,
    _ batchSize: Int, _ batch: inout [Event]
  ) -> Int {
    guard sieve.accepts(.graph) else {
      sieve.giveUp()
      return 0
    }
    var position = base
    var lines = 0
    var exits: UInt64 = 0
    var deepest: Int32 = -1
    let shapes = strict.kernelShapes
    let thresholds = sieve.thresholds
    let verdicts = sieve.verdicts
    let skippedTo = sieve.skippedTo
    while position < limit, let line = layout.read(position, limit: limit, shapes) {
      let cpu = Int(line.cpu)
      // Three digits at most, but it is an index into memory.
      guard cpu < TextSieve.mostSlots else { break }
      let depth = Int32(truncatingIfNeeded: line.call.depth)
      let isWanted =
        !line.call.name.isEmpty && (verdicts.find(line.call.name) ?? sieve.judge(line.call.name)) == 1
      lines += 1
      if depth > thresholds[cpu], !isWanted {
        let isEntry = line.call.kind == .entry
        exits &+= isEntry ? 0 : 1
        deepest = max(deepest, depth)
        skippedTo[cpu] = isEntry ? depth : depth &- 1
        position = line.call.next
        continue
      }
      position = line.call.next
      if skippedTo[cpu] != TextSieve.none { nesting.setOpen(skippedTo[cpu], cpu: cpu) }
      lineNumber += lines
      tracefsLines += lines
      endStrictLines(lines)
      lines = 0
      var event = self.event(for: line.call, mark: line.mark, point: line.point)
      event.cpu = line.cpu
      nesting.adjust(&event)
      sieve.deliver(event, isWanted: isWanted, functions, into: &batch)
      if !sieve.needsAll { sieve.heed(nesting, cpu: cpu) }
      if batch.count >= batchSize || sieve.needsAll { break }
    }
    sieve.exits += exits
    sieve.deepest = max(sieve.deepest, deepest)
    lineNumber += lines
    tracefsLines += lines
    endStrictLines(lines)
    return base.distance(to: position)
  }

  mutating func siftColumnsLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictColumnsLayout, _ sieve: TextSieve,
    _ batchSize: Int, _ batch: inout [Event]
  ) -> Int {
    let hasTask = layout.hasTask
    guard sieve.accepts(hasTask ? .tasks : .graph), !hasTask || !nesting.sawInterrupt else {
      sieve.giveUp()
      return 0
    }
    var position = base
    var lines = 0
    var exits: UInt64 = 0
    var deepest: Int32 = -1
    let shapes = strict.kernelShapes
    let thresholds = sieve.thresholds
    let verdicts = sieve.verdicts
    let skippedTo = sieve.skippedTo
    while position < limit, let front = front(position, limit, layout),
      let line = layout.read(position, front.count, limit: limit, shapes)
    {
      let slot = Int(hasTask ? front.task.slot : front.task.cpu)
      guard slot < TextSieve.mostSlots else { break }
      if layout.hasTime, !sieve.passes(line.time) {
        sieve.giveUp()
        break
      }
      let depth = Int32(truncatingIfNeeded: line.call.depth)
      let isWanted =
        !line.call.name.isEmpty && (verdicts.find(line.call.name) ?? sieve.judge(line.call.name)) == 1
      lines += 1
      position = line.call.next
      if depth > thresholds[slot], !isWanted {
        let isEntry = line.call.kind == .entry
        exits &+= isEntry ? 0 : 1
        deepest = max(deepest, depth)
        if !hasTask { skippedTo[slot] = isEntry ? depth : depth &- 1 }
        continue
      }
      if !hasTask, skippedTo[slot] != TextSieve.none { nesting.setOpen(skippedTo[slot], cpu: slot) }
      lineNumber += lines
      tracefsLines += lines
      endStrictLines(lines)
      lines = 0
      var event = self.event(for: line, front.task, layout)
      nesting.adjust(&event)
      sieve.deliver(event, isWanted: isWanted, functions, into: &batch)
      if !hasTask, !sieve.needsAll { sieve.heed(nesting, cpu: slot) }
      if batch.count >= batchSize || sieve.needsAll { break }
    }
    sieve.exits += exits
    sieve.deepest = max(sieve.deepest, deepest)
    lineNumber += lines
    tracefsLines += lines
    endStrictLines(lines)
    return base.distance(to: position)
  }

  mutating func siftReportLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ sieve: TextSieve, _ batchSize: Int,
    _ batch: inout [Event]
  ) -> Int {
    guard sieve.accepts(.tasks) else {
      sieve.giveUp()
      return 0
    }
    var position = base
    var lines = 0
    var exits: UInt64 = 0
    var deepest: Int32 = -1
    let shapes = strict.reportShapes
    let thresholds = sieve.thresholds
    let verdicts = sieve.verdicts
    while position < limit, let line = StrictReportLine(position, limit: limit, shapes),
      let task = strict.tasks.find(position, line.front.count) ?? task(position, line.front.count)
    {
      guard sieve.passes(line.front.time) else {
        sieve.giveUp()
        break
      }
      let depth = Int32(truncatingIfNeeded: line.call.depth)
      let isWanted =
        !line.call.name.isEmpty && (verdicts.find(line.call.name) ?? sieve.judge(line.call.name)) == 1
      lines += 1
      position = line.call.next
      if depth > thresholds[Int(task.slot)], !isWanted {
        exits &+= line.call.kind == .entry ? 0 : 1
        deepest = max(deepest, depth)
        continue
      }
      lineNumber += lines
      reportLines += lines
      endStrictLines(lines)
      lines = 0
      var event = self.event(for: line.call, mark: line.front.mark, point: line.point)
      event.cpu = task.cpu
      event.pid = task.pid
      event.comm = task.comm
      event.timestamp = .nanoseconds(line.front.time)
      sieve.deliver(event, isWanted: isWanted, functions, into: &batch)
      if batch.count >= batchSize || sieve.needsAll { break }
    }
    sieve.exits += exits
    sieve.deepest = max(sieve.deepest, deepest)
    lineNumber += lines
    reportLines += lines
    endStrictLines(lines)
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
