internal import FunctionGraph

/// Headings that say which side of a comparison follows, and comments that go on over several lines.
extension TextParser {
  /// A heading without a colon is one if a rule, a blank line or nothing but the trace follows.
  ///
  /// - Returns: the side that still depends on whether this line is the trace: it may begin with a task's name, as
  ///   prose does with a letter.
  mutating func settleHeading(_ line: Line, from start: Int, into batch: inout [Event]) -> Event.Side? {
    guard let side = bareHeading else { return nil }
    bareHeading = nil
    let byte = line[start]
    guard start >= line.count || line.isRule(from: start) || !byte.isLetter else { return side }
    append(side, &batch)
    return nil
  }

  /// The line under a heading without a colon was read: the heading stands in front of its calls.
  func insertHeading(_ side: Event.Side, at index: Int, _ batch: inout [Event]) {
    guard index < batch.count, batch[index].kind != .heading else { return }
    var event = Event(kind: .heading)
    event.side = side
    batch.insert(event, at: index)
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
}
