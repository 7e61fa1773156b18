internal import FunctionGraph

/// Lines to events: the state that one line leaves to the next, and the tables.
struct TextParser {
  var functions = FunctionTable()
  var comms = StringTable()
  var diagnostics = Diagnostics()
  /// Whether a header of the tracer or of trace-cmd was seen.
  var sawHeader = false

  var trace = TraceDescription(format: .unknownText)
  private var tracefsLines = 0
  private var reportLines = 0
  private var pastedLines = 0

  /// 1-based number of the current line.
  private(set) var lineNumber = 0
  /// The header said that there is neither a CPU nor a duration nor any other column: calls stand there bare.
  var hasBareCalls = false
  /// Lines left of a comment that a line opened and none has closed yet.
  private var commentLines = 0
  /// A heading without a colon, waiting for what the next line is.
  private var bareHeading: Event.Side?
  private var previousLineIsBlank = true
  private var wrapped = WrappedLine()
  /// A copy of a line from which character entities were removed.
  private var cleaned: [UInt8] = []

  /// What became of a line.
  enum Outcome {
    /// Events, or something of the tracer's that is none.
    case read
    /// The line ends inside a record; `from` is where that begins. Strong: it has the tracer's columns.
    case incomplete(from: Int, strong: Bool)
    /// It has the tracer's columns and makes no sense.
    case unreadable
    /// Something else.
    case other
  }

  var description: TraceDescription {
    var result = trace
    let most = max(tracefsLines, reportLines, pastedLines)
    if most == 0 { return result }
    result.format =
      most == reportLines ? .traceCmdReport : most == tracefsLines ? .tracefs : .pasted
    return result
  }

  mutating func skipLine() {
    lineNumber += 1
  }

  mutating func recordOverlongLine() {
    diagnostics.record(
      .overlongLine, at: .line(lineNumber + 1), "expected at most \(TextReader.longestLine) bytes in a line")
  }

  /// Parses one line, without its line feed.
  mutating func parse(_ bytes: UnsafeRawBufferPointer, into batch: inout [Event]) {
    lineNumber += 1
    var count = bytes.count
    if count > 0 && bytes[count - 1] == 0x0D { count -= 1 }
    let line = Line(UnsafeRawBufferPointer(start: bytes.baseAddress, count: count))
    if line.needsCleaning {
      var copy: [UInt8] = []
      swap(&copy, &cleaned)
      line.clean(into: &copy)
      copy.withUnsafeBytes { parse(Line($0), into: &batch) }
      swap(&copy, &cleaned)
    } else {
      parse(line, into: &batch)
    }
  }

  /// The end of the text.
  mutating func finish(into batch: inout [Event]) {
    if !wrapped.isEmpty { giveUpWrapped() }
    bareHeading = nil
  }

  private mutating func parse(_ line: Line, into batch: inout [Event]) {
    if !wrapped.isEmpty && joinsWrapped(line, into: &batch) { return }
    let start = line.skipQuotes(0)
    settleHeading(line, from: start, into: &batch)
    if let cut = line.withoutSoftBreak, parseCut(cut, from: start, into: &batch) {
      previousLineIsBlank = false
      return
    }
    let outcome = start >= line.count ? .other : parseLine(line, from: start, into: &batch)
    switch outcome {
    case .read: break
    case .incomplete(let from, let strong):
      wrapped.begin(line, from: from, strong: strong, lineNumber: lineNumber)
    case .unreadable:
      recordUnreadable(line, at: lineNumber)
    case .other: break
    }
    previousLineIsBlank = start >= line.count
  }

  /// Parses a line that quoted-printable cut; false where the cut made no difference.
  private mutating func parseCut(_ line: Line, from start: Int, into batch: inout [Event]) -> Bool {
    let count = batch.count
    switch parseLine(line, from: start, into: &batch) {
    case .read: return true
    case .incomplete(let from, let strong):
      wrapped.begin(line, from: from, strong: strong, lineNumber: lineNumber, isSoft: true)
      return true
    case .unreadable:
      wrapped.begin(line, from: start, strong: true, lineNumber: lineNumber, isSoft: true)
      return true
    case .other:
      batch.removeSubrange(count...)
      return false
    }
  }

