internal import CVector
internal import FunctionGraph

/// The part of `TextTally` where the lines of a text go by.
extension TextTally {
  /// Pairs records until one comes that it cannot take.
  ///
  /// - Parameters:
  ///   - times: the records', where lines have times.
  ///   - owners: of the sieve's lanes, where lines name tasks.
  /// - Returns: the number of that one.
  func pair(
    _ records: UnsafeBufferPointer<SievedRange.Record>, _ times: UnsafeBufferPointer<SievedRange.Stamp>,
    from first: Int,
    _ owners: UnsafeBufferPointer<Owner>, sieve: Int, _ parser: inout TextParser
  ) -> Int {
    switch (hasTasks, hasTimes) {
    case (false, false): pair(records, times, first, owners, sieve, &parser, No.self, No.self)
    case (false, true): pair(records, times, first, owners, sieve, &parser, No.self, Yes.self)
    case (true, false): pair(records, times, first, owners, sieve, &parser, Yes.self, No.self)
    case (true, true): pair(records, times, first, owners, sieve, &parser, Yes.self, Yes.self)
    }
  }

  private func pair<Tasks: Constant, Times: Constant>(
    _ records: UnsafeBufferPointer<SievedRange.Record>, _ times: UnsafeBufferPointer<SievedRange.Stamp>,
    _ first: Int, _ owners: UnsafeBufferPointer<Owner>, _ sieve: Int, _ parser: inout TextParser,
    _ tasks: Tasks.Type, _ stamps: Times.Type
  ) -> Int {
    paths == nil
      ? pair(records, times, first, owners, sieve, &parser, tasks, stamps, No.self)
      : pair(records, times, first, owners, sieve, &parser, tasks, stamps, Yes.self)
  }

  @inline(never)
  private func pair<Tasks: Constant, Times: Constant, Paths: Constant>(
    _ records: UnsafeBufferPointer<SievedRange.Record>, _ times: UnsafeBufferPointer<SievedRange.Stamp>,
    _ first: Int, _ owners: UnsafeBufferPointer<Owner>, _ sieve: Int, _ parser: inout TextParser,
    _: Tasks.Type, _: Times.Type, _: Paths.Type
  ) -> Int {
    let hasTasks = Tasks.isSet
    let hasTimes = Times.isSet
    let paths = Paths.isSet ? self.paths : nil
    let lossCount = lossCount
    let last = builder.eventsTaken
    let mayMove = builder.knowsRunningTasks && !hasTasks
    var deepest = deepest
    var exits = exits
    var order = order
    defer {
      self.deepest = deepest
      self.exits = exits
      self.order = order
    }
    var index = first
    while index < records.count {
      let record = records[index]
      if record.value == 0 { return index }
      var place = Int(record.lane)
      var cpu = Int32(record.lane)
      if hasTasks {
        guard place < owners.count else { return index }
        cpu = owners[place].cpu
        place = Int(owners[place].lane)
      }
      guard place < laneCount else { return index }
      let lane = lanes + place
      if lane.pointee.lossesSeen != lossCount {
        guard lane.pointee.isLent else { return index }
        markLosses(lane, on: cpu)
      }
      let local = Int(record.value >> RangeSieve.Tail.function)
      var function = 0
      if local != 0 {
        guard local < numbers[sieve].count else { return index }
        function = Int(numbers[sieve][local])
        if function == 0 {
          function = Int(number(local, sieve: sieve, &parser))
          if needsEvents { return index }
        }
      }
      let depth = Int32(record.depth)
      if hasTasks { lane.pointee.lastCPU = cpu }
      if record.value & PINSTAT_EXIT == 0 {
        if lane.pointee.count > 0, lane.pointee.frames[lane.pointee.count - 1].depth >= depth {
          abandon(lane, from: depth, paths)
        }
        // No deeper than the depths are many.
        lane.pointee.frames[lane.pointee.count] = LentFrame(
          function: FunctionID(rawValue: UInt32(truncatingIfNeeded: function)), depth: depth)
        if let paths { lane.pointee.paths?[lane.pointee.count] = path(lane, function, paths) }
        if hasTimes { lane.pointee.entries[lane.pointee.count] = times[index] }
        lane.pointee.count += 1
        lane.pointee.opening = depth
      } else if record.value & RangeSieve.Tail.isLeaf != 0 {
        if lane.pointee.count > 0, lane.pointee.frames[lane.pointee.count - 1].depth >= depth {
          abandon(lane, from: depth, paths)
        }
        addToCaller(lane, record.duration, depth, hasEntry: true)
        if let paths {
          paths.end(
            path(lane, function, paths), record.duration, selfTime: record.duration, isWhole: true,
            stack: lane.pointee.stack)
        }
        exits += 1
        functions[function].complete += 1
        functions[function].selfTime &+= record.duration
        functions[function].selfTimeCalls += 1
        deliver(record.duration, record.scale, function, &order)
        lane.pointee.opening = depth - 1
      } else {
        if lane.pointee.count > 0, lane.pointee.frames[lane.pointee.count - 1].depth > depth {
          abandon(lane, from: depth + 1, paths)
        }
        let open = lane.pointee.count
        let top = open > 0 ? lane.pointee.frames[open - 1] : LentFrame(function: .none, depth: -1)
        let topFunction = Int(top.function.rawValue)
        if top.depth == depth, function == 0 || topFunction == function || topFunction == 0,
          !hasTimes || lane.pointee.lostBelow != open
            || CallBuilder.isPlausible(
              record.duration, from: lane.pointee.entries[open - 1].timestamp, to: times[index].timestamp)
        {
          lane.pointee.count = open - 1
          let isLost = open - 1 < lane.pointee.lostBelow
          if isLost { lane.pointee.lostBelow = open - 1 }
          addToCaller(lane, record.duration, depth, hasEntry: true)
          if let paths, let path = lane.pointee.paths?[open - 1] {
            // Where it is not known, something in the call was not whole, and it does not count.
            paths.end(
              path, record.duration, selfTime: record.duration &- top.calleeTime, isWhole: !isLost,
              stack: lane.pointee.stack)
          }
          exits += 1
          let function = function != 0 ? function : topFunction
          if isLost {
            functions[function].lost += 1
          } else {
            functions[function].complete += 1
            if !top.isPartial {
              functions[function].selfTime &+= record.duration &- top.calleeTime
              functions[function].selfTimeCalls += 1
            }
          }
          deliver(record.duration, record.scale, function, &order)
        } else {
          // It may be on another stack.
          if mayMove, function != 0 { return index }
          abandon(lane, from: depth, paths)
          addToCaller(lane, record.duration, depth, hasEntry: false)
          if let paths {
            paths.end(
              path(lane, function, paths), record.duration, selfTime: 0, isWhole: false,
              stack: lane.pointee.stack)
          }
          exits += 1
          functions[function].noEntry += 1
          deliver(record.duration, record.scale, function, &order)
        }
        lane.pointee.opening = depth - 1
      }
      deepest = max(deepest, depth)
      lane.pointee.last = last
      index += 1
    }
    return index
  }

