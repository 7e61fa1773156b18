/// What a trace has records of, in one buffer: without them a time of 0 would be a claim.
public struct TimeAwaySources: Sendable, Hashable {
  /// Records of `sched_switch` with times.
  public internal(set) var hasSwitches = false
  private var hasEntries = false
  private var hasExits = false
  /// Records of interrupts with times, both of their beginnings and of their ends.
  public var hasInterrupts: Bool { hasEntries && hasExits }

  public init() {}

  mutating func note(isEntry: Bool) {
    if isEntry { hasEntries = true } else { hasExits = true }
  }
}

/// The time of one task that is not its functions' own, as running totals: what a call had is the difference between its
/// exit and its entry, so that an event costs the same however many calls are open.
///
/// Off the CPU is what lies between the `sched_switch` that takes the task off a CPU and the one that puts it on one
/// again. Interrupts nest, and count where they lie inside a call: of a softirq that a timer interrupts, the call that
/// both interrupt has the softirq's time, a call inside the softirq has the timer's.
struct TimeAway {
  /// What a call remembers of its entry.
  struct Mark {
    var offCPU: Int64
    var interrupts: Int64
    /// How many interrupts were open.
    var level: Int32

    static let none = Mark(offCPU: 0, interrupts: 0, level: 0)
  }

  /// Interrupts open at once: task, softirq, hardirq, NMI, each seen by two pairs of events at most.
  private static let levels = 8

  /// Nanoseconds of the intervals that have ended.
  private var offCPU: Int64 = 0
  private var offSince: UInt64?
  /// By how many were open when they began.
  private var interrupts = InlineArray<8, Int64>(repeating: 0)
  private var starts = InlineArray<8, UInt64>(repeating: 0)
  private var sources = InlineArray<8, UInt8>(repeating: 0)
  private var level = 0
  /// Calls below this number of open ones had a record missing inside.
  private(set) var offCPUUnknownBelow = 0
  private(set) var interruptsUnknownBelow = 0

  /// At the entry of a call.
  func mark(at time: Timestamp) -> Mark {
    // Between the record of a switch and the switch itself the task still runs a few functions. They were not away,
    // and what began before them is not theirs.
    let pending = offSince.map { Self.interval($0, time.value) } ?? 0
    return Mark(
      offCPU: offCPU &+ pending, interrupts: interrupts[min(level, Self.levels - 1)], level: Int32(level))
  }

  /// Nanoseconds off the CPU in a call that ends now; nil where a record is missing.
  ///
  /// - Parameter number: how many calls are open around it.
  func offCPU(since mark: Mark, entry: Timestamp, number: Int) -> Int64? {
    guard number >= offCPUUnknownBelow else { return nil }
    // Away since, by the records, and yet it returns.
    if let offSince, entry.value < offSince { return nil }
    return max(0, offCPU &- mark.offCPU)
  }

  /// Nanoseconds in interrupts in a call that ends now; nil where a record is missing.
  func interrupts(since mark: Mark, number: Int) -> Int64? {
    guard number >= interruptsUnknownBelow, mark.level == Int32(level), level < Self.levels else {
      return nil
    }
    return interrupts[level] &- mark.interrupts
  }

  /// - Parameter open: how many calls are open.
  mutating func switchOut(at time: UInt64, open: Int) {
    if offSince != nil { offCPUUnknownBelow = open }
    offSince = time
    // No task is switched inside an interrupt: the end of one is missing.
    if level > 0 {
      level = 0
      interruptsUnknownBelow = open
    }
  }

  mutating func switchIn(at time: UInt64, open: Int) {
    if let start = offSince {
      offCPU &+= Self.interval(start, time)
      offSince = nil
    } else {
      offCPUUnknownBelow = open
    }
  }

  mutating func enterInterrupt(_ source: UInt8, at time: UInt64) {
    if level < Self.levels {
      starts[level] = time
      sources[level] = source
    }
    if level < .max { level += 1 }
  }

  /// - Parameter open: how many calls are open.
  mutating func leaveInterrupt(_ source: UInt8, at time: UInt64, open: Int) {
    guard level <= Self.levels else {
      level -= 1
      interruptsUnknownBelow = open
      return
    }
    guard let entered = (0..<level).last(where: { sources[$0] == source }) else {
      interruptsUnknownBelow = open
      return
    }
    // What was entered inside it has no end.
    if entered != level - 1 { interruptsUnknownBelow = open }
    level = entered
    interrupts[level] &+= Self.interval(starts[level], time)
  }

  /// A call ended: so many are open now.
  mutating func close(open: Int) {
    offCPUUnknownBelow = min(offCPUUnknownBelow, open)
    interruptsUnknownBelow = min(interruptsUnknownBelow, open)
  }

  /// Events were lost: what is open is not known any more. The calls that are open are lost themselves.
  mutating func forget() {
    offSince = nil
    level = 0
  }

  /// The clocks of two CPUs may differ by more than what lies between.
  private static func interval(_ start: UInt64, _ end: UInt64) -> Int64 {
    end > start ? Int64(clamping: end - start) : 0
  }
}
