/// A record that a mailer broke into several lines, as far as it is known.
///
/// Mail programs break a line behind the overhead mark, in front of the bar or behind it, between arguments, in front
/// of the brace; the rest stands in the next line, behind the quote marks.
struct WrappedLine {
  private(set) var bytes: [UInt8] = []
  /// Where the record began, 1-based.
  private(set) var lineNumber = 0
  /// Whether the beginning has the tracer's columns, so that it is a loss if no rest comes.
  var isStrong = false
  /// Cut by quoted-printable: the rest follows without a blank and without a quote mark.
  var isSoft = false
  /// Whether the beginning ends in the comment behind a closing brace: it can be read without its rest.
  var isInComment = false
  private var joins = 0
  private var lengthBefore = 0

  static let longest = 8192
  static let mostJoins = 8

  var isEmpty: Bool { bytes.isEmpty }

  mutating func begin(_ line: Line, from start: Int, strong: Bool, lineNumber: Int, isSoft: Bool = false) {
    bytes.removeAll(keepingCapacity: true)
    guard line.count - start <= Self.longest else { return }
    bytes.append(
      contentsOf: line[start..<(isSoft ? line.count : line.skipBlanksBack(line.count, downTo: start))])
    self.isSoft = isSoft
    self.lineNumber = lineNumber
    isStrong = strong
    isInComment = false
    joins = 0
  }

  /// Adds the next line behind one blank; false where the record would get too long.
  mutating func append(_ line: Line, from start: Int) -> Bool {
    let end = line.skipBlanksBack(line.count, downTo: start)
    guard joins < Self.mostJoins, bytes.count + end - start < Self.longest else { return false }
    joins += 1
    lengthBefore = bytes.count
    if !isSoft { bytes.append(0x20) }
    bytes.append(contentsOf: line[start..<end])
    return true
  }

  /// Takes back the last `append`.
  mutating func removeLast() {
    bytes.removeSubrange(lengthBefore...)
  }

  /// Drops what was read.
  mutating func drop(to start: Int) {
    bytes.removeSubrange(..<min(start, bytes.count))
  }

  mutating func clear() {
    bytes.removeAll(keepingCapacity: true)
    isStrong = false
    isSoft = false
    isInComment = false
    joins = 0
  }
}
