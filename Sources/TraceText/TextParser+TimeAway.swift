internal import FunctionGraph

/// Other trace events in the text that tell when a task was not in its functions: `sched_switch`, and the pairs around
/// interrupts. Only lines with a time are of use.
extension TextParser {
  /// A comment in the kernel's own layout: `/* sched_switch: prev_comm=... */`, `/* local_timer_entry: vector=236 */`.
  mutating func parseTimeAway(
    _ line: Line, _ part: FunctionPart, _ columns: GraphColumns, column: UInt8, into batch: inout [Event]
  ) {
    guard let time = columns.time, columns.cpu >= 0 else { return }
    let name = line.skipBlanks(part.start + 2)
    var end = name
    while line[end].isNameByte, line[end] != UInt8(ascii: ":") { end += 1 }
    guard var event = timeAwayEvent(line, name: name..<end, to: part.end) else { return }
    event.column = column
    event.cpu = columns.cpu
    if event.kind != .switched { event.pid = columns.pid }
    event.timestamp = timestamp(time, buffer: 0)
    batch.append(event)
  }

  /// `==========> |` and `<========== |`.
  mutating func deliverArrow(
    _ arrow: FunctionPart.Shape, _ line: Line, _ columns: GraphColumns, column: UInt8,
    into batch: inout [Event]
  ) {
    guard let time = columns.time, columns.cpu >= 0 else { return }
    var event = Event(kind: arrow == .interruptEntry ? .interruptEntry : .interruptExit)
    event.interrupt = InterruptSource.arrow
    event.column = column
    event.cpu = columns.cpu
    event.pid = columns.pid
    event.timestamp = timestamp(time, buffer: 0)
    batch.append(event)
  }

  /// A line of `trace-cmd report`: `comm-pid [cpu] time: NAME: ...`.
  mutating func parseTimeAway(_ line: Line, from start: Int, column: UInt8, into batch: inout [Event]) {
    guard let name = eventName(line, from: start) else { return }
    let origin = RecordOrigin(line, from: start, to: name.lowerBound)
    guard let time = origin.time, origin.cpu >= 0, origin.pid >= 0,
      var event = timeAwayEvent(line, name: name, to: line.count)
    else { return }
    event.column = column
    event.cpu = origin.cpu
    if event.kind != .switched { event.pid = origin.pid }
    if !origin.buffer.isEmpty { event.buffer = buffer(line[origin.buffer]) }
    event.timestamp = timestamp(time, buffer: event.buffer)
    batch.append(event)
  }

  /// The first name of an event that may be one, behind a time: a task's name may look like one too.
  private func eventName(_ line: Line, from start: Int) -> Range<Int>? {
    var search = start
    while let colon = line.find(UInt8(ascii: ":"), from: search) {
      search = colon + 1
      guard line[colon + 1].isBlank else { continue }
      var first = colon
      while first > start,
        line[first - 1].isLetter || line[first - 1].isDigit || line[first - 1] == UInt8(ascii: "_")
      {
        first -= 1
      }
      guard first < colon, !line[first].isDigit else { continue }
      let before = line.skipBlanksBack(first, downTo: start)
      if before < first, before > start, line[before - 1] == UInt8(ascii: ":"), line[before - 2].isDigit {
        return first..<colon
      }
    }
    return nil
  }

  private func timeAwayEvent(_ line: Line, name: Range<Int>, to end: Int) -> Event? {
    guard line[name.upperBound] == UInt8(ascii: ":") else { return nil }
    if name.count == 12, line.has("sched_switch", at: name.lowerBound) {
      return switchEvent(line, from: name.upperBound + 1, to: min(end, line.count))
    }
    let isEntry = line.has("_entry", at: name.upperBound - 6)
    guard isEntry || line.has("_exit", at: name.upperBound - 5) else { return nil }
    let source = name.lowerBound..<name.upperBound - (isEntry ? 6 : 5)
    guard let number = InterruptSource.number(of: line[source]) else { return nil }
    var event = Event(kind: isEntry ? .interruptEntry : .interruptExit)
    event.interrupt = number
    return event
  }

  /// `prev_comm=a prev_pid=1 ... next_comm=b next_pid=2 ...` as the kernel prints it, `a:1 [120] S ==> b:2 [120]` as
  /// trace-cmd does. A task's name may hold any of this, so both are read from their ends.
  private func switchEvent(_ line: Line, from start: Int, to end: Int) -> Event? {
    var event = Event(kind: .switched)
    if let next = last("next_pid=", line, from: start, to: end) {
      guard let comm = last("next_comm=", line, from: start, to: next),
        let previous = last("prev_pid=", line, from: start, to: comm), let pid = pid(line, at: next + 9),
        let previousPid = self.pid(line, at: previous + 9)
      else { return nil }
      event.pid = pid
      event.previousPid = previousPid
      return event
    }
    guard let arrow = last(" ==> ", line, from: start, to: end),
      let pid = pidBeforePriority(line, from: arrow + 5, to: end),
      let previousPid = pidBeforePriority(line, from: start, to: arrow)
    else { return nil }
    event.pid = pid
    event.previousPid = previousPid
    return event
  }

  private func last(_ text: StaticString, _ line: Line, from start: Int, to end: Int) -> Int? {
    var found: Int?
    var search = start
    while let hit = line.find(text, from: search, to: end) {
      found = hit
      search = hit + 1
    }
    return found
  }

  private func pid(_ line: Line, at start: Int) -> Int32? {
    line.integer(start..<line.skipDigits(start)).flatMap { Int32(exactly: $0) }
  }

  /// `comm:1234 [120]`, or with the state behind it.
  private func pidBeforePriority(_ line: Line, from start: Int, to end: Int) -> Int32? {
    guard let open = last(" [", line, from: start, to: end) else { return nil }
    var digits = open
    while digits > start, line[digits - 1].isDigit { digits -= 1 }
    guard digits > start, line[digits - 1] == UInt8(ascii: ":") else { return nil }
    return line.integer(digits..<open).flatMap { Int32(exactly: $0) }
  }
}
