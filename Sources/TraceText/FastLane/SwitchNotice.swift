/// What the kernel prints where another task comes on a CPU (kernel/trace/trace_functions_graph.c, `verif_pid`):
///
///      ------------------------------------------
///      0)    <idle>-0    =>   rcu_pre-15
///      ------------------------------------------
///
/// and an empty line.
enum SwitchNotice {
  /// Whether a line is one of these, which are neither the beginning nor the rest of anything else: behind them all is as it was in
  /// front of them, but for the task.
  ///
  /// - Parameter line: without its line feed.
  static func isPart(_ line: UnsafeRawBufferPointer) -> Bool {
    let line = Line(line)
    guard line.count > 0 else { return true }
    guard line.count < 80, line[0] == 0x20 else { return false }
    var index = line.skipBlanks(0)
    if line[index] == UInt8(ascii: "-") {
      while line[index] == UInt8(ascii: "-") { index += 1 }
      return index == line.count
    }
    let digits = index
    index = line.skipDigits(index)
    guard index > digits, index - digits <= 5, line[index] == UInt8(ascii: ")"), line[index + 1] == 0x20,
      let last = skipTask(line, index + 1), line.has("=>", at: last), line[last + 2] == 0x20,
      let end = skipTask(line, last + 2)
    else { return false }
    return end == line.count
  }

  /// Behind `comm-pid` and the blanks around it; nil where a name could be something else.
  private static func skipTask(_ line: Line, _ start: Int) -> Int? {
    let first = line.skipBlanks(start)
    var index = first
    while line[index].isLetter || line[index].isDigit || isMark(line[index]) { index += 1 }
    guard index > first, line[first].isLetter || line[first] == UInt8(ascii: "<") else { return nil }
    var digits = index
    while digits > first, line[digits - 1].isDigit { digits -= 1 }
    guard digits < index, digits > first + 1, line[digits - 1] == UInt8(ascii: "-") else { return nil }
    return line.skipBlanks(index)
  }

  private static func isMark(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "<"),
      UInt8(ascii: ">"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