  /// The open calls of `depth` and deeper have no exit.
  private func abandon(_ lane: UnsafeMutablePointer<Lane>, from depth: Int32, _ paths: PathSums?) {
    var open = lane.pointee.count
    while open > 0, lane.pointee.frames[open - 1].depth >= depth {
      open -= 1
      functions[Int(lane.pointee.frames[open].function.rawValue)].unfinished += 1
      if let paths, let path = lane.pointee.paths?[open] {
        paths.end(path, 0, selfTime: 0, isWhole: false, stack: lane.pointee.stack)
      }
    }
    guard open < lane.pointee.count else { return }
    lane.pointee.count = open
    lane.pointee.lostBelow = min(lane.pointee.lostBelow, open)
    if open > 0 { lane.pointee.frames[open - 1].isPartial = true }
  }

  /// Of a call of this function in the innermost open one.
  @inline(__always)
  private func path(
    _ lane: UnsafeMutablePointer<Lane>, _ function: Int, _ paths: PathSums
  ) -> CallPaths.ID {
    let open = lane.pointee.count
    let parent = open > 0 ? lane.pointee.paths?[open - 1] ?? CallPaths.root : CallPaths.root
    let function = FunctionID(rawValue: UInt32(truncatingIfNeeded: function))
    let cached = paths.cached(below: parent, function).pointee
    return cached.parent == parent && cached.function == function
      ? cached.path : addPath(below: parent, function, paths)
  }

  /// As `CallBuilder.addToCaller`.
  @inline(__always)
  private func addToCaller(
    _ lane: UnsafeMutablePointer<Lane>, _ duration: Int64, _ depth: Int32, hasEntry: Bool
  ) {
    let open = lane.pointee.count
    guard open > 0 else { return }
    let frame = lane.pointee.frames + (open - 1)
    let isDirect = depth - frame.pointee.depth <= 1
    if !hasEntry, frame.pointee.skippedTime != 0 {
      if isDirect {
        frame.pointee.calleeTime &-= frame.pointee.skippedTime
      } else {
        frame.pointee.isPartial = true
      }
    }
    if isDirect {
      frame.pointee.skippedTime = 0
    } else {
      frame.pointee.skippedTime &+= duration
    }
    frame.pointee.calleeTime &+= duration
  }

  @inline(__always)
  private func deliver(_ duration: Int64, _ scale: UInt8, _ number: Int, _ order: inout UInt64) {
    let function = functions + number
    guard function.pointee.isSelected else { return }
    if scale > 0 { function.pointee.resolution = max(function.pointee.resolution, Self.resolution(scale)) }
    function.pointee.waiting[function.pointee.waitingCount] = TimedDuration(duration: duration, end: order)
    order &+= 1
    function.pointee.waitingCount &+= 1
    if function.pointee.waitingCount == TimedDuration.batchSize { deliver(number) }
  }

  func deliver(_ duration: Int64, _ resolution: UInt32, _ number: Int) {
    // 0 was printed with the resolution that durations so short have.
    if duration == 0, resolution > 1 { needsEvents = true }
    functions[number].resolution = max(functions[number].resolution, resolution)
    deliver(duration, 0, number, &order)
  }

  /// Gives the sink what waits for it.
  func deliver(_ number: Int) {
    let function = functions + number
    guard function.pointee.waitingCount > 0 else { return }
    sink.add(
      UnsafeBufferPointer(start: function.pointee.waiting, count: function.pointee.waitingCount), of: number)
    function.pointee.waitingCount = 0
  }
}

/// Known where it is compiled: a loop of its own is made for each.
private protocol Constant {
  static var isSet: Bool { get }
}

private enum Yes: Constant {
  static var isSet: Bool { true }
}

private enum No: Constant {
  static var isSet: Bool { false }
}
