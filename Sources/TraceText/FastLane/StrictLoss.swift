internal import CVector
internal import Glibc

/// `CPU:1 [LOST 1242 EVENTS]`, as the kernel prints it (kernel/trace/trace.c, `print_trace_line`), or `CPU:1 [1242 EVENTS DROPPED]`
/// and `CPU:1 [EVENTS DROPPED]`, as trace-cmd does (tracecmd/trace-read.c, `show_data`).
struct StrictLoss {
  /// Five digits at most.
  let cpu: Int32
  /// Eighteen digits at most.
  let events: UInt64
  /// Bytes, with the line feed.
  let count: Int

  /// What can be loaded from a line's start on, so that each part of a loss is inside.
  static let reach = 64

  /// - Parameter start: of a line; `reach` bytes can be loaded.
  @inline(__always)
  init?(_ start: UnsafeRawPointer) {
    func word(_ place: Int) -> UInt64 {
      start.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
    }
    func byte(_ place: Int) -> UInt8 { start.load(fromByteOffset: place, as: UInt8.self) }
    // `CPU:`
    guard UInt32(truncatingIfNeeded: word(0)) == 0x3A55_5043 else { return nil }
    var place = 4
    var cpu: Int32 = 0
    while place < 9, byte(place).isDigit {
      cpu = cpu &* 10 &+ Int32(byte(place) &- 0x30)
      place &+= 1
    }
    // ` [LOST `
    guard place > 4, word(place) & 0xFF_FFFF_FFFF_FFFF == 0x20_5453_4F4C_5B20 else { return nil }
    place &+= 7
    // Few losses have more than eight digits. Of each byte that is none the highest bit gets set, which is sure up to the first one.
    let head = word(place)
    let values = head ^ 0x3030_3030_3030_3030
    let others = (values | (values &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
    let digits = others.trailingZeroBitCount &>> 3
    guard digits > 0 else { return nil }
    var events = pinstat_eight_digits(head &<< UInt64(64 &- 8 &* digits))
    place &+= digits
    if digits == 8 {
      let most = place + 10
      while place < most, byte(place).isDigit {
        events = events &* 10 &+ UInt64(byte(place) &- 0x30)
        place &+= 1
      }
    }
    // ` EVENTS]`
    guard word(place) == 0x5D53_544E_4556_4520, byte(place &+ 8) == 0x0A else { return nil }
    self.cpu = cpu
    self.events = events
    count = place &+ 9
  }

  /// As the tool prints it whose layout that is.
  @inline(__always)
  init?(_ start: UnsafeRawPointer, _ layout: StrictLane.Layout) {
    if layout.isReport { self.init(report: start) } else { self.init(start) }
  }

  /// Of these there are few: byte by byte.
  @inline(never)
  private init?(report start: UnsafeRawPointer) {
    func byte(_ place: Int) -> UInt8 { start.load(fromByteOffset: place, as: UInt8.self) }
    func has(_ text: StaticString, at place: Int) -> Bool {
      memcmp(start + place, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
    var place = 0
    func number(_ most: Int) -> UInt64? {
      let end = place + most
      var value: UInt64?
      while place < end, byte(place).isDigit {
        value = (value ?? 0) * 10 + UInt64(byte(place) - 0x30)
        place += 1
      }
      return value
    }
    guard has("CPU:", at: 0) else { return nil }
    place = 4
    guard let cpu = number(5), has(" [", at: place) else { return nil }
    place += 2
    let events = number(18)
    if events != nil {
      guard byte(place) == 0x20 else { return nil }
      place += 1
    }
    guard has("EVENTS DROPPED]\n", at: place) else { return nil }
    self.cpu = Int32(cpu)
    self.events = events ?? 0
    count = place + 16
  }
}
