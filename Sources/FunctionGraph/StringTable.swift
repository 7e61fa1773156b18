/// Byte strings, each stored once, known by a small number.
///
/// Names in a trace are bytes, not text: a task may be called anything. They stay bytes here and are decoded only for a
/// report. Looking up a name that is already there allocates nothing.
///
/// Slots are found by FNV-1a (Fowler, Noll, Vo) from a start that differs from table to table, so that a file cannot be
/// made whose names all fall into one slot. Numbers do not depend on it.
public struct StringTable: Sendable {
  /// A string's number, in the order of first appearance. 0 is the empty string.
  public struct ID: Hashable, Sendable, Comparable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
      self.rawValue = rawValue
    }

    /// The empty string, which stands for "not known".
    public static let none = ID(rawValue: 0)

    public static func < (a: ID, b: ID) -> Bool { a.rawValue < b.rawValue }
  }

  private var bytes: [UInt8] = []
  /// End of string i in `bytes`; its start is the end of string i − 1.
  private var ends: [Int] = [0]
  /// Open addressing with linear probing: 0 is free, else ID + 1. The size is a power of two.
  private var slots: [UInt32]
  /// Each string's hash, so that growing needs no second look at the bytes.
  private var hashes: [UInt32]
  /// Where the hash starts; the empty string's hash.
  private let basis: UInt32

  public init() {
    basis = UInt32.random(in: .min ... .max)
    hashes = [basis]
    slots = Array(repeating: 0, count: 256)
    slots[Int(basis & 255)] = 1
  }

  /// How many different strings there are, the empty one included.
  public var count: Int { ends.count }

  /// Bytes that the strings themselves take.
  public var byteCount: Int { bytes.count }

  /// The number of `name`, which is added if it is new.
  public mutating func intern(_ name: UnsafeRawBufferPointer) -> ID {
    let hash = hash(name)
    let slot = slot(of: name, hash)
    if slots[slot] != 0 { return ID(rawValue: slots[slot] - 1) }
    let id = UInt32(ends.count)
    bytes.append(contentsOf: name)
    ends.append(bytes.count)
    hashes.append(hash)
    slots[slot] = id + 1
    if ends.count * 2 > slots.count { grow() }
    return ID(rawValue: id)
  }

  public mutating func intern(_ name: Span<UInt8>) -> ID {
    name.withUnsafeBytes { intern($0) }
  }

  public mutating func intern(_ name: String) -> ID {
    var name = name
    return name.withUTF8 { intern(UnsafeRawBufferPointer($0)) }
  }

  /// The number of `name`, or nil where no such string was added.
  public func find(_ name: String) -> ID? {
    var name = name
    return name.withUTF8 { find(UnsafeRawBufferPointer($0)) }
  }

  /// The number of `name`, or nil where no such string was added.
  func find(_ name: UnsafeRawBufferPointer) -> ID? {
    let slot = slot(of: name, hash(name))
    return slots[slot] == 0 ? nil : ID(rawValue: slots[slot] - 1)
  }

  /// The string's bytes.
  public func bytes(_ id: ID) -> ArraySlice<UInt8> {
    let index = Int(id.rawValue)
    return bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// The string as text; bytes that are no UTF-8 become U+FFFD.
  public subscript(id: ID) -> String {
    String(decoding: bytes(id), as: UTF8.self)
  }

  private func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
    var hash = basis
    for byte in name { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    return hash
  }

  /// The slot that holds `name`, or the free one where it would go.
  private func slot(of name: UnsafeRawBufferPointer, _ hash: UInt32) -> Int {
    var slot = Int(hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if hashes[index] == hash && isEqual(index, name) { break }
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private func isEqual(_ index: Int, _ name: UnsafeRawBufferPointer) -> Bool {
    let start = index == 0 ? 0 : ends[index - 1]
    guard ends[index] - start == name.count else { return false }
    return bytes[start..<ends[index]].elementsEqual(name)
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 4)
    for (index, hash) in hashes.enumerated() {
      var slot = Int(hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index) + 1
    }
  }
}
