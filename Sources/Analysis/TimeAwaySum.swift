internal import FunctionGraph

/// How long the calls of a function were interrupted, or off the CPU, inside: part of their durations, told beside them.
public struct TimeAwaySum: Sendable, Hashable {
  public var nanoseconds: Int64 = 0
  /// Calls that had any.
  public var calls = 0
  /// Calls of which it is known: the whole ones, but for those with a missing record inside.
  public var known = 0

  public init() {}

  mutating func add(_ time: Int64?) {
    guard let time else { return }
    nanoseconds &+= time
    if time > 0 { calls += 1 }
    known += 1
  }

  /// Of several traces; nil where it is not known of one of them.
  static func merged(_ parts: [TimeAwaySum?]) -> TimeAwaySum? {
    guard !parts.isEmpty else { return nil }
    var result = TimeAwaySum()
    for part in parts {
      guard let part else { return nil }
      result.nanoseconds &+= part.nanoseconds
      result.calls += part.calls
      result.known += part.known
    }
    return result
  }
}

extension FunctionDurations {
  mutating func addTimeAway(_ call: Call) {
    offCPU = offCPU ?? TimeAwaySum()
    offCPU?.add(call.offCPU)
    interrupts = interrupts ?? TimeAwaySum()
    interrupts?.add(call.interrupts)
  }

  /// Leaves what the trace has records of, and calls that it is known of.
  mutating func keepTimeAway(_ sources: TimeAwaySources) {
    if !sources.hasSwitches || offCPU?.known == 0 { offCPU = nil }
    if !sources.hasInterrupts || interrupts?.known == 0 { interrupts = nil }
  }
}

extension TimeAwaySum {
  /// As it was stored, microseconds; nil where it was not.
  init?(_ microseconds: Double?, _ calls: Int?, _ known: Int?) {
    guard let microseconds else { return nil }
    nanoseconds = Analysis.nanoseconds(microseconds)
    self.calls = calls ?? 0
    self.known = known ?? 0
  }
}
