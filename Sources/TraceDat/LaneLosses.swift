/// When events of one of several CPUs were lost, in their order.
struct LaneLosses {
  private(set) var times: [UInt64] = []

  var count: Int { times.count }

  mutating func append(_ time: UInt64) { times.append(time) }

  /// Those of an earlier part of the CPU's data come first.
  mutating func prepend(_ earlier: LaneLosses) { times = earlier.times + times }

  /// Whether events of a task may be among those that were lost: on the CPU where it was, or on the one where it now is, since
  /// it was last seen. Of equal times the lower CPU's come first.
  ///
  /// - Parameters:
  ///   - source: of the CPU where it was;
  ///   - known: how many of these there had been when it was last seen,
  ///   - seen: and when that was.
  ///   - target: of the CPU where it is now, another one or not;
  ///   - before: how many of these there had been when it came there,
  ///   - time: and when that was.
  static func concern(
    from source: (losses: LaneLosses, lane: Int), known: Int, seen: UInt64,
    to target: (losses: LaneLosses, lane: Int), before: Int, time: UInt64
  ) -> Bool {
    if source.lane == target.lane { return before > known }
    if known < source.losses.count {
      let next = source.losses.times[known]
      if next < time || next == time && source.lane < target.lane { return true }
    }
    guard before > 0 else { return false }
    let last = target.losses.times[before - 1]
    return last > seen || last == seen && target.lane > source.lane
  }
}
