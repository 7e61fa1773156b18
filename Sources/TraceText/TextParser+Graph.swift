internal import FunctionGraph

/// Lines in the kernel's own layout.
extension TextParser {
  mutating func parseColumns(
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
    case .exit where part.endsInTailComment && !acceptsCutComment && (columns.isStrong || columns.bars > 0):
      cutInComment = true
      return .incomplete(from: start, strong: columns.isStrong)
    case .leaf, .entry, .exit:
      // Bars alone: a call must have a duration, only the beginning of one has none.
      if columns.bars > 0, !columns.isStrong, columns.duration == nil, part.shape != .entry { return .other }
      if part.lacksParentheses, !columns.isStrong || columns.bars == 0 { return .other }
      commentLines = 0
      var event = event(for: part, line)
      event.column = column
      event.cpu = columns.cpu
      event.pid = columns.pid
      if columns.pid >= 0 { event.comm = comm(line[columns.comm]) }
      event.depth = part.depth(line, from: columns.functionColumn, base: columns.base)
      if columns.cpu >= 0 { nesting.adjust(&event) }
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
    case .interruptEntry, .interruptExit:
      if columns.cpu >= 0 { nesting.pass(part.shape, cpu: columns.cpu) }
      if noticesTimeAway { deliverArrow(part.shape, line, columns, column: column, into: &batch) }
      parseRightHalf(line, from: part.end, column: column, into: &batch)
      return .read
    case .comment, .note:
      if noticesTimeAway, part.shape == .comment {
        parseTimeAway(line, part, columns, column: column, into: &batch)
      }
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

  /// ` 4)  comm-12    =>   comm-34 ` between two rules of dashes: another task runs on that CPU. Quoted-printable
  /// writes the arrow `=3D>`.
  mutating func parseSwitch(
    _ line: Line, _ columns: GraphColumns, column: UInt8, into batch: inout [Event]
  ) -> Bool {
    let limit = line.find("||", from: columns.functionColumn) ?? line.count
    var arrowLength = 4
    var arrow = line.find(" => ", from: columns.functionColumn, to: limit)
    if arrow == nil {
      arrow = line.find(" =3D> ", from: columns.functionColumn, to: limit)
      arrowLength = 6
    }
    guard let arrow else { return false }
    let left = line.skipBlanksBack(arrow, downTo: columns.functionColumn)
    var end = line.skipBlanksBack(limit, downTo: arrow)
    if line[end - 1] == UInt8(ascii: "|") { end = line.skipBlanksBack(end - 1, downTo: arrow) }
    guard let previous = TaskName(line, from: columns.functionColumn, to: left),
      let next = TaskName(line, from: arrow + arrowLength, to: end)
    else { return false }
    var event = Event(kind: .taskSwitch)
    event.column = column
    event.cpu = columns.cpu
    event.pid = next.pid
    event.comm = comm(line[next.comm])
    event.previousPid = previous.pid
    event.previousComm = comm(line[previous.comm])
    nesting.forget(cpu: columns.cpu)
    batch.append(event)
    parseRightHalf(line, from: end, column: column, into: &batch)
    return true
  }

  /// Calls without any column: funcgraph-cpu and funcgraph-duration off.
  mutating func parseBareCall(_ line: Line, column: UInt8, into batch: inout [Event]) -> Bool {
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

  mutating func parseRightHalf(_ line: Line, from end: Int, column: UInt8, into batch: inout [Event]) {
    guard column == 0, end < line.count, let hit = line.find("||", from: end) else { return }
    _ = parseLine(line, from: hit + 2, column: 1, into: &batch)
  }
}
