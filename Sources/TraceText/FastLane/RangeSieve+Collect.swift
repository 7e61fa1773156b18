internal import CVector

/// All lines of calls, for those who want every function: what each says, in sixteen bytes.
extension RangeSieve {
  /// In a range, of lines that are some 45 bytes long.
  private static let usualRecords = 24 << 10

  /// Lines that the scanner knows, from `start` on and in front of `stop`.
  func collect(_ start: inout Int, _ stop: Int, _ result: SievedRange) {
    let found = scanner.lines
    let hasTimes = layout.hasTimes
    // Its own while they grow.
    var records: [SievedRange.Record] = []
    var times: [SievedRange.Stamp] = []
    swap(&records, &result.records)
    swap(&times, &result.times)
    if records.capacity == 0 {
      records.reserveCapacity(Self.usualRecords)
      if hasTimes { times.reserveCapacity(Self.usualRecords) }
    }
    while true {
      let count = scanner.read(buffer, &start, stop, &run)
      for line in 0..<count {
        var record = SievedRange.Record(
          value: found[line].value, lane: found[line].lane, depth: found[line].depth, scale: 0, duration: 0)
        if record.value & PINSTAT_EXIT != 0, let mark = found[line].mark {
          record.setDuration(mark, point: Int(found[line].point))
        }
        records.append(record)
      }
      if hasTimes { for line in 0..<count { times.append(SievedRange.Stamp(found[line])) } }
      if count < LineScanner.batch { break }
    }
    swap(&records, &result.records)
    swap(&times, &result.times)
  }

  /// A line that the scanner does not know.
  func collect(_ line: UnsafeRawBufferPointer, _ result: SievedRange) {
    switch layout {
    case .graph(let layout): collectGraph(layout, line, result)
    case .columns(let layout): collectColumns(layout, line, result)
    case .report, .none: collectReport(line, result)
    }
  }

  private func collectGraph(
    _ layout: StrictGraphLayout, _ line: UnsafeRawBufferPointer, _ result: SievedRange
  ) {
    guard let base = line.baseAddress else { return }
    let limit = base + line.count + 1
    guard let read = layout.read(base, limit: limit, kernelShapes), read.call.next == limit else {
      collectOther(line, result)
      return
    }
    append(read.call, mark: read.mark, point: read.point, lane: Int(read.cpu), time: 0, limit - 1, result)
  }

  private func collectColumns(
    _ layout: StrictColumnsLayout, _ line: UnsafeRawBufferPointer, _ result: SievedRange
  ) {
    guard let base = line.baseAddress else { return }
    let limit = base + line.count + 1
    let found = columns(layout, base, limit) { front in
      let comm = UnsafeRawBufferPointer(start: base + front.comm.lowerBound, count: front.comm.count)
      result.tasks.append(SievedRange.Task(cpu: front.cpu, pid: front.pid, comm: Array(comm)))
    }
    guard let (read, lane) = found else {
      collectOther(line, result)
      return
    }
    if layout.hasTime {
      guard passes(read.time, result) else { return }
    }
    append(read.call, mark: read.mark, point: read.point, lane: lane, time: read.time, limit - 1, result)
  }

  private func collectReport(_ line: UnsafeRawBufferPointer, _ result: SievedRange) {
    guard let base = line.baseAddress else { return }
    let limit = base + line.count + 1
    guard let read = StrictReportLine(base, limit: limit, reportShapes), read.call.next == limit,
      let task = task(base, read.front, result)
    else {
      collectOther(line, result)
      return
    }
    guard passes(read.front.time, result) else { return }
    append(
      read.call, mark: read.front.mark, point: read.point, lane: task, time: read.front.time, limit - 1,
      result)
  }

  /// False where a line's time is not in order: all are put in order first then.
  private func passes(_ time: UInt64, _ result: SievedRange) -> Bool {
    guard time >= run.last_time else {
      result.isUsable = false
      return false
    }
    note(time)
    return true
  }

  /// The time of a line that is no strict one, if it is a call's.
  private func time(_ line: UnsafeRawPointer) -> UInt64? {
    switch layout {
    case .columns(let layout): layout.hasTime ? StrictColumnsLayout.time(line) : nil
    case .report: StrictReportFront(line)?.time
    case .graph, .none: nil
    }
  }

  /// A strict line that the scanner did not know.
  private func append(
    _ call: StrictCall, mark: UnsafeRawPointer, point: Int, lane: Int, time: UInt64, _ end: UnsafeRawPointer,
    _ result: SievedRange
  ) {
    var value = Tail.known
    if call.kind != .entry { value |= PINSTAT_EXIT }
    if call.kind == .leaf { value |= Tail.isLeaf }
    if !call.name.isEmpty { value |= function(call.name, result) << Tail.function }
    remember(call, mark: mark, endingAt: end, value, isPassedOver: true)
    var record = SievedRange.Record(
      value: value, lane: UInt16(truncatingIfNeeded: lane), depth: UInt8(truncatingIfNeeded: call.depth),
      scale: 0,
      duration: 0)
    if call.kind != .entry { record.setDuration(mark, point: point) }
    run.lines += 1
    scanner.settle(true)
    result.records.append(record)
    if layout.hasTimes { result.times.append(SievedRange.Stamp(nanoseconds: time)) }
  }

  private func function(_ name: StrictName, _ result: SievedRange) -> UInt32 {
    if let known = verdicts.find(name) { return known }
    functionCount += 1
    // Names without end: nothing that is usual.
    if functionCount >= 1 << 20 { result.isUsable = false }
    verdicts.remember(name, functionCount)
    result.names.append((Array(name.symbol), Array(name.module)))
    return functionCount
  }

  private func task(_ line: UnsafeRawPointer, _ front: StrictReportFront, _ result: SievedRange) -> Int? {
    local(line, front) { origin in
      let comm = Line(UnsafeRawBufferPointer(start: line, count: front.count))[origin.comm]
      result.tasks.append(SievedRange.Task(cpu: origin.cpu, pid: origin.pid, comm: Array(comm)))
    }
  }

  /// No strict line: for the parser, and its place among the records.
  private func collectOther(_ line: UnsafeRawBufferPointer, _ result: SievedRange) {
    result.records.append(SievedRange.Record(value: 0, lane: 0, depth: 0, scale: 0, duration: 0))
    if layout.hasTimes { result.times.append(SievedRange.Stamp(nanoseconds: 0)) }
    var time: UInt64?
    if let base = line.baseAddress { time = self.time(base) }
    if let time { guard passes(time, result) else { return } }
    let first = run.first_time
    let last = run.last_time
    if let base = line.baseAddress, let loss = StrictLoss(base, layout) {
      emit(
        SievedRange.Item(kind: .lost, cpu: loss.cpu, losses: 1, lostEvents: loss.events), Self.noText, result)
    } else {
      if !SwitchNotice.isPart(line) { scanner.settle(false) }
      learnOther(line)
      emit(SievedRange.Item(kind: .other, time: time), line, result)
    }
    // The range's times, not those since the last item.
    run.first_time = first
    run.last_time = last
  }
}

extension SievedRange.Record {
  /// The duration of an exit or a leaf, from its column.
  @inline(__always)
  fileprivate mutating func setDuration(_ mark: UnsafeRawPointer, point: Int) {
    let (nanoseconds, resolution) = DurationShapes.value(mark, point: point)
    duration = nanoseconds
    scale = resolution == 1 ? 0 : resolution == 10 ? 1 : resolution == 100 ? 2 : 3
  }
}
