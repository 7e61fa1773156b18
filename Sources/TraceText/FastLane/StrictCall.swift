internal import CVector

/// The function part of a line that is laid out exactly as the tools print it, up to its line feed.
///
/// What can follow the bar of the duration column and that the general parser would read as the same call: `name();`,
/// `name() {`, `}` and `} /* name */`, each name perhaps with ` [module]`, and these with plain values: `name(a=0x1, b=2) {`,
/// `name(); /* ret=0x0 */`, `} /* name = -38 */`. Anything else (text in arguments, remarks, blanks at the end) is left to the
/// general parser, so this one may be narrow.
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
  /// With arguments or what was returned.
  var hasValues = false

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
        guard head & 0xFF_FFFF_FFFF == 0x20_2A2F_207D, let read = StrictName(start + 5, limit: limit) else {
          return nil
        }
        if read.end.loadUnaligned(as: UInt32.self) == 0x0A2F_2A20 {
          name = read
          next = read.end + 4
        } else {
          guard let (named, end) = Self.returned(read, limit) else { return nil }
          name = named
          next = end
          hasValues = true
        }
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
        kind = hasDuration ? .leaf : .entry
        if tail & 0xFF_FFFF_FFFF == 0x0A_7B20_2928 {
          // `() {`
          guard !hasDuration else { return nil }
          next = read.end + 5
        } else {
          guard let end = Self.values(read.end, isEntry: !hasDuration, limit) else { return nil }
          next = end
          hasValues = true
        }
      }
    }
    // What stands behind the limit is left over from an earlier block.
    guard next <= limit else { return nil }
  }

  // MARK: Values

  /// Behind bytes of which plain values are made; nil where the bytes that were read end.
  @inline(__always)
  private static func skipValues(_ start: UnsafeRawPointer, _ limit: UnsafeRawPointer) -> UnsafeRawPointer? {
    var position = start
    while position < limit {
      let count = (~pinstat_value32(position)).trailingZeroBitCount
      position += count
      if count < 32 { return position }
    }
    return nil
  }

  /// `(a=0x1, b=2);`, `(a=0x1) {`, with values or without, and perhaps a comment with plain values; behind the line feed.
  @inline(never)
  private static func values(
    _ start: UnsafeRawPointer, isEntry: Bool, _ limit: UnsafeRawPointer
  ) -> UnsafeRawPointer? {
    guard start.load(as: UInt8.self) == UInt8(ascii: "("), var position = skipValues(start + 1, limit) else {
      return nil
    }
    let tail = position.loadUnaligned(as: UInt64.self).littleEndian
    if isEntry {
      guard tail & 0xFF_FFFF == 0x7B_2029 else { return nil }
      position += 3
    } else {
      guard tail & 0xFFFF == 0x3B29 else { return nil }
      position += 2
    }
    if position.load(as: UInt8.self) == 0x0A { return position + 1 }
    // ` /* `
    guard position.loadUnaligned(as: UInt32.self).littleEndian == 0x202A_2F20 else { return nil }
    return endOfComment(position + 4, limit)
  }

  /// ` ret=0x0 */` or ` = -38 */` behind the name of `} /* name`, or behind `} /* ret`, which is none: the name, and behind the line
  /// feed.
  @inline(never)
  private static func returned(
    _ name: StrictName, _ limit: UnsafeRawPointer
  ) -> (name: StrictName, end: UnsafeRawPointer)? {
    let tail = name.end.loadUnaligned(as: UInt64.self).littleEndian
    // `ret=`, ` ret=`, ` = `
    if name.count == 3, name.start.loadUnaligned(as: UInt32.self).littleEndian == 0x3D74_6572 {
      return endOfComment(name.end, limit).map { (StrictName(name.start), $0) }
    }
    guard tail & 0xFF_FFFF_FFFF == 0x3D_7465_7220 || tail & 0xFF_FFFF == 0x20_3D20 else { return nil }
    return endOfComment(name.end, limit).map { (name, $0) }
  }

  /// Plain values, and what ends a comment behind them, a blank in front.
  @inline(__always)
  private static func endOfComment(_ start: UnsafeRawPointer, _ limit: UnsafeRawPointer) -> UnsafeRawPointer?
  {
    guard let end = skipValues(start, limit), (end - 1).load(as: UInt8.self) == 0x20,
      end.loadUnaligned(as: UInt32.self).littleEndian & 0xFF_FFFF == 0x0A_2F2A
    else { return nil }
    return end + 3
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
