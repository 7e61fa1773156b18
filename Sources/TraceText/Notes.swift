internal import FunctionGraph

/// Lines of a trace that are no calls: headers, and notes of lost events.
extension TextParser {
  mutating func parseNotes(_ line: Line, from start: Int, into batch: inout [Event]) -> Outcome {
    if line[start] == UInt8(ascii: "#") {
      if parseHeader(line, from: start) { return .read }
    } else if parseLost(line, from: start, into: &batch) {
      return .read
    } else if line.has("cpus=", at: start) {
      let end = line.skipDigits(start + 5)
      if let count = line.integer(start + 5..<end), count > 0, count < 1 << 20,
        line.skipBlanks(end) >= line.count
      {
        trace.cpuCount = Int(count)
        sawHeader = true
        return .read
      }
    }
    if endComment(line, from: start) { return .read }
    return parseHeading(line, from: start, into: &batch)
  }

  /// `CPU:2 [LOST 11745 EVENTS]` and `CPU:2 [LOST EVENTS]` (kernel/trace/trace.c, `print_trace_line`),
  /// `CPU:2 [11745 EVENTS DROPPED]` and `[EVENTS DROPPED]` (trace-cmd report).
  private mutating func parseLost(_ line: Line, from start: Int, into batch: inout [Event]) -> Bool {
    guard line.count - start <= 120 else { return false }
    guard let events = line.find("EVENTS", from: start) else { return false }
    var cpu: Int32 = -1
    var index = start
    var buffer: UInt16 = 0
    if let at = line.find("CPU:", from: start) {
      let nameEnd = line.skipBlanksBack(at, downTo: start)
      if nameEnd > start {
        guard line[nameEnd - 1] == UInt8(ascii: ":"), nameEnd - start > 1 else { return false }
        buffer = self.buffer(line[start..<nameEnd - 1])
      }
      let digits = line.skipBlanks(at + 4)
      index = line.skipDigits(digits)
      guard let value = line.integer(digits..<index), value < 1 << 20 else { return false }
      cpu = Int32(value)
    }
    index = line.skipBlanks(index)
    guard line[index] == UInt8(ascii: "[") else { return false }
    index = line.skipBlanks(index + 1)
    var isLost = false
    if line.has("LOST", at: index) {
      isLost = true
      index = line.skipBlanks(index + 4)
    }
    let digits = line.skipDigits(index)
    let count = line.integer(index..<digits) ?? 0
    guard line.skipBlanks(digits) == events else { return false }
    index = line.skipBlanks(events + 6)
    if !isLost {
      guard line.has("DROPPED", at: index) || line.has("LOST", at: index) else { return false }
      while line[index].isLetter { index += 1 }
    }
    guard line[line.skipBlanks(index)] == UInt8(ascii: "]") else { return false }
    var event = Event(kind: .lost)
    event.cpu = cpu
    event.buffer = buffer
    event.lostEvents = count
    nesting.forget(cpu: cpu)
    batch.append(event)
    return true
  }

  /// `# tracer: function_graph` and what stands below it.
  private mutating func parseHeader(_ line: Line, from start: Int) -> Bool {
    if let at = line.find("tracer: ", from: start), line.skipBlanks(start + 1) == at {
      let first = line.skipBlanks(at + 8)
      let end = line.skipBlanksBack(line.count, downTo: first)
      trace.tracer = String(decoding: line[first..<end], as: UTF8.self)
      sawHeader = true
      return true
    }
    if line.find("FUNCTION CALLS", from: start) != nil {
      sawHeader = true
      hasBareCalls =
        line.find("CPU", from: start) == nil && line.find("DURATION", from: start) == nil
        && line.find("TIME", from: start) == nil && line.find("TASK", from: start) == nil
      return true
    }
    if let at = line.find(" latency trace v", from: start), let on = line.find(" on ", from: at) {
      let first = line.skipBlanks(on + 4)
      let end = line.skipBlanksBack(line.count, downTo: first)
      trace.kernelRelease = String(decoding: line[first..<end], as: UTF8.self)
      return true
    }
    if let at = line.find("#P:", from: start), let count = line.integer(at + 3..<line.skipDigits(at + 3)),
      count > 0,
      count < 1 << 20
    {
      trace.cpuCount = trace.cpuCount ?? Int(count)
      parseOverrun(line, from: start)
      return true
    }
    return false
  }

  /// `entries-in-buffer/entries-written: 103/205   #P:2`: the difference was overwritten.
  private mutating func parseOverrun(_ line: Line, from start: Int) {
    guard let at = line.find("entries-written: ", from: start) else { return }
    let first = line.skipBlanks(at + 17)
    let slash = line.skipDigits(first)
    guard line[slash] == UInt8(ascii: "/"), let kept = line.integer(first..<slash),
      let written = line.integer(slash + 1..<line.skipDigits(slash + 1)), written >= kept
    else { return }
    trace.buffers[0].overrun = written - kept
  }
}
