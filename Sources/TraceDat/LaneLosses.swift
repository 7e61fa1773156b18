/// When events of one of several CPUs were lost, in their order.
struct LaneLosses {
  private(set) var times: [UInt64] = []

  var count: Int { times.count }

  mutating func append(_ time: UInt64) { times.append(time) }

  /// Whether events of a task that went from one CPU to another may be among those that were lost: on the one where it was,
  /// or on the one where it now is, since it was last seen. Of equal times the lower CPU's come first.
  ///
  /// - Parameters:
  ///   - source: of the CPU where it was;
  ///   - known: how many of these there had been when it was last seen,
  ///   - seen: and when that was.
  ///   - target: of the CPU where it is now,
  ///   - time: at this time.
  static func concern(
    from source: (losses: LaneLosses, lane: Int), known: Int, seen: UInt64,
    to target: (losses: LaneLosses, lane: Int), time: UInt64
  ) -> Bool {
    if known < source.losses.count {
      let next = source.losses.times[known]
      if next < time || next == time && source.lane < target.lane { return true }
    }
    guard let last = target.losses.times.last else { return false }
    return last > seen || last == seen && target.lane > source.lane
  }
}
