/// One function-graph record of `trace-cmd report`: what stands in front of the event's name, and which event it is.
///
///     inst1:   kworker/u8:3-1234  [002] d..1.    33.202490: funcgraph_entry:  ...
///     buffer   comm         pid   cpu   flags    time       event             body
///
/// Everything in front of the event may be missing.
struct ReportRecord {
  var isExit: Bool
  /// Behind the event's colon.
  var body: Int
  var origin: RecordOrigin

  /// The first record at or behind `start`; nil where there is none.
  init?(_ line: Line, from start: Int) {
    var search = start
    while let hit = line.find("graph_", from: search) {
      search = hit + 6
      var name = hit
      var colon = search
      if line.has("func", at: hit - 4), hit - 4 >= start {
        name = hit - 4
        if line.has("entry:", at: search) {
          colon = search + 5
          isExit = false
        } else if line.has("exit:", at: search) {
          colon = search + 4
          isExit = true
        } else {
          continue
        }
      } else if line.has("retaddr_entry:", at: search), line[hit - 1] == UInt8(ascii: "f"), hit - 1 >= start {
        name = hit - 1
        colon = search + 13
        isExit = false
      } else if line.has("ent:", at: search) || line.has("ret:", at: search),
        hit == start || line[hit - 1].isBlank,
        line.has("func=", at: line.skipBlanks(search + 4)) || line.skipBlanks(search + 4) >= line.count
      {
        // Android's funcgraph-flat option: one line a record, without a duration.
        colon = search + 3
        isExit = line[search] == UInt8(ascii: "r")
      } else {
        continue
      }
      body = colon + 1
      origin = RecordOrigin(line, from: start, to: name)
      return
    }
    return nil
  }
}

/// Who and when: everything in front of the event's name.
struct RecordOrigin {
  /// Empty for the top buffer.
  var buffer = 0..<0
  var comm = 0..<0
  var pid: Int32 = -1
  var cpu: Int32 = -1
  var time: ParsedTime?
  /// Where the columns that were understood begin.
  var start: Int

  /// Reads backwards from the event's name, for a task's name may hold blanks, brackets, dashes and colons.
  init(_ line: Line, from lower: Int, to event: Int) {
    start = event
    var end = line.skipBlanksBack(event, downTo: lower)
    // `(+19)`: report --ts-diff.
    if end > lower, line[end - 1] == UInt8(ascii: ")") {
      var open = end - 2
      while open > lower, line[open].isDigit { open -= 1 }
      if open > lower, line[open] == UInt8(ascii: "+"), line[open - 1] == UInt8(ascii: "(") {
        end = line.skipBlanksBack(open - 1, downTo: lower)
      }
    }
    guard end > lower, line[end - 1] == UInt8(ascii: ":") else { return }
    var first = end - 1
    while first > lower, line[first - 1].isDigit || line[first - 1] == UInt8(ascii: ".") { first -= 1 }
    guard first < end - 1, line[first].isDigit, let parsed = line.timestamp(first..<end - 1) else { return }
    time = parsed
    start = first
    readCPU(line, from: lower, to: line.skipBlanksBack(first, downTo: lower))
  }

  /// `comm-pid [cpu]` alone, at the end of a line that a mailer wrapped.
  init(_ line: Line, from lower: Int, endingInCPU end: Int) {
    start = end
    readCPU(line, from: lower, to: end)
  }

  /// `[001]`, `[001] d..1.`, or with `report -l` ` 1d..1.`.
  private mutating func readCPU(_ line: Line, from lower: Int, to end: Int) {
    var end = end
    guard end > lower else { return }
    if line[end - 1] != UInt8(ascii: "]") {
      var token = end
      while token > lower, line[token - 1].isFlagByte { token -= 1 }
      guard token < end else { return }
      let before = line.skipBlanksBack(token, downTo: lower)
      if before > lower, line[before - 1] == UInt8(ascii: "]") {
        end = before
      } else {
        let digits = line.skipDigits(token)
        guard digits > token, digits < end, digits - token <= 5, before < token else { return }
        guard let value = line.integer(token..<digits) else { return }
        readTask(line, from: lower, to: before, cpu: Int32(value))
        return
      }
    }
    var open = end - 1
    while open > lower, line[open - 1].isDigit { open -= 1 }
    guard open > lower, line[open - 1] == UInt8(ascii: "["), end - 1 - open <= 5 else { return }
    guard let value = line.integer(open..<end - 1) else { return }
    readTask(line, from: lower, to: line.skipBlanksBack(open - 1, downTo: lower), cpu: Int32(value))
  }

