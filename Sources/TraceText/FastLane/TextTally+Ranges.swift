internal import CVector
internal import FunctionGraph

/// The part of `TextTally` that takes what ranges of a text were read as.
extension TextTally {
  /// Takes a range; `parser` gets what is no strict line.
  func take(_ range: SievedRange, _ parser: inout TextParser) {
    // The last line of all may be a part, which is given up at the end; another range does not begin behind it.
    guard parser.acceptsStrictLines else {
      needsEvents = true
      return
    }
    learn(range, &parser)
    let records = range.records
    guard !hasTimes || range.times.count == records.count else {
      needsEvents = true
      return
    }
    let owners = hasTasks ? ownersOfSieve[range.sieve] : []
    var nextItem = 0
    records.withUnsafeBufferPointer { records in
      range.times.withUnsafeBufferPointer { times in
        owners.withUnsafeBufferPointer { owners in
          var index = 0
          while index < records.count, !needsEvents {
            index = pair(records, times, from: index, owners, sieve: range.sieve, &parser)
            guard index < records.count else { break }
            if records[index].value == 0 {
              take(range, nextItem, &parser)
              nextItem += 1
              // What belongs to it may be a line that looks strict.
              if !parser.acceptsStrictLines, index + 1 < records.count { needsEvents = true }
            } else {
              let time: Timestamp = hasTimes ? times[index].timestamp : .none
              takeSlowly(records[index], time, owners, sieve: range.sieve, &parser)
            }
            index += 1
          }
        }
      }
    }
    guard !needsEvents, let end = range.items.last, end.kind == .end else {
      needsEvents = true
      return
    }
    count(end, &parser)
  }

  /// The strict lines in front of an item.
  private func count(_ item: SievedRange.Item, _ parser: inout TextParser) {
    if item.others > 0 {
      parser.lineNumber += item.others
      parser.previousLineIsBlank = false
    }
    guard item.lines > 0 else { return }
    parser.count(strictLines: item.lines, layout)
    guard isOrdered else { return }
    // Of all of the range so far.
    if item.kind == .end {
      if item.firstTime < lastTime { needsEvents = true }
      lastTime = item.lastTime
    }
  }

  private func take(_ range: SievedRange, _ number: Int, _ parser: inout TextParser) {
    let item = range.items[number]
    count(item, &parser)
    for lane in 0..<laneCount where !hasTasks && lanes[lane].opening != TextSieve.none {
      parser.nesting.setOpen(lanes[lane].opening, cpu: lane)
      lanes[lane].opening = TextSieve.none
    }
    if item.kind == .lost {
      lose(item, &parser)
      return
    }
    events.removeAll(keepingCapacity: true)
    range.text.withUnsafeBytes { text in
      let line = UnsafeRawBufferPointer(rebasing: text[item.start..<item.start + item.count])
      parser.parse(line, into: &events)
    }
    let isInOrder = events.allSatisfy {
      !isOrdered || $0.timestamp.unit == .none || item.time == $0.timestamp.value
    }
    guard isInOrder, !hasTasks || !parser.nesting.sawInterrupt else {
      needsEvents = true
      return
    }
    take(events, isInOrder: true, parser)
    // Inside an interrupt calls are deeper than they are indented.
    for lane in 0..<laneCount where !hasTasks && lanes[lane].isLent && !parser.nesting.isRegular(cpu: lane) {
      giveBack(lane)
    }
  }

  /// As `parser` does with such a line.
  private func lose(_ item: SievedRange.Item, _ parser: inout TextParser) {
    parser.lineNumber += 1
    parser.previousLineIsBlank = false
    parser.nesting.forget(cpu: item.cpu)
    if item.cpu < Self.mostLossCPUs {
      lossCount += 1
      lastLoss[Int(item.cpu)] = lossCount
    } else {
      giveBackAll()
    }
    var event = Event(kind: .lost)
    event.cpu = item.cpu
    event.lostEvents = item.lostEvents
    calls.removeAll(keepingCapacity: true)
    builder.consume([event], into: &calls)
  }

  /// What was lost since a lane's last line marks its open calls; to be called where its next one comes, on that CPU.
  func markLosses(_ lane: UnsafeMutablePointer<Lane>, on cpu: Int32) {
    let seen = lane.pointee.lossesSeen
    lane.pointee.lossesSeen = lossCount
    if lastLoss(on: cpu) > seen || lastLoss(on: lane.pointee.lastCPU) > seen {
      lane.pointee.lostBelow = lane.pointee.count
    }
  }

