internal import FunctionGraph

/// What the sums come to.
extension StackTally {
  /// Adds what was found.
  ///
  /// - Parameters:
  ///   - lane: the number of the first CPU's sink; the others' follow.
  ///   - names: gives local numbers their names in the whole trace.
  func add(to tally: inout TraceTally, buffer: UInt16, lane: Int, names: [FunctionID]) {
    var all = rest
    tally.losses += losses
    tally.lostEvents &+= lostEvents
    tally.deepest = max(tally.deepest, deepest)
    for number in 1..<max(1, nodes.count) {
      let node = nodes.base[number]
      all[Int(node.function)].complete += node.calls + whole.base[number].calls
      all[Int(node.function)].selfTime &+= node.selfTime &+ whole.base[number].selfTime
    }
    for number in 1..<max(1, isSelected.count) {
      let rest = all[number]
      let ended = rest.complete + rest.withoutSelfTime + rest.noEntry + rest.lost
      tally.calls += ended
      guard isSelected[number] else { continue }
      tally.calls += rest.unfinished
      var sums = TraceTally.Function(buffer: buffer, function: names[number], lane: lane, number: number)
      sums.complete = rest.complete + rest.withoutSelfTime
      sums.unfinished = rest.unfinished
      sums.noEntry = rest.noEntry
      sums.lost = rest.lost
      sums.selfTime = rest.selfTime
      sums.selfTimeCalls = rest.complete
      // What belongs together may stand in several parts: durations here, calls there, even less than none.
      let hasSums =
        sums.complete != 0 || sums.unfinished != 0 || sums.noEntry != 0 || sums.lost != 0
        || sums.selfTime != 0 || sums.selfTimeCalls != 0
      if hasSums || lanes[0].hasDurations(of: number) { tally.functions.append(sums) }
      for other in lanes.dropFirst() where other.hasDurations(of: number) {
        tally.functions.append(
          TraceTally.Function(
            buffer: buffer, function: names[number], lane: lane + other.number, number: number))
      }
    }
    guard hasPaths else { return }
    var paths: [CallPaths.ID?] = [CallPaths.root]
    for number in 1..<max(1, nodes.count) {
      let node = nodes.base[number]
      // Nothing is left of what was below inherited calls.
      guard node.function != 0, let parent = paths[Int(parents[number])] else {
        paths.append(nil)
        continue
      }
      let path = tally.paths.child(of: parent, names[Int(node.function)])
      paths.append(path)
      let sum = whole.base[number]
      if sum.calls > 0 { tally.sums.append((buffer, path, sum)) }
    }
  }
}
