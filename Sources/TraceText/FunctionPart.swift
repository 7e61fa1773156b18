/// What stands in the function column of a line.
struct FunctionPart {
  enum Shape {
    /// `name();`
    case leaf
    /// `name() {`
    case entry
    /// `}`, perhaps with the name in a comment.
    case exit
    /// `/* ... */`
    case comment
    /// The start of a comment that goes on in the next line.
    case openComment
    /// An overrun note, an elision: read, and no event.
    case note
    /// `==========> |`: an interrupt begins.
    case interruptEntry
    /// `<========== |`: it ends.
    case interruptExit
    /// The beginning of a call that the line ends in.
    case incomplete
    /// Nothing of the tracer's.
    case other
  }

  var shape: Shape
  /// The symbol; empty where the part names none.
  var name = 0..<0
  /// The module, without brackets; empty for the kernel's own text.
  var module = 0..<0
  /// Depth where it is printed as ` (3)` behind the call (trace-cmd, `-O fgraph:depth`); −1 else.
  var depth: Int32 = -1
  /// Where the first byte stands, for the depth by indentation.
  var start: Int
  /// Behind what was read.
  var end: Int
  /// `name {`, as a person shortens it: a call only where the columns in front leave no doubt.
  var lacksParentheses = false
  /// The line ends inside the comment behind a closing brace, which names the function.
  var endsInTailComment = false

  /// Reads the function part at or behind `position`.
  init(_ line: Line, at position: Int) {
    let first = line.skipBlanks(position)
    start = first
    end = first
    shape = .other
    switch line[first] {
    case 0:
      shape = first >= line.count ? .incomplete : .other
    case UInt8(ascii: "}"):
      shape = .exit
      end = first + 1
      readTailComment(line)
      readDepth(line)
    case UInt8(ascii: "/") where line[first + 1] == UInt8(ascii: "*"):
      let close = line.find("*/", from: first + 2)
      shape = close == nil ? .openComment : .comment
      end = close.map { $0 + 2 } ?? line.count
    case UInt8(ascii: "/") where line[first + 1] == UInt8(ascii: "/"):
      // `// ...`, what a person left out.
      shape = .note
    case UInt8(ascii: "=") where line.has("=====", at: first) || line.has("=3D=3D=3D", at: first):
      shape = .interruptEntry
    case UInt8(ascii: "<") where line.has("<====", at: first) || line.has("<=3D=3D=3D", at: first):
      shape = .interruptExit
    case UInt8(ascii: "("):
      if line.has("(Overruns:", at: first) { shape = .note }
    default:
      readCall(line)
    }
  }

  /// `name [module](arguments) {` with the module in front of the parentheses or behind them.
  private mutating func readCall(_ line: Line) {
    var index = start
    while line[index].isNameByte { index += 1 }
    // KSYM_NAME_LEN is 512 (include/linux/kallsyms.h).
    guard index - start <= 512 else { return }
    name = start..<index
    if index == start {
      if line.has("[...", at: start) || line.has("<snip", at: start) || line.has("[snip", at: start) {
        shape = .note
      }
      return
    }
    if isElision(line) {
      shape = .note
      return
    }
    // A recorded address behind the patched instruction may be printed with its offset.
    if line[index] == UInt8(ascii: "+"), line.has("0x", at: index + 1) {
      index += 3
      while line[index].isNameByte || line[index] == UInt8(ascii: "/") { index += 1 }
    }
    readModule(line, &index)
    if line.skipBlanks(index) >= line.count {
      shape = .incomplete
      return
    }
    guard line[index] == UInt8(ascii: "(") else {
      let brace = line.skipBlanks(index)
      if line[brace] == UInt8(ascii: "{"), line.skipBlanks(brace + 1) >= line.count {
        shape = .entry
        lacksParentheses = true
        end = brace + 1
      }
      return
    }
    guard let close = closingParenthesis(line, from: index) else {
      shape = .incomplete
      end = line.count
      return
    }
    index = close + 1
    if module.isEmpty { readModule(line, &index) }
    let mark = line.skipBlanks(index)
    switch line[mark] {
    case UInt8(ascii: ";"): shape = .leaf
    case UInt8(ascii: "{"): shape = .entry
    case 0 where mark >= line.count:
      shape = .incomplete
      return
    default: return
    }
    end = mark + 1
    readDepth(line)
  }

