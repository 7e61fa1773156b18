internal import CVector
internal import Glibc

/// Looks through a range of a text, line by line and without knowing what stands in front of it, and leaves what a
/// `TextSieve` may have to look at.
///
/// A line of a call matters where it names a wanted function or comes up to a wanted call that is open on its stack. Of
/// calls that were opened in the range the depth is known. Of those that were open before, this is: once a stack was seen at some
/// depth, calls that deep are not open any more; so that only a line less deep than all before it can end one. What is neither
/// a call nor a loss may change which stack is whose: behind it each stack is seen for the first time again. So more is left
/// than matters, never less, and the `TextSieve` decides as if it had seen all.
final class RangeSieve {
  /// Lines in a range are read so many bytes at a time.
  private static let blockSize = 128 << 10
  /// A longer line ends the range.
  private static let longestLine = 32 << 10
  /// CPUs; where lines name tasks, each task on each CPU.
  static let mostLocals = LineScanner.mostLanes
  /// CPUs below this have their losses summed up. Of more of them `LossTimes` keeps what depends on how many losses there were.
  private static let mostSummedUp = 1 << 10

  /// What the scanner's tails know of a function part, besides `PINSTAT_EXIT`.
  enum Tail {
    static let known = PINSTAT_KNOWN
    /// Where all functions are wanted: entry and exit in one line.
    static let isLeaf: UInt32 = 4
    /// And where the function's number begins, 0 of none.
    static let function: UInt32 = 3
  }

  let layout: StrictLane.Layout
  private let hasTasks: Bool
  private let isWanted: (@Sendable (String) -> Bool)?
  private let read: TextReader.PositionedRead
  /// `StrictCall.slack` more bytes can be loaded.
  let buffer: UnsafeMutableRawPointer
  /// By local, as far as this range tells: lines as deep or less deep are kept, and all of a task on another CPU than its last one;
  private let thresholds: UnsafeMutablePointer<Int32>
  /// the innermost open call after the lines that were left out since the last one that was kept.
  private let openings: UnsafeMutablePointer<Int32>
  /// By stack, which is a CPU's or a task's: the least depth since it was first seen;
  private let lowest: UnsafeMutablePointer<Int32>
  /// depths of the open wanted calls.
  @exclusivity(unchecked) private var open: [[Int32]] = []
  @exclusivity(unchecked) private var used: [Int] = []
  let scanner: LineScanner
  /// 1 wanted, 2 not.
  let verdicts = NameCache()
  @exclusivity(unchecked) private var tasks = RangeTasks()
  let kernelShapes = DurationShapes.kernel
  let reportShapes = DurationShapes.report

  /// How many functions have numbers, where all are wanted.
  @exclusivity(unchecked) var functionCount: UInt32 = 0
  /// Tells several sieves apart.
  let number: Int

  /// - Parameters:
  ///   - watches: as of `LineScanner`.
  ///   - isWanted: nil where the calls of all functions are wanted, as `SievedRange.records`.
  init(
    _ layout: StrictLane.Layout, number: Int, isWide: Bool, watches: Bool,
    isWanted: (@Sendable (String) -> Bool)?,
    read: @escaping TextReader.PositionedRead
  ) {
    self.number = number
    self.layout = layout
    hasTasks = layout.hasTasks
    scanner = LineScanner(layout, isWide: isWide, watches: watches)
    self.isWanted = isWanted
    self.read = read
    let capacity = Self.longestLine + Self.blockSize
    buffer = .allocate(byteCount: capacity + StrictCall.slack, alignment: 64)
    memset(buffer, 0, capacity + StrictCall.slack)
    thresholds = scanner.thresholds
    lowest = .allocate(capacity: Self.mostLocals)
    openings = scanner.openings
    thresholds.initialize(repeating: .max, count: Self.mostLocals)
    lowest.initialize(repeating: .max, count: Self.mostLocals)
    openings.initialize(repeating: TextSieve.none, count: Self.mostLocals)
    open = Array(repeating: [], count: Self.mostLocals)
  }

  deinit {
    buffer.deallocate()
    lowest.deallocate()
  }

  // MARK: The range

