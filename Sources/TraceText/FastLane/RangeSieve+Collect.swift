internal import CVector

/// All lines of calls, for those who want every function: what each says, in sixteen bytes.
extension RangeSieve {
  /// In a range, of lines that are some 45 bytes long.
  private static let usualRecords = 24 << 10

  func collect(_ index: Int, _ count: Int, _ start: inout Int, _ offset: UInt64, _ result: SievedRange) {
    let found = scanner.lines
    let base = UnsafeRawPointer(buffer)
    let isReport = if case .report = layout { true } else { false }
    var lastTime = run.last_time
    // Its own while it grows.
    var records: [SievedRange.Record] = []
    swap(&records, &result.records)
    if records.capacity == 0 { records.reserveCapacity(Self.usualRecords) }
    var counted = 0
    for line in 0..<count {
      let value = found[line].value
      if value != 0, !isReport || found[line].time >= lastTime {
        var record = SievedRange.Record(
          value: value, lane: found[line].lane, depth: found[line].depth, scale: 0, duration: 0)
        if value & PINSTAT_EXIT != 0 {
          let (nanoseconds, resolution) = DurationShapes.value(
            base + Int(found[line].mark), point: Int(found[line].point))
          record.duration = nanoseconds
          record.scale = resolution == 1 ? 0 : resolution == 10 ? 1 : resolution == 100 ? 2 : 3
        }
        if isReport {
          lastTime = found[line].time
          if run.first_time == 0 { run.first_time = lastTime }
        }
        records.append(record)
        continue
      }
      lines += line - counted
      counted = line + 1
      run.last_time = lastTime
      let begin = line == 0 ? start : scanner.end(index + line - 1) + 1
      let end = scanner.end(index + line)
      let bytes = UnsafeRawBufferPointer(start: base + begin, count: end - begin)
      swap(&records, &result.records)
      if isReport { collectReport(bytes, result) } else { collectGraph(bytes, result) }
      swap(&records, &result.records)
      lastTime = run.last_time
      if !result.isUsable { break }
    }
    swap(&records, &result.records)
    if !result.isUsable { return }
    run.last_time = lastTime
    start = scanner.end(index + count - 1) + 1
    lines += count - counted
  }

  private func collectGraph(_ line: UnsafeRawBufferPointer, _ result: SievedRange) {
    guard let base = line.baseAddress, case .graph(let layout) = layout else { return }
    let limit = base + line.count + 1
    guard let read = layout.read(base, limit: limit, kernelShapes), read.call.next == limit else {
      collectOther(line, result)
      return
    }
    append(read.call, mark: read.mark, point: read.point, lane: Int(read.cpu), limit - 1, result)
  }

  private func collectReport(_ line: UnsafeRawBufferPointer, _ result: SievedRange) {
    guard let base = line.baseAddress else { return }
    let limit = base + line.count + 1
    guard let read = StrictReportLine(base, limit: limit, reportShapes), read.call.next == limit,
      let task = task(base, read.front.count, result)
    else {
      collectOther(line, result)
      return
    }
    // Others are put in order first.
    guard read.front.time >= run.last_time else {
      result.isUsable = false
      return
    }
    if run.first_time == 0 { run.first_time = read.front.time }
    run.last_time = read.front.time
    append(read.call, mark: read.front.mark, point: read.point, lane: task, limit - 1, result)
  }

  /// A strict line that the scanner did not know.
  private func append(
    _ call: StrictCall, mark: UnsafeRawPointer, point: Int, lane: Int, _ end: UnsafeRawPointer,
    _ result: SievedRange
  ) {
    var value = Tail.known
    if call.kind != .entry { value |= PINSTAT_EXIT }
    if call.kind == .leaf { value |= Tail.isLeaf }
    if !call.name.isEmpty { value |= function(call.name, result) << Tail.function }
    scanner.tails.remember(call.part, call.part.distance(to: end), value)
    var record = SievedRange.Record(
      value: value, lane: UInt16(truncatingIfNeeded: lane), depth: UInt8(truncatingIfNeeded: call.depth),
      scale: 0,
      duration: 0)
    if call.kind != .entry {
      let (nanoseconds, resolution) = DurationShapes.value(mark, point: point)
      record.duration = nanoseconds
      record.scale = resolution == 1 ? 0 : resolution == 10 ? 1 : resolution == 100 ? 2 : 3
    }
    lines += 1
    result.records.append(record)
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

  private func task(_ front: UnsafeRawPointer, _ count: Int, _ result: SievedRange) -> Int? {
    local(front, count) { origin in
      let comm = Line(UnsafeRawBufferPointer(start: front, count: count))[origin.comm]
      result.tasks.append(SievedRange.Task(cpu: origin.cpu, pid: origin.pid, comm: Array(comm)))
    }
  }

  /// No strict line: for the parser, and its place among the records.
  private func collectOther(_ line: UnsafeRawBufferPointer, _ result: SievedRange) {
    result.records.append(SievedRange.Record(value: 0, lane: 0, depth: 0, scale: 0, duration: 0))
    let first = run.first_time
    let last = run.last_time
    if let loss = StrictLoss(line) {
      emit(SievedRange.Item(kind: .lost, cpu: loss.cpu, lostEvents: loss.events), line, result)
    } else {
      emit(SievedRange.Item(kind: .other), line, result)
    }
    // The range's times, not those since the last item.
    run.first_time = first
    run.last_time = last
  }
}