  /// ` [module]`; the cursor stays where there is none.
  private mutating func readModule(_ line: Line, _ index: inout Int) {
    let open = line.skipBlanks(index)
    guard line[open] == UInt8(ascii: "[") else { return }
    var close = open + 1
    while line[close].isNameByte || line[close] == UInt8(ascii: "-") { close += 1 }
    guard line[close] == UInt8(ascii: "]"), close > open + 1 else {
      // A line that ends inside the module's name.
      if close >= line.count { index = close }
      return
    }
    module = open + 1..<close
    index = close + 1
  }

  /// `/* name [module] ret=0x0 */` behind a closing brace; a comment of another kind leaves the name empty.
  private mutating func readTailComment(_ line: Line) {
    let open = line.skipBlanks(end)
    guard line[open] == UInt8(ascii: "/") else { return }
    guard line[open + 1] == UInt8(ascii: "*") else {
      readTailWithoutAsterisks(line, at: open)
      return
    }
    let first = line.skipBlanks(open + 2)
    var index = first
    while line[index].isNameByte { index += 1 }
    let symbol = first..<index
    readModule(line, &index)
    let next = line.skipBlanks(index)
    let isEnd =
      line.has("*/", at: next) || line.has("ret", at: next) || line.has("<-", at: next)
      || line[next] == UInt8(ascii: "=") || line[next] == UInt8(ascii: "(")
    // `/* ret=0x0 */` has the equals sign at once.
    let isAssignment = line[symbol.upperBound] == UInt8(ascii: "=")
    if isEnd && !isAssignment && !symbol.isEmpty {
      name = symbol
    } else {
      module = 0..<0
    }
    let close = line.find("*/", from: open + 2)
    endsInTailComment = close == nil
    end = close.map { $0 + 2 } ?? line.count
  }

  /// `/ name [module] /`: Markdown took the asterisks for emphasis.
  private mutating func readTailWithoutAsterisks(_ line: Line, at open: Int) {
    let first = line.skipBlanks(open + 1)
    var index = first
    while line[index].isNameByte { index += 1 }
    let symbol = first..<index
    readModule(line, &index)
    let close = line.skipBlanks(index)
    guard !symbol.isEmpty, line[open + 1].isBlank, line[close] == UInt8(ascii: "/") else {
      module = 0..<0
      return
    }
    name = symbol
    end = close + 1
  }

  /// ` (3)` behind the call and its comments.
  private mutating func readDepth(_ line: Line) {
    var index = line.skipBlanks(end)
    if line[index] == UInt8(ascii: "/"), line[index + 1] == UInt8(ascii: "*") {
      end = line.find("*/", from: index + 2).map { $0 + 2 } ?? line.count
      index = line.skipBlanks(end)
    }
    if line.has("(ret=", at: index) {
      end = line.find(UInt8(ascii: ")"), from: index).map { $0 + 1 } ?? line.count
      index = line.skipBlanks(end)
    }
    guard line[index] == UInt8(ascii: "(") else { return }
    let close = line.skipDigits(index + 1)
    guard line[close] == UInt8(ascii: ")"), let value = line.integer(index + 1..<close), value < 10_000 else {
      return
    }
    depth = Int32(value)
    end = close + 1
  }

  /// Dots alone stand for lines that were left out.
  private func isElision(_ line: Line) -> Bool {
    guard line[start] == UInt8(ascii: ".") || line[start] == 0xE2 else { return false }
    for index in name where line[index] != UInt8(ascii: ".") && line[index] < 0x80 { return false }
    return true
  }

  /// The parenthesis that closes the one at `open`; arguments may have some of their own.
  private func closingParenthesis(_ line: Line, from open: Int) -> Int? {
    if line[open + 1] == UInt8(ascii: ")") { return open + 1 }
    var level = 0
    var index = open
    while index < line.count {
      switch line[index] {
      case UInt8(ascii: "("): level += 1
      case UInt8(ascii: ")"):
        level -= 1
        if level == 0 { return index }
      default: break
      }
      index += 1
    }
    return nil
  }

  /// The depth that the indentation says: two blanks a level from `column` on, after `base` blanks that belong to the
  /// layout. −1 where the layout was lost (a mailer that joins blanks, tabs).
  func depth(_ line: Line, from column: Int, base: Int) -> Int32 {
    if depth >= 0 { return depth }
    let blanks = start - column - base
    guard blanks >= 0, blanks & 1 == 0, blanks < 20_000 else { return -1 }
    if line.find(UInt8(ascii: "\t"), from: column, to: start) != nil { return -1 }
    return Int32(blanks / 2)
  }
}