  /// Parses one line, or the right one of two that stand side by side.
  mutating func parseLine(
    _ line: Line, from start: Int, column: UInt8 = 0, into batch: inout [Event]
  ) -> Outcome {
    let columns = parseColumns(line, from: start, column: column, into: &batch)
    if case .other = columns {} else { return columns }
    let records = parseRecords(line, from: start, column: column, into: &batch)
    if case .other = records {} else { return records }
    if hasBareCalls, parseBareCall(line, column: column, into: &batch) { return .read }
    if let hit = line.find("||", from: start), column == 0, hit < line.count - 4 {
      let right = parseLine(line, from: hit + 2, column: 1, into: &batch)
      if case .read = right { return .read }
    }
    return parseNotes(line, from: start, into: &batch)
  }

  // MARK: The kernel's layout

  private mutating func parseColumns(
    _ line: Line, from start: Int, column: UInt8, into batch: inout [Event]
  ) -> Outcome {
    let columns = GraphColumns(line, at: start)
    if let right = columns.rightHalf, column == 0 {
      let outcome = parseLine(line, from: right, column: 1, into: &batch)
      if case .read = outcome { return .read }
      return .other
    }
    if columns.endsInColumn { return .incomplete(from: start, strong: columns.isStrong) }
    guard columns.bars > 0 || columns.cpu >= 0 else { return .other }
    let part = FunctionPart(line, at: columns.functionColumn)
    if !columns.isStrong && commentLines > 0 { return .other }
    switch part.shape {
    case .leaf, .entry, .exit:
      // Bars alone: a call must have a duration, only the beginning of one has none.
      if columns.bars > 0, !columns.isStrong, columns.duration == nil, part.shape != .entry { return .other }
      if part.lacksParentheses, !columns.isStrong || columns.bars == 0 { return .other }
      commentLines = 0
      var event = event(for: part, line)
      event.column = column
      event.cpu = columns.cpu
      event.pid = columns.pid
      if columns.pid >= 0 { event.comm = comms.intern(line[columns.comm]) }
      event.depth = part.depth(line, from: columns.functionColumn, base: columns.base)
      if let printed = columns.duration, part.shape != .entry {
        event.duration = printed.value
        event.resolution = printed.resolution
      }
      if let time = columns.time { event.timestamp = timestamp(time, buffer: 0) }
      batch.append(event)
      if columns.isStrong || sawHeader { tracefsLines += 1 } else { pastedLines += 1 }
      parseRightHalf(line, from: part.end, column: column, into: &batch)
      return .read
    case .openComment:
      commentLines = 64
      return .read
    case .comment, .note:
      parseRightHalf(line, from: part.end, column: column, into: &batch)
      return .read
    case .incomplete:
      guard columns.bars > 0 || !part.name.isEmpty && !part.module.isEmpty else { return .other }
      // A bar alone at the end of a line is anyone's.
      guard columns.isStrong || columns.duration != nil else { return .other }
      return .incomplete(from: start, strong: columns.isStrong && columns.bars > 0)
    case .other:
      if columns.cpu >= 0, parseSwitch(line, columns, column: column, into: &batch) { return .read }
      let hasTracersColumns = columns.cpu >= 0 && columns.bars > 0
      return hasTracersColumns && column == 0 && line[part.start] != UInt8(ascii: "|") ? .unreadable : .other
    }
  }

