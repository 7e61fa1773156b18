internal import FunctionGraph

/// What the lane for strictly laid out lines remembers.
struct StrictLane {
  enum Layout {
    case none
    case graph(StrictGraphLayout)
    case columns(StrictColumnsLayout)
    case report

    /// Calls pair by task, which lines name; else by CPU.
    var hasTasks: Bool {
      switch self {
      case .none, .graph: false
      case .columns(let layout): layout.hasTask
      case .report: true
      }
    }

    var hasTimes: Bool {
      switch self {
      case .none, .graph: false
      case .columns(let layout): layout.hasTime
      case .report: true
      }
    }

    var isReport: Bool { if case .report = self { true } else { false } }
  }

  /// False where every line shall take the general way.
  var isOn = true
  var layout = Layout.none
  let kernelShapes = DurationShapes.kernel
  let reportShapes = DurationShapes.report
  let names = NameCache()
  var tasks = TaskCache()
  var fronts = ColumnFronts()
}

/// Runs of lines that are laid out exactly as the tools print them, which nearly all lines of a trace are.
///
/// A strict line is read by a few compares of whole columns at fixed places. Whatever differs in a single byte ends the
/// run and goes through the general parser, so that this lane decides nothing: it gives the same events, sooner.
extension TextParser {
  /// Whether nothing is pending that the next line could end.
  var acceptsStrictLines: Bool { strict.isOn && wrapped.isEmpty && bareHeading == nil }

