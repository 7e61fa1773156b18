/// Walks the records of one sub-buffer (ring-buffer page).
///
/// The layout is the kernel's (`include/linux/ring_buffer.h`, `struct ring_buffer_event`): a word of 5 bits type or
/// length and 27 bits time delta, then data. The header is checked once against the memory that holds the page; from
/// there on every record is checked against the committed length before a byte of it is used.
struct SubBufferCursor {
  enum Step {
    /// A data record: `payload`, `payloadLength`, `timestamp`.
    case record
    /// No more records.
    case end
    /// The page contradicts itself at `position`; nothing behind it can be read.
    case damaged
  }

  /// `RB_MISSED_EVENTS` and `RB_MISSED_STORED` in the commit word (kernel/trace/ring_buffer.c).
  private static let missedEvents: UInt32 = 1 << 31
  private static let missedStored: UInt32 = 1 << 30

  private(set) var base: UnsafeRawPointer
  private(set) var order: ByteOrder
  /// Of the next record and of the committed data's end, from the page's start.
  private(set) var position: Int
  private(set) var end: Int
  /// Of the record that `advance` found: from the page's start, and the length as recorded (a multiple of 4).
  private(set) var payload = 0
  private(set) var payloadLength = 0
  /// Of the last record; before the first the page's own.
  private(set) var timestamp: UInt64
  /// Events lost before the first record: nil none, 0 an unknown number.
  private(set) var missed: UInt64?

  /// A page without records.
  static var empty: SubBufferCursor { SubBufferCursor() }

  private init() {
    base = UnsafeRawPointer(bitPattern: 1)!
    order = ByteOrder(isBigEndian: false)
    position = 0
    end = 0
    timestamp = 0
  }

  /// - Returns: nil where the committed length is larger than the page, or flags are set that no kernel sets.
  init?(_ page: UnsafeRawBufferPointer, layout: SubBufferLayout, order: ByteOrder) {
    guard let base = page.baseAddress, page.count >= layout.dataOffset else { return nil }
    let word = order.unsigned(base, layout.commitOffset, size: layout.commitSize)
    let flags = UInt32(truncatingIfNeeded: word)
    // The kernel adds the flags as a signed int, so a long of 8 bytes has the sign above them.
    guard word >> 32 == 0 || (word >> 32 == 0xffff_ffff && flags & Self.missedEvents != 0) else { return nil }
    let length = Int(flags & ~(Self.missedEvents | Self.missedStored))
    guard length <= page.count - layout.dataOffset else { return nil }
    self.base = base
    self.order = order
    position = layout.dataOffset
    end = layout.dataOffset + length
    timestamp = order.uint64(base, layout.timestampOffset)
    if flags & Self.missedEvents != 0 {
      missed = 0
      // The count stands behind the data, where there was room for it.
      if flags & Self.missedStored != 0, layout.commitSize <= page.count - end {
        missed = order.unsigned(base, end, size: layout.commitSize)
      }
    }
  }

  /// Goes to the next data record; time records and padding are used up on the way.
  @inline(__always)
  mutating func advance() -> Step {
    while true {
      let left = end - position
      guard left >= 4 else { return left == 0 ? .end : .damaged }
      let word = order.uint32(base, position)
      let typeLength: UInt32
      let delta: UInt64
      if order.isBigEndian {
        typeLength = word >> 27
        delta = UInt64(word & 0x07ff_ffff)
      } else {
        typeLength = word & 31
        delta = UInt64(word >> 5)
      }
      if typeLength != 0 && typeLength <= 28 {
        let length = Int(typeLength) * 4
        guard length <= left - 4 else { return .damaged }
        timestamp = timestamp &+ delta
        payload = position + 4
        payloadLength = length
        position += 4 + length
        return .record
      }
      guard left >= 8 else { return typeLength == 29 && delta == 0 ? .end : .damaged }
      let array0 = order.uint32(base, position + 4)
      switch typeLength {
      case 0:
        // The length counts its own word; records are padded to 4 bytes.
        guard array0 >= 4, array0 <= UInt32(left) else { return .damaged }
        let length = (Int(array0) - 4 + 3) & ~3
        guard length <= left - 8 else { return .damaged }
        timestamp = timestamp &+ delta
        payload = position + 8
        payloadLength = length
        position += 8 + length
        return .record
      case 29:
        // Without a delta it fills the rest of the page; with one it is a discarded record.
        if delta == 0 {
          position = end
          return .end
        }
        guard array0 >= 4, array0 <= UInt32(left - 4) else { return .damaged }
        timestamp = timestamp &+ delta
        position += 4 + Int(array0)
        guard position & 3 == 0 || position == end else { return .damaged }
      case 30:
        timestamp = timestamp &+ (UInt64(array0) << 27 | delta)
        position += 8
      default:
        timestamp = Self.absolute(UInt64(array0) << 27 | delta, after: timestamp)
        position += 8
      }
    }
  }

  /// The five high bits that an absolute stamp of 59 bits cannot hold come from the time so far
  /// (kernel/trace/ring_buffer.c, `rb_fix_abs_ts`).
  private static func absolute(_ stamp: UInt64, after previous: UInt64) -> UInt64 {
    let high: UInt64 = 0xf8 << 56
    guard previous & high != 0 else { return stamp }
    let full = stamp | (previous & high)
    return full < previous ? full &+ (1 << 59) : full
  }

  /// Turns to a page so many bytes behind this one, without a loss in front of it.
  ///
  /// - Parameter end: of its committed data.
  @inline(__always)
  mutating func turn(by distance: Int, end: UnsafeRawPointer) {
    guard distance > 0 else { return }
    base += distance
    self.end = end - base
    missed = nil
  }

  /// Stands before the record at `position`, `time` being that of the one in front of it.
  @inline(__always)
  mutating func skip(to position: Int, time: UInt64) {
    self.position = position
    timestamp = time
  }

  /// A number of the record that `advance` found. The field must end within `payloadLength`.
  @inline(__always)
  func unsigned(_ field: RecordField) -> UInt64 {
    order.unsigned(base, payload + field.offset, size: field.size)
  }

  /// The same, sign-extended where the field is signed.
  @inline(__always)
  func signed(_ field: RecordField) -> Int64 {
    let value = unsigned(field)
    guard field.isSigned, field.size < 8 else { return Int64(truncatingIfNeeded: value) }
    let shift = UInt64(64 - field.size * 8)
    return Int64(truncatingIfNeeded: value << shift) >> Int64(shift)
  }
}