  /// ` 4)  comm-12    =>   comm-34 ` between two rules of dashes: another task runs on that CPU.
  private mutating func parseSwitch(
    _ line: Line, _ columns: GraphColumns, column: UInt8, into batch: inout [Event]
  ) -> Bool {
    let limit = line.find("||", from: columns.functionColumn) ?? line.count
    guard let arrow = line.find(" => ", from: columns.functionColumn), arrow < limit else { return false }
    let left = line.skipBlanksBack(arrow, downTo: columns.functionColumn)
    var end = line.skipBlanksBack(limit, downTo: arrow)
    if line[end - 1] == UInt8(ascii: "|") { end = line.skipBlanksBack(end - 1, downTo: arrow) }
    guard let previous = TaskName(line, from: columns.functionColumn, to: left),
      let next = TaskName(line, from: arrow + 4, to: end)
    else { return false }
    var event = Event(kind: .taskSwitch)
    event.column = column
    event.cpu = columns.cpu
    event.pid = next.pid
    event.comm = comms.intern(line[next.comm])
    event.previousPid = previous.pid
    event.previousComm = comms.intern(line[previous.comm])
    batch.append(event)
    parseRightHalf(line, from: end, column: column, into: &batch)
    return true
  }

  /// Calls without any column: funcgraph-cpu and funcgraph-duration off.
  private mutating func parseBareCall(_ line: Line, column: UInt8, into batch: inout [Event]) -> Bool {
    var start = 0
    var scan = 0
    while line[scan].isBlank || line[scan] == UInt8(ascii: ">") {
      scan += 1
      if line[scan - 1] == UInt8(ascii: ">") { start = scan }
    }
    // Indentation is even: an odd blank behind a quote mark is the mark's.
    if start > 0, (scan - start) & 1 == 1 { start += 1 }
    let part = FunctionPart(line, at: start)
    switch part.shape {
    case .leaf, .entry, .exit:
      guard commentLines == 0, !part.lacksParentheses else { return false }
      var event = event(for: part, line)
      event.column = column
      event.depth = part.depth(line, from: start, base: 0)
      batch.append(event)
      tracefsLines += 1
      return true
    case .openComment:
      commentLines = 64
      return true
    default: return false
    }
  }

  private mutating func parseRightHalf(_ line: Line, from end: Int, column: UInt8, into batch: inout [Event])
  {
    guard column == 0, end < line.count, let hit = line.find("||", from: end) else { return }
    _ = parseLine(line, from: hit + 2, column: 1, into: &batch)
  }

  // MARK: trace-cmd report

  /// The records of one line: one, or several where a mailer filled its lines.
  private mutating func parseRecords(
    _ line: Line, from start: Int, column: UInt8, into batch: inout [Event]
  ) -> Outcome {
    var from = start
    var result = Outcome.other
    while let record = ReportRecord(line, from: from) {
      commentLines = 0
      if record.origin.time == nil, let heading = Heading(line, from: from, to: record.body),
        line.skipBlanks(heading.end) < record.body, heading.strength == .certain
      {
        append(heading.side, &batch)
      }
      let outcome = parseRecord(line, record, from: from, column: column, into: &batch, end: &from)
      if case .read = outcome {
        result = .read
      } else {
        if case .other = outcome, case .read = result { return .read }
        return outcome
      }
    }
    if case .read = result {
      if endsInOrigin(line, from: from) { return .incomplete(from: from, strong: false) }
      parseRightHalf(line, from: from, column: column, into: &batch)
      return .read
    }
    if endsInOrigin(line, from: start) { return .incomplete(from: start, strong: false) }
    return .other
  }

  /// Whether the line ends in `comm-pid [cpu]` or `comm-pid [cpu] time:`.
  private func endsInOrigin(_ line: Line, from start: Int) -> Bool {
    let end = line.skipBlanksBack(line.count, downTo: start)
    let last = line[end - 1]
    if last == UInt8(ascii: ":"), line[end - 2].isDigit {
      let origin = RecordOrigin(line, from: start, to: end)
      return origin.pid >= 0 && origin.time != nil
    }
    if last == UInt8(ascii: "]"), line[end - 2].isDigit {
      return RecordOrigin(line, from: start, endingInCPU: end).pid >= 0
    }
    return false
  }