  /// - Parameters:
  ///   - range: bytes; the lines that begin in it.
  ///   - isLineStart: whether a line begins at its start; else the first one does behind the first line feed, that of the byte
  ///     in front of it counted.
  func sieve(_ range: Range<UInt64>, isLineStart: Bool) -> SievedRange {
    let result = SievedRange()
    result.sieve = number
    forget()
    // The place of the buffer's first byte.
    var offset = isLineStart ? range.lowerBound : range.lowerBound - 1
    var filled = 0
    var start = 0
    var isInside = isLineStart
    result.first = offset
    while result.isUsable {
      if start > 0 {
        memmove(buffer, buffer + start, filled - start)
        offset += UInt64(start)
        filled -= start
        start = 0
      }
      guard filled <= Self.longestLine else {
        result.isUsable = false
        break
      }
      let position = offset + UInt64(filled)
      // The last line goes on behind the range, and the scanner's view reaches further.
      let wanted = position < range.upperBound ? Int(min(range.upperBound - position, 1 << 40)) : 0
      let room = UnsafeMutableRawBufferPointer(
        start: buffer + filled, count: min(wanted + 2 * LineScanner.reach, Self.blockSize))
      let count = (try? read(position, room)) ?? -1
      guard count >= 0, count <= room.count else {
        result.isUsable = false
        break
      }
      filled += count
      if !isInside {
        guard let hit = memchr(buffer, 0x0A, filled) else {
          // One line, from in front of the range to behind it or the end of the text.
          if count == 0 || position >= range.upperBound { result.isUsable = false }
          start = filled
          continue
        }
        start = UnsafeRawPointer(buffer).distance(to: hit) + 1
        result.first = offset + UInt64(start)
        isInside = true
      }
      // A line that begins here is not in the range.
      let stop = range.upperBound > offset ? Int(min(range.upperBound - offset, 1 << 40)) : 0
      siftLines(&start, stop, filled, isLast: count == 0, offset, result)
      // At the end of the text, which may have no line feed.
      if start >= stop || count == 0 { break }
    }
    result.end = offset + UInt64(start)
    emit(SievedRange.Item(kind: .end), Self.noText, result)
    result.close()
    return result
  }

  /// Of the lines since the last item.
  @exclusivity(unchecked) var run = RangeSieve.noLines

  /// Lines that begin in front of `stop`, as far as they are known to be whole.
  ///
  /// - Parameters:
  ///   - start: where the first one begins; gets where the first one does that was left.
  ///   - filled: the end of the bytes that were read.
  ///   - isLast: whether nothing follows them.
  private func siftLines(
    _ start: inout Int, _ stop: Int, _ filled: Int, isLast: Bool, _ offset: UInt64, _ result: SievedRange
  ) {
    let sure = min(stop, filled - LineScanner.reach)
    while start < stop, result.isUsable {
      if isWanted == nil {
        collect(&start, sure, result)
      } else {
        scanner.skim(buffer, &start, sure, &run)
        if start < sure, takeLoss(&start, offset, result) { continue }
      }
      // More is read before lines near its end are looked at one by one.
      guard start < stop, start < sure || isLast || stop <= filled - LineScanner.reach, result.isUsable,
        let feed = memchr(buffer + start, 0x0A, filled - start)
      else { return }
      let end = UnsafeRawPointer(buffer).distance(to: feed)
      let line = UnsafeRawBufferPointer(start: buffer + start, count: end - start)
      if isWanted == nil {
        collect(line, result)
      } else {
        take(line, offset + UInt64(end + 1), result)
      }
      start = end + 1
    }
  }

  private func take(_ line: UnsafeRawBufferPointer, _ end: UInt64, _ result: SievedRange) {
    switch layout {
    case .graph(let layout): takeGraph(layout, line, end, result)
    case .columns(let layout): takeColumns(layout, line, end, result)
    case .report, .none: takeReport(line, end, result)
    }
  }