  private func lastLoss(on cpu: Int32) -> Int { lastLoss.indices.contains(Int(cpu)) ? lastLoss[Int(cpu)] : 0 }

  /// Gives the sieve's new functions and tasks the numbers that they have in the whole text.
  private func learn(_ range: SievedRange, _ parser: inout TextParser) {
    while numbers.count <= range.sieve {
      numbers.append([0])
      names.append([([], [])])
      ownersOfSieve.append([])
    }
    for name in range.names {
      numbers[range.sieve].append(0)
      names[range.sieve].append(name)
    }
    for task in range.tasks {
      let key = task.pid > 0 ? Int64(task.pid) : -1 - Int64(task.cpu)
      let lane: Int
      if let known = laneOfTask[key] {
        lane = known
      } else {
        guard laneCount < Self.mostLanes, parser.comms.count < TextParser.mostNames else {
          needsEvents = true
          return
        }
        var new = newLane()
        new.pid = task.pid
        new.comm = task.comm.withUnsafeBytes { parser.comm($0) }
        lane = addLane(new)
        laneOfTask[key] = lane
      }
      ownersOfSieve[range.sieve].append(Owner(lane: Int32(lane), cpu: task.cpu))
    }
  }

  /// A function's number in the text, by the sieve's.
  func number(_ local: Int, sieve: Int, _ parser: inout TextParser) -> UInt32 {
    if numbers[sieve][local] != 0 || local == 0 { return numbers[sieve][local] }
    let name = names[sieve][local]
    guard parser.functions.count < TextParser.mostNames else {
      needsEvents = true
      return 0
    }
    let number = name.symbol.withUnsafeBytes { symbol in
      name.module.withUnsafeBytes { parser.function(symbol, module: $0).rawValue }
    }
    numbers[sieve][local] = number
    names[sieve][local] = ([], [])
    growFunctions(parser.functions)
    return number
  }

  /// The lane of a record, made where it is new, and its CPU.
  private func owner(_ record: SievedRange.Record, _ owners: UnsafeBufferPointer<Owner>) -> Owner? {
    if hasTasks { return Int(record.lane) < owners.count ? owners[Int(record.lane)] : nil }
    while laneCount <= Int(record.lane) { _ = addLane(newLane()) }
    return Owner(lane: Int32(record.lane), cpu: Int32(record.lane))
  }

  /// A record of which the stack is not lent, through the builder.
  private func takeSlowly(
    _ record: SievedRange.Record, _ time: Timestamp, _ owners: UnsafeBufferPointer<Owner>, sieve: Int,
    _ parser: inout TextParser
  ) {
    guard let owner = owner(record, owners) else {
      needsEvents = true
      return
    }
    let lane = Int(owner.lane)
    // It may be new, and the builder forgets stacks without calls when there are many.
    if lanes[lane].stack < 0 { for other in 0..<laneCount { giveBack(other) } }
    let local = Int(record.value >> RangeSieve.Tail.function)
    let isExit = record.value & PINSTAT_EXIT != 0
    // Calls may move from one stack to another.
    let mayMove =
      isExit && local != 0 && record.value & RangeSieve.Tail.isLeaf == 0 && builder.knowsRunningTasks
    if mayMove || builder.hasManyStacks { giveBackAll() }
    var event = Event(kind: !isExit ? .entry : record.value & RangeSieve.Tail.isLeaf != 0 ? .leaf : .exit)
    event.function = FunctionID(rawValue: number(local, sieve: sieve, &parser))
    event.depth = Int32(record.depth)
    event.cpu = owner.cpu
    event.timestamp = time
    event.pid = lanes[lane].pid
    event.comm = lanes[lane].comm
    if isExit {
      event.duration = record.duration
      event.resolution = Self.resolution(record.scale)
    }
    if !hasTasks {
      if lanes[lane].opening != TextSieve.none {
        parser.nesting.setOpen(lanes[lane].opening, cpu: lane)
        lanes[lane].opening = TextSieve.none
      }
      parser.nesting.adjust(&event)
    }
    deepest = max(deepest, event.depth)
    consume([event], parser.functions)
    lanes[lane].lastCPU = owner.cpu
    borrow(lane, parser.nesting)
  }

  static func resolution(_ scale: UInt8) -> UInt32 {
    scale == 0 ? 1 : scale == 1 ? 10 : scale == 2 ? 100 : 1000
  }
}
