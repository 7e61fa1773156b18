internal import FunctionGraph

/// How a recorded time stamp becomes the one that `trace-cmd report` prints: the file's options TIME_SHIFT, TSC2NSEC,
/// DATE and OFFSET, applied in this order (trace-cmd's lib/trace-cmd/trace-input.c, `timestamp_calc`).
struct TimestampConversion {
  /// Ticks to nanoseconds: `(ticks * multiplier) >> shift`.
  struct TSC: Equatable {
    var multiplier: UInt32
    var shift: UInt32
  }

  /// A measured difference between a guest's clock and its host's.
  struct ShiftSample: Equatable {
    var time: UInt64
    var offset: Int64
    var scaling: UInt64
    var fraction: UInt64
  }

  /// Of DATE and OFFSET together; nanoseconds, modulo 2^64.
  var offset: UInt64 = 0
  /// Only where the buffer's clock counts ticks.
  var tsc: TSC?
  /// TIME_SHIFT's samples by CPU, sorted by time, no time twice.
  var shifts: [[ShiftSample]] = []
  /// `TRACECMD_TSYNC_FLAG_INTERPOLATE`.
  var interpolates = false

  /// The clocks whose stamps are nanoseconds.
  static func isTime(clock: String) -> Bool {
    switch clock {
    case "", "local", "global", "uptime", "perf", "boot", "tai", "tsc2nsec": true
    default: clock.hasPrefix("mono")
    }
  }

  var isIdentity: Bool { offset == 0 && tsc == nil && shifts.isEmpty }

  func converted(_ stamp: UInt64, cpu: Int32) -> UInt64 {
    var stamp = stamp
    if cpu >= 0, Int(cpu) < shifts.count { stamp = shifted(stamp, shifts[Int(cpu)]) }
    if let tsc {
      // The 128-bit product, of which the kernel's mul_u64_u32_shr keeps the low 64 bits after the shift.
      let product = stamp.multipliedFullWidth(by: UInt64(tsc.multiplier))
      let shift = UInt64(tsc.shift)
      stamp = ((product.high << 1) << (63 - shift)) | (product.low >> shift)
    }
    return stamp &+ offset
  }

  private func shifted(_ stamp: UInt64, _ samples: [ShiftSample]) -> UInt64 {
    guard let first = samples.first, let last = samples.last else { return stamp }
    if samples.count == 1 { return stamp &+ UInt64(bitPattern: first.offset) }
    var low = 0
    if stamp >= last.time {
      low = samples.count - 2
    } else if stamp > first.time {
      // The last sample that is not behind the stamp.
      var high = samples.count - 1
      while high - low > 1 {
        let middle = low + (high - low) / 2
        if samples[middle].time <= stamp { low = middle } else { high = middle }
      }
    }
    let before = samples[low]
    let after = samples[low + 1]
    var correction = before.offset
    if interpolates {
      let delta = Int64(bitPattern: after.time &- before.time)
      let slope = Int64(bitPattern: stamp &- before.time) &* (after.offset &- before.offset)
      if delta != 0 { correction = before.offset &+ (slope &+ delta / 2).dividedSafely(by: delta) }
    }
    let scaled = (stamp &* before.scaling) >> min(before.fraction, 63)
    return scaled &+ UInt64(bitPattern: correction)
  }
}

extension Int64 {
  /// 0 instead of a trap where the quotient does not exist.
  fileprivate func dividedSafely(by divisor: Int64) -> Int64 {
    let (quotient, overflow) = dividedReportingOverflow(by: divisor)
    return overflow ? 0 : quotient
  }
}