  /// A line of which the columns alone do not say that it can be left out.
  @inline(never)
  private func takeGraph(
    _ layout: StrictGraphLayout, _ line: UnsafeRawBufferPointer, _ end: UInt64, _ result: SievedRange
  ) {
    guard let base = line.baseAddress else { return }
    let limit = base + line.count + 1
    guard let read = layout.read(base, limit: limit, kernelShapes), read.call.next == limit,
      Int(read.cpu) < Self.mostLocals
    else {
      takeOther(line, end, result)
      return
    }
    let local = Int(read.cpu)
    let isWanted = learn(read.call, mark: read.mark, at: limit - 1)
    if isWanted || !leaveOut(local, read.call) {
      keep(local, read.call, isWanted: isWanted, line, end, result)
    }
  }

  /// Counts a line that names no wanted function, if it can be left out.
  ///
  /// - Parameter time: nanoseconds, where lines have times.
  private func leaveOut(_ local: Int, _ call: StrictCall, time: UInt64? = nil) -> Bool {
    let depth = Int32(truncatingIfNeeded: call.depth)
    guard depth > thresholds[local] else { return false }
    let ended: Int32 = call.kind == .entry ? 0 : 1
    if let time { note(time) }
    run.lines += 1
    run.exits &+= UInt64(ended)
    run.deepest = max(run.deepest, depth)
    openings[local] = depth - ended
    return true
  }

  /// A line in order was at this time.
  func note(_ time: UInt64) {
    if run.last_time == 0 { run.first_time = time }
    run.last_time = time
  }

  /// Remembers a line's function part.
  ///
  /// - Returns: whether it names a wanted function.
  private func learn(_ call: StrictCall, mark: UnsafeRawPointer, at end: UnsafeRawPointer) -> Bool {
    let wanted = !call.name.isEmpty && isWanted(call.name)
    var value = Tail.known
    if call.kind != .entry { value |= PINSTAT_EXIT }
    remember(call, mark: mark, endingAt: end, value, isPassedOver: !wanted)
    return wanted
  }

  /// - Parameters:
  ///   - mark: where the duration column begins.
  ///   - end: the line feed.
  func remember(
    _ call: StrictCall, mark: UnsafeRawPointer, endingAt end: UnsafeRawPointer, _ value: UInt32,
    isPassedOver: Bool
  ) {
    scanner.remember(
      mark, tail: call.column, call.column.distance(to: end) + 1, depth: call.depth, value,
      isPassedOver: isPassedOver, hasValues: call.hasValues)
  }

  private func isWanted(_ name: StrictName) -> Bool {
    if let verdict = verdicts.find(name) { return verdict == 1 }
    let wanted = isWanted?(String(decoding: name.symbol, as: UTF8.self)) ?? true
    verdicts.remember(name, wanted ? 1 : 2)
    return wanted
  }

  // MARK: What is kept

  private func keep(
    _ local: Int, _ call: StrictCall, isWanted: Bool, _ line: UnsafeRawBufferPointer, _ end: UInt64,
    _ result: SievedRange
  ) {
    let depth = Int32(truncatingIfNeeded: call.depth)
    scanner.settle(true)
    if hasTasks, let before = tasks.move(to: local) {
      deliverOpening(before, result)
      thresholds[before] = .max
    }
    deliverOpening(local, result)
    let stack = hasTasks ? tasks.stack(of: local) : local
    if lowest[stack] == .max { used.append(stack) }
    lowest[stack] = min(lowest[stack], depth)
    while let last = open[stack].last, last >= depth { open[stack].removeLast() }
    if isWanted, call.kind == .entry { open[stack].append(depth) }
    thresholds[local] = max(open[stack].last ?? -1, lowest[stack] - 1)
    emit(SievedRange.Item(kind: .call, cpu: Int32(local), end: end), line, result)
  }

  /// A loss behind a call's line, as most are: sums it up with the one in front of it, if that can be.
  ///
  /// - Parameters:
  ///   - start: where a line begins; gets where the next one does. `LineScanner.reach` bytes can be loaded.
  ///   - offset: of the buffer in the text.
  /// - Returns: false where it is no loss, or none such.
  private func takeLoss(_ start: inout Int, _ offset: UInt64, _ result: SievedRange) -> Bool {
    // What stands behind another line may belong to that, and goes the general way.
    guard !used.isEmpty, let loss = StrictLoss(buffer + start, layout) else { return false }
    start += loss.count
    let end = offset + UInt64(start)
    // A task that was last seen on this CPU is marked by the later loss as by the one in front of it, and no other task was seen
    // between them; where lines name tasks none that moved, since such a line would be an item.
    let isSame =
      Int(loss.cpu) < Self.mostSummedUp && result.endsInLoss(of: loss.cpu)
      && (hasTasks || wasAlone(Int(loss.cpu)))
    deliverOpenings(result)
    if isSame {
      result.extendLoss(loss, run, end)
      run = Self.noLines
      return true
    }
    emit(
      SievedRange.Item(kind: .lost, cpu: loss.cpu, losses: 1, lostEvents: loss.events, end: end), Self.noText,
      result)
    return true
  }

