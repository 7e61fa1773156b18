internal import FunctionGraph

/// Lines of `trace-cmd report`, and what people paste of them.
extension TextParser {
  /// The records of one line: one, or several where a mailer filled its lines.
  mutating func parseRecords(
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
  func endsInOrigin(_ line: Line, from start: Int) -> Bool {
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

  mutating func parseRecord(
    _ line: Line, _ record: ReportRecord, from start: Int, column: UInt8, into batch: inout [Event],
    end: inout Int
  ) -> Outcome {
    if let raw = RawFields(line, at: record.body) {
      var event = Event(kind: record.isExit ? .exit : .entry)
      event.function = function(line[raw.name], module: line[0..<0])
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
    case .exit where part.endsInTailComment && !acceptsCutComment:
      cutInComment = true
      return .incomplete(from: start, strong: isGraph)
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
    case .comment, .openComment, .note, .interruptEntry, .interruptExit:
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

  mutating func finish(
    _ event: inout Event, _ origin: RecordOrigin, _ line: Line, column: UInt8, into batch: inout [Event]
  ) {
    event.column = column
    event.cpu = origin.cpu
    event.pid = origin.pid
    if origin.pid >= 0 { event.comm = comm(line[origin.comm]) }
    if !origin.buffer.isEmpty { event.buffer = buffer(line[origin.buffer]) }
    if let time = origin.time { event.timestamp = timestamp(time, buffer: event.buffer) }
    batch.append(event)
    if origin.time != nil { reportLines += 1 } else { pastedLines += 1 }
  }
}