  private mutating func parseRecord(
    _ line: Line, _ record: ReportRecord, from start: Int, column: UInt8, into batch: inout [Event],
    end: inout Int
  ) -> Outcome {
    if let raw = RawFields(line, at: record.body) {
      var event = Event(kind: record.isExit ? .exit : .entry)
      event.function = functions.intern(symbol: line[raw.name])
      event.depth = raw.depth
      if record.isExit { event.duration = raw.duration }
      finish(&event, record.origin, line, column: column, into: &batch)
      end = max(raw.end, record.body)
      return .read
    }
    let hasOrigin = record.origin.time != nil
    var position = line.skipBlanks(record.body)
    if line[position].isOverheadMark { position = line.skipBlanks(position + 1) }
    var duration: PrintedDuration?
    if line[position].isDigit, let printed = PrintedDuration(line, at: position) {
      duration = printed
      position = line.skipBlanks(printed.end)
    }
    let hasBar = line[position] == UInt8(ascii: "|")
    if hasBar { position += 1 }
    let isGraph = hasBar || duration != nil || hasOrigin
    let part = FunctionPart(line, at: position)
    switch part.shape {
    case .leaf, .entry, .exit:
      var event = event(for: part, line)
      event.depth = hasBar ? part.depth(line, from: position, base: 2) : part.depth
      if let printed = duration, part.shape != .entry {
        event.duration = printed.value
        event.resolution = printed.resolution
      }
      finish(&event, record.origin, line, column: column, into: &batch)
      end = part.end
      return .read
    case .incomplete:
      return .incomplete(from: start, strong: isGraph)
    case .comment, .openComment, .note:
      end = part.end
      return .read
    case .other:
      // The number or its unit is cut.
      var rest = line.skipDigits(part.start)
      if line[rest] == UInt8(ascii: ".") { rest = line.skipDigits(rest + 1) }
      rest = line.skipBlanks(rest)
      if line[rest] == UInt8(ascii: "u") { rest += 1 }
      if !hasBar, duration == nil, line.skipBlanks(rest) >= line.count {
        return .incomplete(from: start, strong: isGraph)
      }
      return isGraph ? .unreadable : .other
    }
  }

  private mutating func finish(
    _ event: inout Event, _ origin: RecordOrigin, _ line: Line, column: UInt8, into batch: inout [Event]
  ) {
    event.column = column
    event.cpu = origin.cpu
    event.pid = origin.pid
    if origin.pid >= 0 { event.comm = comms.intern(line[origin.comm]) }
    if !origin.buffer.isEmpty { event.buffer = buffer(line[origin.buffer]) }
    if let time = origin.time { event.timestamp = timestamp(time, buffer: event.buffer) }
    batch.append(event)
    if origin.time != nil { reportLines += 1 } else { pastedLines += 1 }
  }

  // MARK: Shared by both layouts

  private mutating func event(for part: FunctionPart, _ line: Line) -> Event {
    var event = Event(kind: part.shape == .leaf ? .leaf : part.shape == .entry ? .entry : .exit)
    if !part.name.isEmpty {
      event.function = functions.intern(symbol: line[part.name], module: line[part.module])
    }
    return event
  }

  private mutating func timestamp(_ time: ParsedTime, buffer: UInt16) -> Timestamp {
    if time.isTime { return .nanoseconds(time.value) }
    if trace.buffers[Int(buffer)].timestampsAreTime { trace.buffers[Int(buffer)].timestampsAreTime = false }
    return .raw(time.value)
  }

  /// The number of the buffer of that name, which is added if it is new.
  mutating func buffer(_ name: UnsafeRawBufferPointer) -> UInt16 {
    for index in trace.buffers.indices.dropFirst() where trace.buffers[index].name.utf8.elementsEqual(name) {
      return UInt16(index)
    }
    guard trace.buffers.count < Int(UInt16.max) else { return 0 }
    trace.buffers.append(TraceDescription.Buffer(name: String(decoding: name, as: UTF8.self)))
    return UInt16(trace.buffers.count - 1)
  }

