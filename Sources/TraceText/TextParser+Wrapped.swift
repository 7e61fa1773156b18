internal import FunctionGraph

/// Records that a mailer broke into several lines.
extension TextParser {
  /// Tries the waiting line with this one behind it; false where this line has to be read on its own.
  mutating func joinsWrapped(_ line: Line, into batch: inout [Event]) -> Bool {
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
  mutating func giveUpWrapped() {
    if wrapped.isStrong {
      var copy = WrappedLine()
      swap(&copy, &wrapped)
      copy.bytes.withUnsafeBytes { recordUnreadable(Line($0), at: copy.lineNumber) }
      swap(&copy, &wrapped)
    }
    wrapped.clear()
  }
}
