internal import FunctionGraph

/// Lines to events: the state that one line leaves to the next, and the tables.
struct TextParser {
  var functions = FunctionTable()
  var comms = StringTable()
  var diagnostics = Diagnostics()
  /// Whether a header of the tracer or of trace-cmd was seen.
  var sawHeader = false

  var trace = TraceDescription(format: .unknownText)
  /// Their numbers are the buffers' own; 0 is the top buffer without a name.
  var bufferNames = StringTable()
  var tracefsLines = 0
  var reportLines = 0
  var pastedLines = 0

  /// 1-based number of the current line.
  var lineNumber = 0
  /// The header said that there is neither a CPU nor a duration nor any other column: calls stand there bare.
  var hasBareCalls = false
  /// Lines left of a comment that a line opened and none has closed yet.
  var commentLines = 0
  /// A heading without a colon, waiting for what the next line is.
  var bareHeading: Event.Side?
  var previousLineIsBlank = true
  var wrapped = WrappedLine()
  /// The last line that was incomplete ends in the comment behind a closing brace.
  var cutInComment = false
  /// Whether such a line is read without its rest.
  var acceptsCutComment = false
  var nesting = InterruptNesting()
  /// A copy of a line from which character entities were removed.
  var cleaned: [UInt8] = []
  var strict = StrictLane()
  /// Where only some functions' calls are wanted.
  var sieve: TextSieve?
  /// Whether task switches and interrupts are delivered.
  var noticesTimeAway = false
  /// The events of one line, on their way through the sieve.
  var sifted: [Event] = []

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
    // A blank at the end of a line in quoted-printable (RFC 2045, 6.7 rule 3).
    if count >= 3, bytes[count - 1] == 0x30, bytes[count - 2] == 0x32, bytes[count - 3] == 0x3D { count -= 3 }
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
    if !wrapped.isEmpty { giveUpWrapped(into: &batch) }
    bareHeading = nil
  }

  mutating func parse(_ line: Line, into batch: inout [Event]) {
    if !wrapped.isEmpty && joinsWrapped(line, into: &batch) { return }
    let start = line.skipFront()
    let side = settleHeading(line, from: start, into: &batch)
    let mark = batch.count
    if let cut = line.withoutSoftBreak, parseCut(cut, from: start, into: &batch) {
      if let side { insertHeading(side, at: mark, &batch) }
      previousLineIsBlank = false
      return
    }
    let outcome = start >= line.count ? .other : parseLine(line, from: start, into: &batch)
    switch outcome {
    case .read:
      if let side { insertHeading(side, at: mark, &batch) }
    case .incomplete(let from, let strong):
      if let side, strong { append(side, &batch) }
      wrapped.begin(line, from: from, strong: strong, lineNumber: lineNumber)
      wrapped.isInComment = takeCutInComment()
    case .unreadable:
      recordUnreadable(line, at: lineNumber)
    case .other: break
    }
    previousLineIsBlank = start >= line.count
  }

  /// Parses a line that quoted-printable cut; false where the cut made no difference.
  mutating func parseCut(_ line: Line, from start: Int, into batch: inout [Event]) -> Bool {
    let count = batch.count
    switch parseLine(line, from: start, into: &batch) {
    case .read: return true
    case .incomplete(let from, let strong):
      wrapped.begin(line, from: from, strong: strong, lineNumber: lineNumber, isSoft: true)
      wrapped.isInComment = takeCutInComment()
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
    if noticesTimeAway { parseTimeAway(line, from: start, column: column, into: &batch) }
    return parseNotes(line, from: start, into: &batch)
  }

  // MARK: Events and tables

  mutating func event(for part: FunctionPart, _ line: Line) -> Event {
    var event = Event(kind: part.shape == .leaf ? .leaf : part.shape == .entry ? .entry : .exit)
    if !part.name.isEmpty {
      event.function = function(line[part.name], module: line[part.module])
    }
    return event
  }

  /// Functions that were asked for by name.
  var isNeeded: (@Sendable (_ symbol: String) -> Bool)?

  /// Names are remembered up to this many: a trace has some 60,000 functions, and garbage shall not fill the memory.
  static let mostNames = 1 << 20

  mutating func function(_ symbol: UnsafeRawBufferPointer, module: UnsafeRawBufferPointer) -> FunctionID {
    guard functions.count < Self.mostNames else {
      // What is known stays known, and names that were asked for are never dropped.
      if let known = functions.find(symbol: symbol, module: module) { return known }
      if let isNeeded, isNeeded(String(decoding: symbol, as: UTF8.self)) {
        return functions.intern(symbol: symbol, module: module)
      }
      diagnostics.record(.limitReached, at: .line(lineNumber), "more than \(Self.mostNames) function names")
      return .none
    }
    return functions.intern(symbol: symbol, module: module)
  }

  mutating func comm(_ name: UnsafeRawBufferPointer) -> StringTable.ID {
    guard comms.count < Self.mostNames else {
      diagnostics.record(.limitReached, at: .line(lineNumber), "more than \(Self.mostNames) task names")
      return .none
    }
    return comms.intern(name)
  }

  mutating func timestamp(_ time: ParsedTime, buffer: UInt16) -> Timestamp {
    if time.isTime { return .nanoseconds(time.value) }
    if trace.buffers[Int(buffer)].timestampsAreTime { trace.buffers[Int(buffer)].timestampsAreTime = false }
    return .raw(time.value)
  }

  static let mostBuffers = 256

  /// The number of the buffer of that name, which is added if it is new.
  mutating func buffer(_ name: UnsafeRawBufferPointer) -> UInt16 {
    let index = bufferNames.count < Self.mostNames ? Int(bufferNames.intern(name).rawValue) : Self.mostBuffers
    if index < trace.buffers.count { return UInt16(index) }
    guard index < Self.mostBuffers else {
      diagnostics.record(.limitReached, at: .line(lineNumber), "more than \(Self.mostBuffers) buffers")
      return 0
    }
    trace.buffers.append(TraceDescription.Buffer(name: String(decoding: name, as: UTF8.self)))
    return UInt16(index)
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
}
