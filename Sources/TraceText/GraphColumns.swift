/// The columns of the kernel's own layout, up to the function part.
///
/// Options turn each of them on and off; their order is fixed (kernel/trace/trace_functions_graph.c,
/// `print_graph_prologue` and `print_graph_duration`):
///
///       507.520070 |  12 us |   1)  vfiomap-560   |  ...1. | + 12.345 us   |  name();
///       abstime       reltime   cpu  proc            latency   duration       function
struct GraphColumns {
  var cpu: Int32 = -1
  var pid: Int32 = -1
  /// Empty where there is no task column.
  var comm = 0..<0
  /// funcgraph-abstime; the relative time counts from the start of the trace and is left out.
  var time: ParsedTime?
  var duration: PrintedDuration?
  /// Bars that end a column.
  var bars = 0
  /// The column in which depth 0 would start is `base` blanks behind this position.
  var functionColumn: Int
  /// Two blanks behind the duration's bar, one behind the others and behind the CPU.
  var base = 0
  /// Where a second trace begins that stands beside this one (`||`), with nothing on the left.
  var rightHalf: Int?
  /// The line ends in the middle of a column.
  var endsInColumn = false

  /// A line with a CPU, a task or a time is the tracer's; one with bars alone may be anything.
  var isStrong: Bool { cpu >= 0 || pid >= 0 || time != nil }

  init(_ line: Line, at start: Int) {
    functionColumn = start
    var position = start
    var isFirst = true
    while true {
      let cell = line.skipBlanks(position)
      guard readCell(line, at: cell, isFirst: isFirst, &position) else { break }
      isFirst = false
    }
  }

