internal import FunctionGraph

/// Puts the lines of a `trace-cmd report` into the order of their times.
///
/// trace-cmd looks ahead for the exit of a leaf, also on another CPU, and may then print that CPU's later records before
/// earlier ones of the rest: an exit can stand before its entry. Each CPU's own lines stay in order. So events wait in
/// a window and leave it by time; where nothing is out of order that costs a copy.
///
/// Where a CPU's own times go back another report begins (files put together), and what has no time or no CPU is no line
/// of a report: both end the window, and nothing is moved across.
struct ReportOrder {
  /// Events that wait at least; twice as many at most, some 14 MB.
  static let window = 1 << 16

  private var waiting: [Event] = []
  /// The time by which an event is ordered: its own, or of the event before it on its CPU.
  private var keys: [UInt64] = []
  private var isSorted = true
  private var lastOfCPU: [UInt64: UInt64] = [:]

  /// Takes events as they stand in the text; appends to `out` those that can leave.
  mutating func add(_ events: [Event], into out: inout [Event]) {
    for event in events {
      guard let key = key(of: event) else {
        drain(into: &out)
        out.append(event)
        continue
      }
      if let last = keys.last, key < last { isSorted = false }
      waiting.append(event)
      keys.append(key)
      if waiting.count >= 2 * Self.window { release(Self.window, into: &out) }
    }
  }

  /// Lets all go.
  mutating func drain(into out: inout [Event]) {
    release(waiting.count, into: &out)
    lastOfCPU.removeAll(keepingCapacity: true)
  }

  /// nil where the event is none of a report, or begins another one.
  private mutating func key(of event: Event) -> UInt64? {
    guard event.cpu >= 0, event.kind != .heading, event.kind != .taskSwitch else { return nil }
    let cpu = UInt64(event.buffer) << 40 | UInt64(event.column) << 32 | UInt64(UInt32(bitPattern: event.cpu))
    if event.kind == .lost, event.timestamp.unit == .none { return lastOfCPU[cpu] }
    guard event.timestamp.unit != .none, event.pid >= 0 else { return nil }
    let time = event.timestamp.value
    if let last = lastOfCPU[cpu], time < last { return nil }
    lastOfCPU[cpu] = time
    return time
  }

  private mutating func release(_ count: Int, into out: inout [Event]) {
    if !isSorted {
      let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
      waiting = order.map { waiting[$0] }
      keys = order.map { keys[$0] }
      isSorted = true
    }
    out.append(contentsOf: waiting.prefix(count))
    waiting.removeFirst(count)
    keys.removeFirst(count)
  }
}