  /// Reads strict lines at the start of `bytes`, until one is none or the batch is full.
  ///
  /// - Parameter bytes: followed by `StrictCall.slack` more that can be loaded.
  /// - Returns: how many bytes they take.
  mutating func parseStrictLines(
    _ bytes: UnsafeRawBufferPointer, upTo batchSize: Int, into batch: inout [Event]
  ) -> Int {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return 0 }
    let limit = base + bytes.count
    if let sieve, sieve.needsAll { return 0 }
    switch strict.layout {
    case .graph(let layout):
      let read = parseGraphLines(base, limit, layout, batchSize, &batch)
      if read > 0 { return read }
    case .columns(let layout):
      let read = parseColumnsLines(base, limit, layout, batchSize, &batch)
      if read > 0 { return read }
    case .report:
      let read = parseReportLines(base, limit, batchSize, &batch)
      if read > 0 { return read }
    case .none: break
    }
    // Perhaps another layout begins.
    if let layout = StrictGraphLayout(base, limit: limit) {
      strict.layout = .graph(layout)
      return parseGraphLines(base, limit, layout, batchSize, &batch)
    }
    if StrictReportLine(base, limit: limit, strict.reportShapes) != nil {
      strict.layout = .report
      return parseReportLines(base, limit, batchSize, &batch)
    }
    if let layout = StrictColumnsLayout(base, limit: limit) {
      // Fronts of other layouts say other things.
      strict.fronts = ColumnFronts()
      strict.layout = .columns(layout)
      return parseColumnsLines(base, limit, layout, batchSize, &batch)
    }
    return 0
  }

  private mutating func parseGraphLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictGraphLayout, _ batchSize: Int,
    _ batch: inout [Event]
  ) -> Int {
    if let sieve { return siftGraphLines(base, limit, layout, sieve, batchSize, &batch) }
    return readGraphLines(base, limit, layout, batchSize, &batch)
  }

  private mutating func parseColumnsLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictColumnsLayout, _ batchSize: Int,
    _ batch: inout [Event]
  ) -> Int {
    if let sieve { return siftColumnsLines(base, limit, layout, sieve, batchSize, &batch) }
    return readColumnsLines(base, limit, layout, batchSize, &batch)
  }

  private mutating func parseReportLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ batchSize: Int, _ batch: inout [Event]
  ) -> Int {
    if let sieve { return siftReportLines(base, limit, sieve, batchSize, &batch) }
    return readReportLines(base, limit, batchSize, &batch)
  }

  private mutating func readGraphLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictGraphLayout, _ batchSize: Int,
    _ batch: inout [Event]
  ) -> Int {
    var position = base
    var lines = 0
    let shapes = strict.kernelShapes
    while position < limit, batch.count < batchSize, let line = layout.read(position, limit: limit, shapes) {
      lineNumber += 1
      var event = self.event(for: line.call, mark: line.mark, point: line.point)
      event.cpu = line.cpu
      nesting.adjust(&event)
      batch.append(event)
      lines += 1
      position = line.call.next
    }
    tracefsLines += lines
    endStrictLines(lines)
    return base.distance(to: position)
  }

  private mutating func readColumnsLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictColumnsLayout, _ batchSize: Int,
    _ batch: inout [Event]
  ) -> Int {
    var position = base
    var lines = 0
    let shapes = strict.kernelShapes
    while position < limit, batch.count < batchSize, let front = front(position, limit, layout),
      let line = layout.read(position, front.count, limit: limit, shapes)
    {
      lineNumber += 1
      var event = self.event(for: line, front.task, layout)
      nesting.adjust(&event)
      batch.append(event)
      lines += 1
      position = line.call.next
    }
    tracefsLines += lines
    endStrictLines(lines)
    return base.distance(to: position)
  }

  /// A line's front; nil where the line has to be read in the general way.
  @inline(__always)
  mutating func front(
    _ line: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictColumnsLayout
  ) -> (count: Int, task: TaskCache.Task)? {
    strict.fronts.find(line + layout.start) ?? learnFront(line, limit, layout)
  }

  @inline(never)
  private mutating func learnFront(
    _ line: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictColumnsLayout
  ) -> (count: Int, task: TaskCache.Task)? {
    guard comms.count < Self.mostNames, let front = layout.learn(line, limit: limit),
      layout.read(line, front.count, limit: limit, strict.kernelShapes) != nil
    else { return nil }
    var task = TaskCache.Task(cpu: front.cpu, pid: front.pid, comm: .none)
    if layout.hasTask {
      task.comm = comm(UnsafeRawBufferPointer(start: line + front.comm.lowerBound, count: front.comm.count))
      if let sieve {
        guard let slot = sieve.slot(pid: task.pid, cpu: task.cpu, comm: task.comm) else { return nil }
        task.slot = slot
      }
    }
    strict.fronts.remember(line + layout.start, front.count, task)
    return (front.count, task)
  }

  @inline(__always)
  mutating func event(
    for line: StrictColumnsLine, _ task: TaskCache.Task, _ layout: StrictColumnsLayout
  ) -> Event {
    var event = self.event(for: line.call, mark: line.mark, point: line.point)
    event.cpu = task.cpu
    if layout.hasTask {
      event.pid = task.pid
      event.comm = task.comm
    }
    if layout.hasTime { event.timestamp = .nanoseconds(line.time) }
    return event
  }

  private mutating func readReportLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ batchSize: Int, _ batch: inout [Event]
  ) -> Int {
    var position = base
    var lines = 0
    let shapes = strict.reportShapes
    while position < limit, batch.count < batchSize,
      let line = StrictReportLine(position, limit: limit, shapes)
    {
      guard let task = strict.tasks.find(position, line.front.count) ?? task(position, line.front.count)
      else { break }
      lineNumber += 1
      var event = self.event(for: line.call, mark: line.front.mark, point: line.point)
      event.cpu = task.cpu
      event.pid = task.pid
      event.comm = task.comm
      event.timestamp = .nanoseconds(line.front.time)
      batch.append(event)
      lines += 1
      position = line.call.next
    }
    reportLines += lines
    endStrictLines(lines)
    return base.distance(to: position)
  }

  mutating func endStrictLines(_ count: Int) {
    if count == 0 { return }
    commentLines = 0
    previousLineIsBlank = false
  }

  /// Reads a report line's front; nil where the line has to be read in the general way.
  @inline(never)
  mutating func task(_ start: UnsafeRawPointer, _ count: Int) -> TaskCache.Task? {
    let front = UnsafeRawBufferPointer(start: start, count: count)
    guard comms.count < Self.mostNames, let origin = TaskCache.origin(of: front) else { return nil }
    var task = TaskCache.Task(cpu: origin.cpu, pid: origin.pid, comm: comm(Line(front)[origin.comm]))
    if let sieve {
      guard let slot = sieve.slot(pid: task.pid, cpu: task.cpu, comm: task.comm) else { return nil }
      task.slot = slot
    }
    strict.tasks.remember(start, count, task)
    return task
  }

  @inline(__always)
  mutating func event(for call: StrictCall, mark: UnsafeRawPointer, point: Int) -> Event {
    var event: Event
    switch call.kind {
    case .leaf: event = Event(kind: .leaf)
    case .entry: event = Event(kind: .entry)
    case .exit: event = Event(kind: .exit)
    }
    if !call.name.isEmpty {
      event.function = FunctionID(rawValue: number(of: call.name))
    }
    event.depth = Int32(truncatingIfNeeded: call.depth)
    if call.kind != .entry {
      let (nanoseconds, resolution) = DurationShapes.value(mark, point: point)
      event.duration = nanoseconds
      event.resolution = resolution
    }
    return event
  }

  @inline(__always)
  private mutating func number(of name: StrictName) -> UInt32 {
    if let known = strict.names.find(name) { return known }
    let number = function(name.symbol, module: name.module).rawValue
    strict.names.remember(name, number)
    return number
  }
}
