internal import FunctionGraph

/// Reads a stretch of the input front to back: numbers, strings, blobs; of the file itself through a window, or of a
/// section that was decompressed into memory.
///
/// Running over the end throws `TraceError.Code.corrupt` with the place; no length from the file is believed before it
/// is compared with what is left.
struct ByteCursor {
  private static let windowSize = 16 << 10

  let order: ByteOrder
  private let file: FileBytes?
  /// What is in memory now, and the position of its first byte.
  private let window: RawBlock
  private var windowStart: UInt64
  /// Of the next byte: an offset in the file, or in the section.
  private(set) var position: UInt64
  let end: UInt64
  /// Where in the file the stretch begins, for messages about bytes that exist only decompressed.
  private let origin: UInt64?

  /// A stretch of the file. `end` beyond the file's size is cut to it.
  init(file: FileBytes, order: ByteOrder, from start: UInt64, to end: UInt64? = nil) {
    self.file = file
    self.order = order
    window = RawBlock(capacity: Self.windowSize)
    windowStart = start
    position = start
    self.end = max(start, min(end ?? file.size, file.size))
    origin = nil
  }

  /// A section in memory. `origin` is the section's place in the file.
  init(block: RawBlock, order: ByteOrder, origin: UInt64) {
    file = nil
    self.order = order
    window = block
    windowStart = 0
    position = 0
    end = UInt64(block.count)
    self.origin = origin
  }

  var remaining: UInt64 { end - position }

  /// Where the next byte is, for a diagnostic.
  var place: Diagnostic.Place { .byte(origin ?? position) }

  private func overrun(_ what: String, needed: UInt64) -> TraceError {
    TraceError(.corrupt, at: place, "\(what): \(needed) bytes expected, \(remaining) are left")
  }

  /// Pointer to the next `count` bytes, which must be at most the window's size.
  private mutating func view(_ count: Int, _ what: String) throws(TraceError) -> UnsafeRawPointer {
    guard UInt64(count) <= remaining else { throw overrun(what, needed: UInt64(count)) }
    if position < windowStart || position + UInt64(count) > windowStart + UInt64(window.count) {
      guard let file else { throw overrun(what, needed: UInt64(count)) }
      let length = Int(min(UInt64(Self.windowSize), remaining))
      windowStart = position
      window.count = try file.read(
        at: position, into: UnsafeMutableRawBufferPointer(rebasing: window.memory[0..<length]))
      guard window.count >= count else { throw overrun(what, needed: UInt64(count)) }
    }
    return UnsafeRawPointer(window.memory.baseAddress!) + Int(position - windowStart)
  }

  mutating func uint8(_ what: String) throws(TraceError) -> UInt8 {
    let value = try view(1, what).load(as: UInt8.self)
    position += 1
    return value
  }

  mutating func uint16(_ what: String) throws(TraceError) -> UInt16 {
    let value = order.uint16(try view(2, what))
    position += 2
    return value
  }

  mutating func uint32(_ what: String) throws(TraceError) -> UInt32 {
    let value = order.uint32(try view(4, what))
    position += 4
    return value
  }

  mutating func uint64(_ what: String) throws(TraceError) -> UInt64 {
    let value = order.uint64(try view(8, what))
    position += 8
    return value
  }

  mutating func skip(_ count: UInt64, _ what: String) throws(TraceError) {
    guard count <= remaining else { throw overrun(what, needed: count) }
    position += count
  }

  /// A string that ends with NUL, without it; at most `limit` bytes.
  mutating func string(_ what: String, limit: Int = 4096) throws(TraceError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let byte = try uint8(what)
      if byte == 0 { return bytes }
      guard bytes.count < limit else {
        throw TraceError(.corrupt, at: place, "\(what): no end within \(limit) bytes")
      }
      bytes.append(byte)
    }
  }

  /// The next `count` bytes, kept as long as the block is; at most `limit`.
  mutating func block(_ count: UInt64, limit: Int, _ what: String) throws(TraceError) -> RawBlock {
    guard count <= remaining else { throw overrun(what, needed: count) }
    guard count <= UInt64(limit) else {
      throw TraceError(.corrupt, at: place, "\(what): \(count) bytes, at most \(limit) are taken")
    }
    guard let file else {
      let block = RawBlock(window, Int(position)..<Int(position + count))
      position += count
      return block
    }
    let block = RawBlock(capacity: Int(count))
    block.memory.populate()
    block.count = try file.read(
      at: position, into: UnsafeMutableRawBufferPointer(rebasing: block.memory[0..<Int(count)]))
    guard block.count == Int(count) else { throw overrun(what, needed: count) }
    position += count
    return block
  }

  /// True if the next bytes are `bytes`, which are then consumed; false, and nothing consumed, if they are others.
  mutating func consume(_ bytes: StaticString, _ what: String) throws(TraceError) -> Bool {
    let count = bytes.utf8CodeUnitCount
    let next = UnsafeRawBufferPointer(start: try view(count, what), count: count)
    guard next.elementsEqual(UnsafeBufferPointer(start: bytes.utf8Start, count: count)) else { return false }
    position += UInt64(count)
    return true
  }
}