  /// Whether no other CPU had lines that were left out since the last item.
  private func wasAlone(_ cpu: Int) -> Bool {
    used.withUnsafeBufferPointer { $0.allSatisfy { $0 == cpu || openings[$0] == TextSieve.none } }
  }

  /// Where a stack that was used was last seen.
  private func local(of stack: Int) -> Int { hasTasks ? tasks.last(of: stack) : stack }

  private func takeOther(_ line: UnsafeRawBufferPointer, _ end: UInt64, _ result: SievedRange) {
    deliverOpenings(result)
    if let base = line.baseAddress, let loss = StrictLoss(base, layout) {
      // No call begins or ends.
      emit(
        SievedRange.Item(kind: .lost, cpu: loss.cpu, losses: 1, lostEvents: loss.events, end: end), line,
        result)
      return
    }
    forgetStacks()
    if !SwitchNotice.isPart(line) { scanner.settle(false) }
    learnOther(line)
    emit(SievedRange.Item(kind: .other, end: end), line, result)
  }

  func emit(_ item: SievedRange.Item, _ line: UnsafeRawBufferPointer, _ result: SievedRange) {
    var item = item
    if item.kind == .end { deliverOpenings(result) }
    item.lines = Int(run.lines)
    item.others = Int(run.others)
    item.exits = run.exits
    item.deepest = run.deepest
    item.firstTime = run.first_time
    item.lastTime = run.last_time
    run = Self.noLines
    result.append(item, line: line)
  }

  private func forget() {
    forgetStacks()
    scanner.settle(false)
    run = Self.noLines
  }

  static var noText: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
  static let noLines = pinstat_run(lines: 0, exits: 0, others: 0, first_time: 0, last_time: 0, deepest: -1)

  private func deliverOpenings(_ result: SievedRange) {
    for stack in used { deliverOpening(local(of: stack), result) }
  }

  private func deliverOpening(_ local: Int, _ result: SievedRange) {
    guard openings[local] != TextSieve.none else { return }
    result.append(
      hasTasks
        ? SievedRange.Opening(cpu: tasks.cpu(of: local), pid: tasks.pid(of: local), depth: openings[local])
        : SievedRange.Opening(cpu: Int32(local), depth: openings[local]))
    openings[local] = TextSieve.none
  }

  private func forgetStacks() {
    for stack in used {
      let local = local(of: stack)
      thresholds[local] = .max
      openings[local] = TextSieve.none
      lowest[stack] = .max
      open[stack].removeAll(keepingCapacity: true)
    }
    used.removeAll(keepingCapacity: true)
  }

  // MARK: More columns

  @inline(never)
  private func takeColumns(
    _ layout: StrictColumnsLayout, _ line: UnsafeRawBufferPointer, _ end: UInt64, _ result: SievedRange
  ) {
    guard let base = line.baseAddress else { return }
    let limit = base + line.count + 1
    guard let (read, local) = columns(layout, base, limit) else {
      takeOther(line, end, result)
      return
    }
    // Times that go back.
    guard !layout.hasTime || read.time >= run.last_time else {
      result.isUsable = false
      return
    }
    let isWanted = learn(read.call, mark: read.mark, at: limit - 1)
    if isWanted || !leaveOut(local, read.call, time: layout.hasTime ? read.time : nil) {
      keep(local, read.call, isWanted: isWanted, line, end, result)
    }
  }