  private mutating func readTask(_ line: Line, from lower: Int, to end: Int, cpu: Int32) {
    self.cpu = cpu
    var end = end
    // `(1234)`, `(-----)`: the thread group, option record-tgid.
    if end > lower, line[end - 1] == UInt8(ascii: ")") {
      var open = end - 1
      while open > lower, line[open - 1] != UInt8(ascii: "(") { open -= 1 }
      if open > lower { end = line.skipBlanksBack(open - 1, downTo: lower) }
    }
    var first = lower
    // A patch's mark in front of the line.
    if line[first] == UInt8(ascii: "+") || line[first] == UInt8(ascii: "-") { first += 1 }
    if line[first] != UInt8(ascii: " ") { readBuffer(line, &first, to: end) }
    if let task = TaskName(line, from: first, to: end) {
      comm = task.comm
      pid = task.pid
      start = min(start, task.comm.lowerBound)
    }
  }

  /// `inst1:   ` in the first column. A task's name may have a colon in it, but not two blanks behind one at its start.
  private mutating func readBuffer(_ line: Line, _ first: inout Int, to end: Int) {
    guard let colon = line.find(UInt8(ascii: ":"), from: first, to: end) else { return }
    guard line[colon + 1].isBlank, line[colon + 2].isBlank, colon > first else { return }
    buffer = first..<colon
    start = first
    first = colon + 1
  }
}

/// The fields of a record as `report -R` prints them, or as the kernel's own format does (`report -N`).
struct RawFields {
  var name = 0..<0
  var depth: Int32 = -1
  /// rettime − calltime, nanoseconds; nil for an entry.
  var duration: Int64?
  var end: Int

  /// The fields of one record stand within this many bytes.
  private static let longest = 1024

  /// `func=NAME depth=N overrun=N calltime=HEX rettime=HEX`, or
  /// `--> NAME (N)`, `<-- NAME (N) (start: HEX  end: HEX) over: N`.
  init?(_ line: Line, at body: Int) {
    var index = line.skipBlanks(body)
    end = index
    if line.has("func=", at: index) || line.has("func:", at: index) {
      index += 5
      // The equals sign in quoted-printable.
      if line.has("3D", at: index) { index += 2 }
      readName(line, &index)
      guard !name.isEmpty else { return nil }
      end = index
      let limit = index + Self.longest
      if let at = line.find("depth", from: index, to: limit) { readDepth(line, from: at + 6) }
      if let call = line.find("calltime", from: index, to: limit), let from = line.hexadecimal(at: call + 9),
        let ret = line.find("rettime", from: index, to: limit), let to = line.hexadecimal(at: ret + 8)
      {
        duration = Int64(clamping: to.value) - Int64(clamping: from.value)
        end = to.end
      }
      return
    }
    guard line.has("--> ", at: index) || line.has("<-- ", at: index) else { return nil }
    index = line.skipBlanks(index + 4)
    readName(line, &index)
    guard !name.isEmpty else { return nil }
    index = line.skipBlanks(index)
    end = index
    guard line[index] == UInt8(ascii: "(") else { return }
    readDepth(line, from: index + 1)
    if let start = line.find("start: ", from: index, to: index + Self.longest),
      let from = line.hexadecimal(at: start + 7),
      let stop = line.find("end: ", from: index, to: index + Self.longest),
      let to = line.hexadecimal(at: stop + 5)
    {
      duration = Int64(clamping: to.value) - Int64(clamping: from.value)
      end = to.end
    }
  }

  private mutating func readName(_ line: Line, _ index: inout Int) {
    let first = index
    while line[index].isNameByte { index += 1 }
    name = first..<index
  }

  private mutating func readDepth(_ line: Line, from first: Int) {
    let last = line.skipDigits(first)
    if let value = line.integer(first..<last), value < 10_000 { depth = Int32(value) }
    end = max(end, last)
  }
}

extension UInt8 {
  /// What the latency columns are made of.
  fileprivate var isFlagByte: Bool {
    isLetter || isDigit || self == UInt8(ascii: ".") || self == UInt8(ascii: "#")
  }
}
