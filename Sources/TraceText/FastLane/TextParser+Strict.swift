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

/// A strict line of any layout.
struct StrictLine {
  var task: TaskCache.Task
  /// Nanoseconds; 0 where lines have none.
  var time: UInt64
  /// Of the duration, for `DurationShapes.value`.
  var point: Int
  var mark: UnsafeRawPointer
  var call: StrictCall
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
    let shapes = strict.kernelShapes
    return parseLines(base, limit, .graph(layout), batchSize, &batch) { _, position in
      guard let line = layout.read(position, limit: limit, shapes) else { return nil }
      let task = TaskCache.Task(cpu: line.cpu, pid: -1, comm: .none)
      return StrictLine(task: task, time: 0, point: line.point, mark: line.mark, call: line.call)
    }
  }

  private mutating func parseColumnsLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictColumnsLayout, _ batchSize: Int,
    _ batch: inout [Event]
  ) -> Int {
    let shapes = strict.kernelShapes
    return parseLines(base, limit, .columns(layout), batchSize, &batch) { parser, position in
      guard let front = parser.front(position, limit, layout),
        let line = layout.read(position, front.count, limit: limit, shapes)
      else { return nil }
      return StrictLine(
        task: front.task, time: line.time, point: line.point, mark: line.mark, call: line.call)
    }
  }

  private mutating func parseReportLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ batchSize: Int, _ batch: inout [Event]
  ) -> Int {
    let shapes = strict.reportShapes
    return parseLines(base, limit, .report, batchSize, &batch) { parser, position in
      guard let line = StrictReportLine(position, limit: limit, shapes),
        let task = parser.strict.tasks.find(position, line.front.count)
          ?? parser.task(position, line.front.count)
      else { return nil }
      return StrictLine(
        task: task, time: line.front.time, point: line.point, mark: line.front.mark, call: line.call)
    }
  }

  /// - Parameter read: the line at a place; nil where it is none of this layout.
  @inline(__always)
  private mutating func parseLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictLane.Layout, _ batchSize: Int,
    _ batch: inout [Event], _ read: (inout TextParser, UnsafeRawPointer) -> StrictLine?
  ) -> Int {
    if let sieve { return siftLines(base, limit, layout, sieve, batchSize, &batch, read) }
    return readLines(base, limit, layout, batchSize, &batch, read)
  }

  @inline(__always)
  private mutating func readLines(
    _ base: UnsafeRawPointer, _ limit: UnsafeRawPointer, _ layout: StrictLane.Layout, _ batchSize: Int,
    _ batch: inout [Event], _ read: (inout TextParser, UnsafeRawPointer) -> StrictLine?
  ) -> Int {
    var position = base
    var lines = 0
    while position < limit, batch.count < batchSize, let line = read(&self, position) {
      var event = self.event(for: line, layout)
      if !layout.isReport { nesting.adjust(&event) }
      batch.append(event)
      lines += 1
      position = line.call.next
    }
    count(strictLines: lines, layout)
    return base.distance(to: position)
  }

  mutating func count(strictLines lines: Int, _ layout: StrictLane.Layout) {
    lineNumber += lines
    if layout.isReport { reportLines += lines } else { tracefsLines += lines }
    endStrictLines(lines)
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
  mutating func event(for line: StrictLine, _ layout: StrictLane.Layout) -> Event {
    var event = self.event(for: line.call, mark: line.mark, point: line.point)
    event.cpu = line.task.cpu
    if layout.hasTasks {
      event.pid = line.task.pid
      event.comm = line.task.comm
    }
    if layout.hasTimes { event.timestamp = .nanoseconds(line.time) }
    return event
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