  /// A line with its CPU's or its task's number here; nil where it has to be read in the general way.
  ///
  /// - Parameter ifNew: gets a task that has just got its number.
  func columns(
    _ layout: StrictColumnsLayout, _ line: UnsafeRawPointer, _ limit: UnsafeRawPointer,
    ifNew: (ColumnFronts.Front) -> Void = { _ in }
  ) -> (StrictColumnsLine, Int)? {
    guard let front = layout.learn(line, limit: limit),
      let read = layout.read(line, front.count, limit: limit, kernelShapes), read.call.next == limit,
      let local = layout.hasTask
        ? number(
          pid: front.pid, cpu: front.cpu,
          comm: UnsafeRawBufferPointer(start: line + front.comm.lowerBound, count: front.comm.count),
          ifNew: { ifNew(front) }) : Int(front.cpu),
      local < Self.mostLocals
    else { return nil }
    scanner.remember(line, layout, front.count, lane: Int32(local))
    return (read, local)
  }

  // MARK: Reports

  @inline(never)
  private func takeReport(_ line: UnsafeRawBufferPointer, _ end: UInt64, _ result: SievedRange) {
    guard let base = line.baseAddress else { return }
    let limit = base + line.count + 1
    guard let read = StrictReportLine(base, limit: limit, reportShapes), read.call.next == limit,
      let local = local(base, read.front)
    else {
      takeOther(line, end, result)
      return
    }
    // Times that go back, or that there are none.
    guard read.front.time > 0, read.front.time >= run.last_time else {
      result.isUsable = false
      return
    }
    let isWanted = learn(read.call, mark: read.front.mark, at: limit - 1)
    if isWanted || !leaveOut(local, read.call, time: read.front.time) {
      keep(local, read.call, isWanted: isWanted, line, end, result)
    }
  }

  /// The number of a line's task here; nil where there are too many, or the line has to be read in the general way.
  ///
  /// - Parameter ifNew: gets a task that has just got its number.
  func local(
    _ line: UnsafeRawPointer, _ front: StrictReportFront, ifNew: (RecordOrigin) -> Void = { _ in }
  ) -> Int? {
    guard let origin = TaskCache.origin(of: UnsafeRawBufferPointer(start: line, count: front.count)) else {
      return nil
    }
    let comm = UnsafeRawBufferPointer(start: line + origin.comm.lowerBound, count: origin.comm.count)
    guard let number = number(pid: origin.pid, cpu: origin.cpu, comm: comm, ifNew: { ifNew(origin) }) else {
      return nil
    }
    remember(line, front, comm, lane: Int32(number))
    return number
  }

  /// Remembers the front of another event's line, so that more of its task are passed over.
  func learnOther(_ line: UnsafeRawBufferPointer) {
    guard case .report = layout, let base = line.baseAddress,
      let front = StrictReportFront(base, ofCall: false), front.count < line.count,
      let origin = TaskCache.origin(of: UnsafeRawBufferPointer(start: base, count: front.count))
    else { return }
    let comm = UnsafeRawBufferPointer(start: base + origin.comm.lowerBound, count: origin.comm.count)
    let local = tasks.find(pid: origin.pid, cpu: origin.cpu)
    if let local { guard tasks.isNamed(local, comm) else { return } }
    remember(base, front, comm, lane: local.map { Int32($0) })
  }

  private func remember(
    _ line: UnsafeRawPointer, _ front: StrictReportFront, _ comm: UnsafeRawBufferPointer, lane: Int32?
  ) {
    scanner.remember(
      front: line, front.count, timeEnd: line.distance(to: front.timeEnd), lane: lane,
      isWord: comm.allSatisfy { $0 != 0x20 && $0 != UInt8(ascii: "=") })
  }

  /// The number of a task on a CPU here; nil where there are too many, or where single calls are wanted and it had another name before.
  private func number(pid: Int32, cpu: Int32, comm: UnsafeRawBufferPointer, ifNew: () -> Void) -> Int? {
    if let known = tasks.find(pid: pid, cpu: cpu) {
      return isWanted == nil || tasks.isNamed(known, comm) ? known : nil
    }
    guard tasks.count < Self.mostLocals,
      let local = tasks.add(pid: pid, cpu: cpu, comm, mayDiffer: isWanted == nil)
    else { return nil }
    ifNew()
    return local
  }
}