  mutating func append(_ side: Event.Side, _ batch: inout [Event]) {
    var event = Event(kind: .heading)
    event.side = side
    batch.append(event)
  }

  mutating func recordUnreadable(_ line: Line, at number: Int) {
    diagnostics.record(
      .unreadableLine, at: .line(number),
      "expected a function-graph line, found `\(String(decoding: line[0..<min(line.count, 80)], as: UTF8.self))`"
    )
  }

  // MARK: Headings and comments

  /// A heading without a colon is one if a rule, a blank line or nothing but the trace follows.
  private mutating func settleHeading(_ line: Line, from start: Int, into batch: inout [Event]) {
    guard let side = bareHeading else { return }
    bareHeading = nil
    let byte = line[start]
    if start >= line.count || line.isRule(from: start) || !byte.isLetter { append(side, &batch) }
  }

  mutating func parseHeading(_ line: Line, from start: Int, into batch: inout [Event]) -> Outcome {
    guard line.count - start <= Heading.longest, let heading = Heading(line, from: start, to: line.count)
    else {
      return .other
    }
    guard heading.strength == .certain else {
      if previousLineIsBlank { bareHeading = heading.side }
      return .other
    }
    var rest = heading.end
    while line[rest].isBlank || line[rest] == UInt8(ascii: "*") || line[rest] == UInt8(ascii: "_") {
      rest += 1
    }
    let mark = batch.count
    append(heading.side, &batch)
    if rest >= line.count { return .read }
    let columns = parseColumns(line, from: line.skipQuotes(heading.end), column: 0, into: &batch)
    if case .read = columns { return .read }
    // A remark behind the colon may follow, a sentence may not.
    let end = line.skipBlanksBack(line.count, downTo: rest)
    if end - rest > 40 || line[end - 1] == UInt8(ascii: ".") { batch.removeSubrange(mark...) }
    return .other
  }

  mutating func endComment(_ line: Line, from start: Int) -> Bool {
    guard commentLines > 0 else { return false }
    commentLines -= 1
    if line.find("*/", from: start) != nil { commentLines = 0 }
    return true
  }

  // MARK: Wrapped lines

  /// Tries the waiting line with this one behind it; false where this line has to be read on its own.
  private mutating func joinsWrapped(_ line: Line, into batch: inout [Event]) -> Bool {
    var joined = WrappedLine()
    swap(&joined, &wrapped)
    let start = joined.isSoft ? 0 : line.skipQuoteMarks(0)
    let next = line.withoutSoftBreak ?? line
    guard start < line.count, joined.append(next, from: start) else {
      swap(&joined, &wrapped)
      giveUpWrapped()
      return false
    }
    let count = batch.count
    let outcome = joined.bytes.withUnsafeBytes { bytes in
      let whole = Line(bytes)
      return parseLine(whole, from: whole.skipQuotes(0), into: &batch)
    }
    switch outcome {
    case .read where batch.count > count:
      joined.clear()
      swap(&joined, &wrapped)
      return true
    case .incomplete(let from, let strong):
      joined.drop(to: from)
      joined.isStrong = strong
      joined.isSoft = line.withoutSoftBreak != nil
      swap(&joined, &wrapped)
      return true
    default:
      joined.removeLast()
      swap(&joined, &wrapped)
      giveUpWrapped()
      return false
    }
  }

  /// Nothing came that would make the waiting line whole.
  private mutating func giveUpWrapped() {
    if wrapped.isStrong {
      var copy = WrappedLine()
      swap(&copy, &wrapped)
      copy.bytes.withUnsafeBytes { recordUnreadable(Line($0), at: copy.lineNumber) }
      swap(&copy, &wrapped)
    }
    wrapped.clear()
  }
}
