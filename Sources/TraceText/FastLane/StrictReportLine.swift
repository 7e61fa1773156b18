internal import CVector

/// A line of `trace-cmd report`, laid out as it prints function-graph events without options:
///
///                <...>-421   [000]    79.860046: funcgraph_exit:       + 18.538 us  |          }
///
/// The front, up to the CPU's bracket, is the same in all lines of a task on a CPU: `TaskCache` knows it as a whole.
struct StrictReportLine {
  var front: StrictReportFront
  /// Of the duration, for `DurationShapes.value`.
  var point: Int
  var call: StrictCall

  /// - Parameters:
  ///   - line: its first byte, before `limit`.
  ///   - limit: the end of the bytes that were read; `StrictCall.slack` more can be loaded.
  @inline(__always)
  init?(_ line: UnsafeRawPointer, limit: UnsafeRawPointer, _ shapes: DurationShapes) {
    guard let front = StrictReportFront(line), let column = shapes.read(front.mark),
      let call = StrictCall(
        front.mark + column.width, limit: limit, hasDuration: column.point != DurationShapes.blank)
    else { return nil }
    self.front = front
    self.call = call
    self.point = column.point
  }
}

/// A report line up to the mark of its duration.
struct StrictReportFront {
  /// Of the line, up to and with the bracket.
  var count: Int
  /// Nanoseconds.
  var time: UInt64
  var mark: UnsafeRawPointer
  /// The colon behind the time, a blank, and the event's name with six more.
  var timeEnd: UnsafeRawPointer { mark - 24 }

  /// - Parameter ofCall: whether a call's event has to follow; else `mark` and `timeEnd` are where they would be then.
  @inline(__always)
  init?(_ line: UnsafeRawPointer, ofCall: Bool = true) {
    // `%16s-%-5d [%03d]`: the bracket closes at byte 27, later where the process ID has more than five digits.
    let bracket = pinstat_equal16(line + 24, UInt8(ascii: "]"))
    guard line.load(as: UInt8.self) == 0x20, bracket != 0 else { return nil }
    count = bracket.trailingZeroBitCount &+ 25
    // Blanks, seconds, a point, six digits, a colon, a blank.
    let text = line + count
    let colon = pinstat_equal16(text, UInt8(ascii: ":"))
    guard colon != 0 else { return nil }
    let end = colon.trailingZeroBitCount
    let blanks = (~pinstat_equal16(text, 0x20)).trailingZeroBitCount
    let point = end &- 7
    guard blanks >= 1, point > blanks else { return nil }
    let digits = ((1 &<< UInt32(end)) &- (1 &<< UInt32(blanks))) & ~(1 &<< UInt32(point))
    guard pinstat_digits16(text) & digits == digits,
      (text + point).load(as: UInt8.self) == UInt8(ascii: ".")
    else { return nil }
    // ` funcgrap`, `h_entry:` or `h_exit: `.
    let event = text + (end &+ 2)
    let name = (event + 8).loadUnaligned(as: UInt64.self).littleEndian
    guard (event - 1).load(as: UInt8.self) == 0x20,
      !ofCall
        || event.loadUnaligned(as: UInt64.self).littleEndian == 0x7061_7267_636E_7566
          && (name == 0x3A79_7274_6E65_5F68 || name == 0x203A_7469_7865_5F68)
          && (event + 16).loadUnaligned(as: UInt64.self) & 0xFFFF_FFFF_FFFF == 0x2020_2020_2020
    else { return nil }
    mark = event + 22
    // Eight bytes that end in the last digit of the seconds; those in front of the first are made zeros.
    let foreign = UInt64(truncatingIfNeeded: 8 &- (point &- blanks)) &* 8
    let before = (text + (point &- 8)).loadUnaligned(as: UInt64.self).littleEndian
    let seconds = (before &>> foreign) &<< foreign
    let decimals = (text + (point &+ 1)).loadUnaligned(as: UInt64.self).littleEndian &<< 16
    time =
      DurationShapes.eightDigits(seconds) &* 1_000_000_000 &+ DurationShapes.eightDigits(decimals) &* 1000
  }
}
