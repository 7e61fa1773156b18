internal import FunctionGraph

/// What a `RangeSieve` has left of a range, through the sieve.
extension TextParser {
  /// What became of a range.
  enum RangeOutcome {
    /// The batch is full; go on with this item.
    case full(next: Int)
    /// All of it was read.
    case read
    /// From this place on it has to be read line by line: lines that were left out may matter.
    case stopped(at: UInt64)
  }

  /// - Parameter item: the first that was not taken yet.
  mutating func takeRange(
    _ range: SievedRange, from item: Int, _ sieve: TextSieve, upTo batchSize: Int, into batch: inout [Event]
  ) -> RangeOutcome {
    let layout = strict.layout
    let hasTasks = layout.hasTasks
    let items = range.items
    let openings = range.openings
    return range.text.withUnsafeBytes { text -> RangeOutcome in
      for index in item..<max(item, items.count) {
        if batch.count >= batchSize { return .full(next: index) }
        let item = items[index]
        guard skip(item, layout, sieve) else { break }
        for opening in openings[(index > 0 ? items[index - 1].openings : 0)..<item.openings] {
          if hasTasks {
            sieve.saw(pid: opening.pid, on: opening.cpu, into: &batch)
          } else {
            sieve.skippedTo[Int(opening.cpu)] = opening.depth
          }
        }
        if item.kind == .end { break }
        let isPlain = acceptsStrictLines
        if item.kind == .lost, isPlain || item.count == 0 {
          lose(item, sieve, into: &batch)
        } else {
          let line = UnsafeRawBufferPointer(rebasing: text[item.start..<item.start + item.count + 1])
          let isStrict = item.kind == .call && isPlain && parseStrictLines(line, upTo: .max, into: &batch) > 0
          if !isStrict, !sieve.needsAll {
            sift(sieve, into: &batch) {
              $0.parse(UnsafeRawBufferPointer(rebasing: line.dropLast()), into: &$1)
            }
          }
        }
        if sieve.needsAll { break }
        if item.kind == .call {
          // Behind the first line of a CPU its others are left out already.
          if !acceptsStrictLines || !hasTasks && sieve.thresholds[Int(item.cpu)] == .max {
            return .stopped(at: item.end)
          }
        }
      }
      return .read
    }
  }

  /// Counts the lines in front of an item; false where the sieve gives up.
  private mutating func skip(_ item: SievedRange.Item, _ layout: StrictLane.Layout, _ sieve: TextSieve)
    -> Bool
  {
    if item.others > 0 {
      lineNumber += item.others
      previousLineIsBlank = false
    }
    guard item.lines > 0 else { return true }
    guard sieve.accepts(layout.hasTasks ? .tasks : .graph),
      !layout.hasTimes || sieve.passes(item.firstTime) && sieve.passes(item.lastTime)
    else {
      sieve.giveUp()
      return false
    }
    count(strictLines: item.lines, layout)
    sieve.exits += item.exits
    sieve.deepest = max(sieve.deepest, item.deepest)
    return true
  }

  /// As `sift` with lines of which `parseNotes` makes losses.
  private mutating func lose(_ item: SievedRange.Item, _ sieve: TextSieve, into batch: inout [Event]) {
    lineNumber += Int(item.losses)
    previousLineIsBlank = false
    sieve.bringUpToDate(&nesting)
    nesting.forget(cpu: item.cpu)
    var event = Event(kind: .lost)
    event.cpu = item.cpu
    event.losses = item.losses
    event.lostEvents = item.lostEvents
    sieve.deliver(event, functions, into: &batch)
    if !sieve.needsAll { for cpu in 0..<sieve.cpuEnd { sieve.heed(nesting, cpu: cpu) } }
  }
}
