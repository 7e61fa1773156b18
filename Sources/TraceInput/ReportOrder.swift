internal import FunctionGraph

/// Puts the lines of a `trace-cmd report` into the order of their times.
///
/// trace-cmd looks ahead for the exit of a leaf, also on another CPU, and may then print that CPU's later records before
/// earlier ones of the rest: an exit can stand before its entry. Each CPU's own lines stay in order. So events wait in
/// a window and leave it by time; where nothing is out of order that costs a copy.
///
/// A loss has no time: it stays where it stands, but in front of its CPU's next line, so that a task that comes to that CPU
/// after it may have lost something there.
///
/// Where a CPU's own times go back another report begins (files put together), and what has no time or no CPU is no line
/// of a report: both end the window, and nothing is moved across.
struct ReportOrder {
  /// Events that wait at least; twice as many at most, some 7 MB.
  static let window = 1 << 15

  private var waiting: [Event] = []
  /// The time by which an event is ordered: its own, or of a loss the latest that was seen before it.
  private var keys: [UInt64] = []
  private var latest: UInt64?
  /// Of CPUs of which no line was seen since events were lost there.
  private var lossKeys: [UInt64: UInt64] = [:]
  private var isSorted = true
  private var lastOfCPU: [UInt64: UInt64] = [:]
  /// The same for the CPUs of the first buffer, of which nearly all lines are; nil where nothing was seen.
  private var lastOfFirst: [UInt64?] = []
  private static let mostDirect: Int32 = 1 << 12

  /// Takes events as they stand in the text; appends to `out` those that can leave.
  mutating func add(_ events: [Event], into out: inout [Event]) {
    // The kernel's own text has no times: nothing waits, and all goes through.
    if waiting.isEmpty, lastOfCPU.isEmpty, lastOfFirst.isEmpty, !events.contains(where: Self.hasTime) {
      out.append(contentsOf: events)
      return
    }
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
    lastOfFirst.removeAll(keepingCapacity: true)
    lossKeys.removeAll(keepingCapacity: true)
    latest = nil
  }

  private static func hasTime(_ event: Event) -> Bool { event.timestamp.unit != .none }

  /// nil where the event is none of a report, or begins another one.
  private mutating func key(of event: Event) -> UInt64? {
    guard event.cpu >= 0, event.kind != .heading, event.kind != .taskSwitch else { return nil }
    if event.kind == .lost, event.timestamp.unit == .none {
      if let latest { lossKeys[Self.cpu(event)] = latest }
      return latest
    }
    guard event.timestamp.unit != .none, event.pid >= 0 else { return nil }
    let time = event.timestamp.value
    if let last = lastTime(event), time < last { return nil }
    setLastTime(event, time)
    latest = max(latest ?? 0, time)
    if !lossKeys.isEmpty, let key = lossKeys.removeValue(forKey: Self.cpu(event)), time < key {
      bringForward(lossesOf: event, to: time)
    }
    return time
  }

  /// Losses in front of a line of the same CPU, as far as they still wait.
  private mutating func bringForward(lossesOf line: Event, to time: UInt64) {
    for index in waiting.indices.reversed() where Self.cpu(waiting[index]) == Self.cpu(line) {
      guard waiting[index].kind == .lost, waiting[index].timestamp.unit == .none else { return }
      keys[index] = min(keys[index], time)
      isSorted = false
    }
  }

  private func lastTime(_ event: Event) -> UInt64? {
    guard event.buffer == 0, event.column == 0, event.cpu < Self.mostDirect else {
      return lastOfCPU[Self.cpu(event)]
    }
    return Int(event.cpu) < lastOfFirst.count ? lastOfFirst[Int(event.cpu)] : nil
  }

  private mutating func setLastTime(_ event: Event, _ time: UInt64) {
    guard event.buffer == 0, event.column == 0, event.cpu < Self.mostDirect else {
      lastOfCPU[Self.cpu(event)] = time
      return
    }
    while lastOfFirst.count <= Int(event.cpu) { lastOfFirst.append(nil) }
    lastOfFirst[Int(event.cpu)] = time
  }

  private static func cpu(_ event: Event) -> UInt64 {
    UInt64(event.buffer) << 40 | UInt64(event.column) << 32 | UInt64(UInt32(bitPattern: event.cpu))
  }

  private mutating func release(_ count: Int, into out: inout [Event]) {
    if !isSorted {
      // Long runs are in order already, which the standard library's sort (Timsort) makes use of.
      var order = keys.enumerated().map { (key: $1, index: UInt32(truncatingIfNeeded: $0)) }
      order.sort { $0.key != $1.key ? $0.key < $1.key : $0.index < $1.index }
      waiting = order.map { waiting[Int($0.index)] }
      keys = order.map(\.key)
      isSorted = true
    }
    out.append(contentsOf: waiting.prefix(count))
    waiting.removeFirst(count)
    keys.removeFirst(count)
  }
}
