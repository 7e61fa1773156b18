internal import CVector

/// The function part of a line that is laid out exactly as the tools print it, up to its line feed.
///
/// Everything that can follow the bar of the duration column and that the general parser would read as the same call:
/// `name();`, `name() {`, `}` and `} /* name */`, each name perhaps with ` [module]`. Anything else (arguments, return
/// values, remarks, blanks at the end) is left to the general parser, so this one may be narrow.
///
/// The line's end is never searched for: it is where the function part must end. That saves a pass over the bytes.
struct StrictCall {
  enum Kind: UInt8 {
    case leaf, entry, exit
  }

  var kind: Kind
  /// Two blanks a level.
  var depth: Int
  var name: StrictName
  /// Behind the blanks.
  var part: UnsafeRawPointer
  /// In front of them, behind the bar.
  var column: UnsafeRawPointer { part - (2 &* depth &+ 2) }
  /// Behind the line feed.
  var next: UnsafeRawPointer

  /// How many bytes behind the bytes that were read must be readable: a line begins before their end, and no load of its
  /// front, indentation or name reaches further than this from a position before the end.
  static let slack = 256

  /// Reads the function part behind the bar, at `column`.
  ///
  /// - Parameters:
  ///   - limit: the end of the bytes that were read; `slack` more bytes can be loaded. `column` is not more than 100
  ///     bytes behind it.
  ///   - hasDuration: whether the column in front holds a duration, which a leaf and an exit must and an entry must not.
  @inline(__always)
  init?(_ column: UnsafeRawPointer, limit: UnsafeRawPointer, hasDuration: Bool) {
    // One compare of 32 bytes finds the indentation of fifteen levels.
    var indent = (~pinstat_equal32(column, 0x20)).trailingZeroBitCount
    if indent == 32 {
      indent += (~pinstat_equal32(column + 32, 0x20)).trailingZeroBitCount
      guard indent < 64 else { return nil }
    }
    guard indent >= 2, indent & 1 == 0 else { return nil }
    depth = (indent &- 2) &>> 1
    let start = column + indent
    part = start
    let head = start.loadUnaligned(as: UInt64.self)
    if UInt8(truncatingIfNeeded: head) == UInt8(ascii: "}") {
      guard hasDuration else { return nil }
      kind = .exit
      if UInt16(truncatingIfNeeded: head) == 0x0A7D {
        name = StrictName(start)
        next = start + 2
      } else {
        // `} /* name */`
        guard head & 0xFF_FFFF_FFFF == 0x20_2A2F_207D, let read = StrictName(start + 5, limit: limit),
          read.end.loadUnaligned(as: UInt32.self) == 0x0A2F_2A20
        else { return nil }
        name = read
        next = read.end + 4
      }
    } else {
      guard let read = StrictName(start, limit: limit) else { return nil }
      name = read
      let tail = read.end.loadUnaligned(as: UInt64.self)
      if UInt32(truncatingIfNeeded: tail) == 0x0A3B_2928 {
        // `();`
        guard hasDuration else { return nil }
        kind = .leaf
        next = read.end + 4
      } else {
        // `() {`
        guard tail & 0xFF_FFFF_FFFF == 0x0A_7B20_2928, !hasDuration else { return nil }
        kind = .entry
        next = read.end + 5
      }
    }
    // What stands behind the limit is left over from an earlier block.
    guard next <= limit else { return nil }
  }
}

/// A symbol, perhaps with its module: `name`, `name [module]`.
struct StrictName {
  /// Longer symbols and modules are left to the general parser; a multiple of 32.
  private static let longest = 128

  var start: UnsafeRawPointer
  /// Bytes of all, and of the symbol alone.
  var count: Int
  var symbolCount: Int

  var end: UnsafeRawPointer { start + count }
  var isEmpty: Bool { count == 0 }
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
  var symbol: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: symbolCount) }
  /// Between the brackets.
  var module: UnsafeRawBufferPointer {
    symbolCount == count
      ? UnsafeRawBufferPointer(start: nil, count: 0)
      : UnsafeRawBufferPointer(start: start + symbolCount + 2, count: count - symbolCount - 3)
  }

  /// No name.
  @inline(__always)
  init(_ start: UnsafeRawPointer) {
    self.start = start
    count = 0
    symbolCount = 0
  }

  @inline(__always)
  init?(_ start: UnsafeRawPointer, limit: UnsafeRawPointer) {
    // A digit or a dot in front may be a number, an address or an elision.
    let first = start.load(as: UInt8.self)
    guard (first | 0x20) &- 0x61 < 26 || first == UInt8(ascii: "_"),
      let symbol = Self.skip(start, limit)
    else { return nil }
    self.start = start
    symbolCount = symbol
    count = symbol
    // ` [`
    if (start + symbol).loadUnaligned(as: UInt16.self) == 0x5B20 {
      guard let module = Self.skip(start + symbol + 2, limit), module > 0,
        (start + symbol + 2 + module).load(as: UInt8.self) == UInt8(ascii: "]")
      else { return nil }
      count = symbol &+ module &+ 3
    }
  }

  /// How many name bytes there are; nil where too many or the bytes that were read end.
  @inline(__always)
  private static func skip(_ start: UnsafeRawPointer, _ limit: UnsafeRawPointer) -> Int? {
    let count = (~pinstat_name32(start)).trailingZeroBitCount
    if _fastPath(count < 32) { return count }
    return skipLong(start, limit)
  }

  @inline(never)
  private static func skipLong(_ start: UnsafeRawPointer, _ limit: UnsafeRawPointer) -> Int? {
    var done = 32
    while done < longest, start + done < limit {
      let count = (~pinstat_name32(start + done)).trailingZeroBitCount
      done += count
      if count < 32 { return done }
    }
    return nil
  }
}