  /// Reads one column at `cell` and moves `position` behind it; false where the function part begins.
  private mutating func readCell(_ line: Line, at cell: Int, isFirst: Bool, _ position: inout Int) -> Bool {
    let byte = line[cell]
    if byte.isDigit { return readNumber(line, at: cell, &position) }
    switch byte {
    case UInt8(ascii: "|"):
      if line[cell + 1] == UInt8(ascii: "|") {
        rightHalf = cell + 2
        return false
      }
      if let printed = duration, !printed.hasDecimals { duration = nil }
      endColumn(at: cell, base: 2, &position)
      return true
    case UInt8(ascii: "+"), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "*"), UInt8(ascii: "@"),
      UInt8(ascii: "$"):
      let number = line.skipBlanks(cell + 1)
      if line[number].isDigit, let printed = PrintedDuration(line, at: number) {
        return readDuration(line, printed, &position)
      }
      if number >= line.count || endsAsNumber(line, from: number) {
        endsInColumn = !isFirst
        return false
      }
      // A patch's `+`, a list's `*` and a comment's `#` in front of the line.
      guard isFirst else { return false }
      position = cell + 1
      return true
    case UInt8(ascii: "-"):
      guard isFirst else { return false }
      position = cell + 1
      return true
    case 0:
      return false
    default:
      return readFlags(line, at: cell, &position) || readTask(line, at: cell, &position)
    }
  }

  private mutating func endColumn(at bar: Int, base: Int, _ position: inout Int) {
    bars += 1
    position = bar + 1
    functionColumn = bar + 1
    self.base = base
  }

  /// `1)`, `507.520070 |`, `12 us |`, `12.345 us |`.
  private mutating func readNumber(_ line: Line, at cell: Int, _ position: inout Int) -> Bool {
    let end = line.skipDigits(cell)
    if line[end] == UInt8(ascii: ")") {
      guard cpu < 0, end - cell <= 5, let value = line.integer(cell..<end) else { return false }
      cpu = Int32(value)
      // What came before is the relative time.
      duration = nil
      position = end + 1
      functionColumn = end + 1
      base = 1
      return true
    }
    if let printed = PrintedDuration(line, at: cell) { return readDuration(line, printed, &position) }
    if line[end] == UInt8(ascii: ".") {
      let fractionEnd = line.skipDigits(end + 1)
      let bar = line.skipBlanks(fractionEnd)
      if line[bar] == UInt8(ascii: "["), readBracketedCPU(line, at: bar, time: cell..<fractionEnd, &position)
      {
        return true
      }
      if line[bar] == UInt8(ascii: "|"), fractionEnd - end > 6, let value = line.timestamp(cell..<fractionEnd)
      {
        time = value
        endColumn(at: bar, base: 2, &position)
        return true
      }
    }
    if readRawTime(line, cell..<end, &position) { return true }
    if endsAsNumber(line, from: cell) {
      endsInColumn = cpu >= 0
      return false
    }
    return readTask(line, at: cell, &position)
  }

  /// `111735834116555 |   0)`: the absolute time as a kernel prints it that does not make seconds of it.
  private mutating func readRawTime(_ line: Line, _ digits: Range<Int>, _ position: inout Int) -> Bool {
    guard cpu < 0, bars == 0, digits.count >= 6 else { return false }
    let bar = line.skipBlanks(digits.upperBound)
    guard line[bar] == UInt8(ascii: "|") else { return false }
    let next = line.skipBlanks(bar + 1)
    let last = line.skipDigits(next)
    guard last > next, line[last] == UInt8(ascii: ")"), let value = line.timestamp(digits) else {
      return false
    }
    time = value
    endColumn(at: bar, base: 2, &position)
    return true
  }

  /// `1234.567890  [0]  |`: time and CPU as other tracers print them, which people write from memory.
  private mutating func readBracketedCPU(
    _ line: Line, at open: Int, time digits: Range<Int>, _ position: inout Int
  ) -> Bool {
    let close = line.skipDigits(open + 1)
    guard cpu < 0, bars == 0, close > open + 1, close - open <= 6, line[close] == UInt8(ascii: "]"),
      let number = line.integer(open + 1..<close), let value = line.timestamp(digits)
    else { return false }
    cpu = Int32(number)
    time = value
    position = close + 1
    functionColumn = close + 1
    base = 1
    return true
  }

  private mutating func readDuration(_ line: Line, _ printed: PrintedDuration, _ position: inout Int) -> Bool
  {
    let bar = line.skipBlanks(printed.end)
    guard line[bar] == UInt8(ascii: "|") else {
      endsInColumn = bar >= line.count
      return false
    }
    duration = printed
    endColumn(at: bar, base: 2, &position)
    return true
  }

  /// Whether nothing but a number and a part of its unit is left of the line.
  private func endsAsNumber(_ line: Line, from start: Int) -> Bool {
    var index = line.skipDigits(start)
    if line[index] == UInt8(ascii: ".") { index = line.skipDigits(index + 1) }
    index = line.skipBlanks(index)
    if line[index] == UInt8(ascii: "u") { index += 1 }
    return index > start && line.skipBlanks(index) >= line.count
  }

  /// `...1.` or `dNh31.`: irqs-off, need-resched, hardirq/softirq, preempt-depth, migrate-disable, lock-depth
  /// (kernel/trace/trace_output.c, `trace_print_lat_fmt`).
  private mutating func readFlags(_ line: Line, at cell: Int, _ position: inout Int) -> Bool {
    var end = cell
    while line[end].isLetter || line[end].isDigit || line[end] == UInt8(ascii: ".")
      || line[end] == UInt8(ascii: "#")
    {
      end += 1
    }
    guard end - cell >= 4, end - cell <= 8 else { return false }
    let bar = line.skipBlanks(end)
    guard line[bar] == UInt8(ascii: "|"), line[bar + 1] != UInt8(ascii: "|") else { return false }
    endColumn(at: bar, base: 1, &position)
    return true
  }

  /// `vfiomap-560   |`: the pid is behind the last dash, the name may hold anything.
  private mutating func readTask(_ line: Line, at cell: Int, _ position: inout Int) -> Bool {
    // At most 15 bytes of name, a dash, 10 digits and the blanks that center them.
    guard pid < 0, let bar = line.find(UInt8(ascii: "|"), from: cell, to: cell + 40) else { return false }
    let end = line.skipBlanksBack(bar, downTo: cell)
    guard line[bar + 1] != UInt8(ascii: "|"), let task = TaskName(line, from: cell, to: end) else {
      return false
    }
    // A context switch between bars.
    if let arrow = line.find(" => ", from: cell), arrow < bar { return false }
    comm = task.comm
    pid = task.pid
    duration = nil
    endColumn(at: bar, base: 1, &position)
    return true
  }
}

/// `comm-pid`, as both the kernel and trace-cmd print it.
struct TaskName {
  var comm: Range<Int>
  var pid: Int32

  /// nil where the text does not end in a dash and digits.
  init?(_ line: Line, from start: Int, to end: Int) {
    var digits = end
    while digits > start && line[digits - 1].isDigit { digits -= 1 }
    guard digits < end, digits > start, line[digits - 1] == UInt8(ascii: "-") else { return nil }
    guard let value = line.integer(digits..<end), value <= UInt64(Int32.max) else { return nil }
    let dash = digits - 1
    var first = line.skipBlanks(start)
    guard first <= dash else { return nil }
    // An elision that a mailer moved in front of the next record.
    if line.has("[...] ", at: first) { first = line.skipBlanks(first + 6) }
    guard first <= dash else { return nil }
    // TASK_COMM_LEN is 16 with the final 0 (include/linux/sched.h): far longer names have prose in front.
    if dash - first > 32 {
      var blank = dash - 16
      while blank < dash, !line[blank].isBlank { blank += 1 }
      first = blank < dash ? line.skipBlanks(blank) : dash - 16
    }
    comm = first..<dash
    pid = Int32(value)
  }
}
