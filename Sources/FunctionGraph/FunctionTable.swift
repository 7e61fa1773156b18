/// A traced function: the symbol as the trace has it, and the module it belongs to.
///
/// The symbol keeps its compiler suffix (`vfio_lock_acct.part.0`); where the trace had no symbol it is the address in
/// hexadecimal (`0xffffffff81234567`). The module is empty for the kernel's own text.
public struct FunctionName: Hashable, Sendable {
  public var symbol: String
  public var module: String

  public init(symbol: String, module: String = "") {
    self.symbol = symbol
    self.module = module
  }
}

/// The number of a function in the trace's `FunctionTable`.
public struct FunctionID: Hashable, Sendable, Comparable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// No name is known: an exit in text whose entry is missing and which names nothing itself.
  public static let none = FunctionID(rawValue: 0)

  public static func < (a: FunctionID, b: FunctionID) -> Bool { a.rawValue < b.rawValue }
}

/// The functions of one trace, each stored once. One symbol in two modules is two functions.
public struct FunctionTable: Sendable {
  /// `symbol`, or `symbol` NUL `module`.
  private var keys = StringTable()
  private var scratch: [UInt8] = []

  public init() {}

  /// How many functions there are; IDs are 0 ..< count, and 0 is `FunctionID.none`.
  public var count: Int { keys.count }

  /// The function's number; it is added if it is new. NUL bytes cannot be part of a name and are dropped by readers.
  public mutating func intern(
    symbol: UnsafeRawBufferPointer,
    module: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) -> FunctionID {
    if module.isEmpty { return FunctionID(rawValue: keys.intern(symbol).rawValue) }
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: symbol)
    scratch.append(0)
    scratch.append(contentsOf: module)
    let id = scratch.withUnsafeBytes { keys.intern($0) }
    return FunctionID(rawValue: id.rawValue)
  }

  /// The function's number; nil where it was not added.
  package mutating func find(symbol: UnsafeRawBufferPointer, module: UnsafeRawBufferPointer) -> FunctionID? {
    if module.isEmpty { return keys.find(symbol).map { FunctionID(rawValue: $0.rawValue) } }
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: symbol)
    scratch.append(0)
    scratch.append(contentsOf: module)
    return scratch.withUnsafeBytes { keys.find($0) }.map { FunctionID(rawValue: $0.rawValue) }
  }

  public mutating func intern(_ name: FunctionName) -> FunctionID {
    var symbol = name.symbol
    var module = name.module
    return symbol.withUTF8 { symbol in
      module.withUTF8 { module in
        intern(symbol: UnsafeRawBufferPointer(symbol), module: UnsafeRawBufferPointer(module))
      }
    }
  }

  public subscript(id: FunctionID) -> FunctionName {
    let bytes = keys.bytes(StringTable.ID(rawValue: id.rawValue))
    guard let split = bytes.firstIndex(of: 0) else {
      return FunctionName(symbol: String(decoding: bytes, as: UTF8.self))
    }
    return FunctionName(
      symbol: String(decoding: bytes[..<split], as: UTF8.self),
      module: String(decoding: bytes[(split + 1)...], as: UTF8.self))
  }
}
