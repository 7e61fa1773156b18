internal import FunctionGraph

/// Records that a mailer broke into several lines.
extension TextParser {
  /// Tries the waiting line with this one behind it; false where this line has to be read on its own.
  mutating func joinsWrapped(_ line: Line, into batch: inout [Event]) -> Bool {
    var joined = WrappedLine()
    swap(&joined, &wrapped)
    let start = joined.isSoft ? 0 : line.skipQuoteMarks(0)
    let next = line.withoutSoftBreak ?? line
    guard start < line.count, !joined.isInComment || endsTailComment(line, from: start),
      joined.append(next, from: start)
    else {
      swap(&joined, &wrapped)
      giveUpWrapped(into: &batch)
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
      joined.isInComment = takeCutInComment()
      joined.isSoft = line.withoutSoftBreak != nil
      swap(&joined, &wrapped)
      return true
    default:
      joined.removeLast()
      swap(&joined, &wrapped)
      giveUpWrapped(into: &batch)
      return false
    }
  }

  /// Why the last line was incomplete; asked once.
  mutating func takeCutInComment() -> Bool {
    defer { cutInComment = false }
    return cutInComment
  }

  /// Whether the line is the rest of `} /* name */`, and not a line of its own.
  private func endsTailComment(_ line: Line, from start: Int) -> Bool {
    if let close = line.find("*/", from: start) {
      return line.find(UInt8(ascii: "|"), from: start, to: close) == nil
    }
    if line.withoutSoftBreak != nil { return true }
    // The name alone, and the end of the comment in yet another line.
    var end = start
    while line[end].isNameByte { end += 1 }
    return end > start && line[end - 1] != UInt8(ascii: ":") && line.skipBlanks(end) >= line.count
  }

  /// Nothing came that would make the waiting line whole.
  mutating func giveUpWrapped(into batch: inout [Event]) {
    var copy = WrappedLine()
    swap(&copy, &wrapped)
    copy.bytes.withUnsafeBytes { bytes in
      let line = Line(bytes)
      if copy.isInComment {
        acceptsCutComment = true
        defer { acceptsCutComment = false }
        if case .read = parseLine(line, from: line.skipQuotes(0), into: &batch) { return }
      }
      if copy.isStrong { recordUnreadable(line, at: copy.lineNumber) }
    }
    copy.clear()
    swap(&copy, &wrapped)
  }
}
