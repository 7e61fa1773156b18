/// What mails and web pages do to a line: quote marks in front, character entities inside.
extension Line {
  /// Behind indentation, quote marks (`> `, `>> `) and the quotes of inline code. Bars stay: they end columns.
  func skipQuotes(_ index: Int) -> Int {
    var index = index
    while self[index].isQuoteByte { index += 1 }
    return index
  }

  /// Behind everything in front of a line that is not the trace's: quote marks, and the time that printk puts before
  /// each line where the kernel dumps its trace into the log (ftrace_dump_on_oops): `[   12.345678][    T1] `.
  func skipFront() -> Int {
    var index = skipQuotes(0)
    if index == 0, has("\u{FEFF}", at: 0) { index = skipQuotes(3) }
    guard self[index] == UInt8(ascii: "[") else { return index }
    var close = skipBlanks(index + 1)
    let seconds = close
    close = skipDigits(close)
    guard close > seconds, self[close] == UInt8(ascii: ".") else { return index }
    close = skipDigits(close + 1)
    guard self[close] == UInt8(ascii: "]") else { return index }
    close += 1
    if self[close] == UInt8(ascii: "["), let caller = find(UInt8(ascii: "]"), from: close, to: close + 12) {
      close = caller + 1
    }
    return skipQuotes(close)
  }

  /// Behind the quote marks of a line that goes on with a wrapped one.
  func skipQuoteMarks(_ index: Int) -> Int {
    var index = index
    while self[index].isBlank || self[index] == UInt8(ascii: ">") { index += 1 }
    return index
  }

  /// A line of nothing but dashes, equals signs or tildes.
  func isRule(from start: Int) -> Bool {
    let byte = self[start]
    guard byte == UInt8(ascii: "-") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "~") else {
      return false
    }
    var index = start
    while self[index] == byte { index += 1 }
    return index - start >= 3 && skipBlanks(index) >= count
  }

  /// The line without the `=` with which quoted-printable (RFC 2045, 6.7) cuts lines at 76 bytes; nil where none is.
  var withoutSoftBreak: Line? {
    guard count > 60, count <= 76, self[count - 1] == UInt8(ascii: "=") else { return nil }
    return Line(self[0..<count - 1])
  }

  /// Whether there may be a character entity or a no-break space in the line.
  var needsCleaning: Bool {
    find(UInt8(ascii: "&"), from: 0) != nil || find(0xC2, from: 0) != nil
  }

  /// Copies the line with the common entities and no-break spaces replaced.
  func clean(into bytes: inout [UInt8]) {
    bytes.removeAll(keepingCapacity: true)
    bytes.reserveCapacity(count)
    var index = 0
    while index < count {
      let byte = self[index]
      if byte == 0xC2, self[index + 1] == 0xA0 {
        bytes.append(0x20)
        index += 2
        continue
      }
      if byte == UInt8(ascii: "&"), let (replacement, length) = entity(at: index) {
        bytes.append(replacement)
        index += length
        continue
      }
      bytes.append(byte)
      index += 1
    }
  }

  private func entity(at index: Int) -> (UInt8, Int)? {
    if has("&gt;", at: index) { return (UInt8(ascii: ">"), 4) }
    if has("&lt;", at: index) { return (UInt8(ascii: "<"), 4) }
    if has("&amp;", at: index) { return (UInt8(ascii: "&"), 5) }
    if has("&nbsp;", at: index) { return (0x20, 6) }
    if has("&quot;", at: index) { return (UInt8(ascii: "\""), 6) }
    if has("&#", at: index) {
      let end = skipDigits(index + 2)
      if self[end] == UInt8(ascii: ";"), let code = integer(index + 2..<end), code >= 0x20, code < 0x7F {
        return (UInt8(code), end + 1 - index)
      }
    }
    return nil
  }
}

extension UInt8 {
  fileprivate var isQuoteByte: Bool {
    isBlank || self == UInt8(ascii: ">") || self == UInt8(ascii: "`") || self == UInt8(ascii: "\"")
      || self == UInt8(ascii: "'")
  }
}
