public import FunctionGraph
internal import TraceDat

/// An input of which the first bytes have been looked at: what it is does not depend on its name.
public struct SniffedInput: ~Copyable, Sendable {
  let file: SharedInput
  let prefix: [UInt8]
  /// Where it was opened ahead: the reader that has begun with it.
  let begun: BegunDat?

  /// Opens `path` (`-` is standard input) and reads its first bytes.
  public init(path: String) throws(TraceError) {
    try self.init(InputFile(path: path))
  }

  public init(_ file: consuming InputFile) throws(TraceError) {
    var prefix = [UInt8](repeating: 0, count: 4096)
    let shared = SharedInput(file)
    let count = try fill(&prefix, from: shared.file)
    prefix.removeLast(prefix.count - count)
    self.file = shared
    self.prefix = prefix
    begun = nil
  }

  init(_ begun: BegunDat) {
    file = begun.file
    prefix = begun.prefix
    self.begun = begun
  }

  /// Bytes, where the input is a regular file.
  public var size: UInt64? { file.file.size }

  public var isTraceDat: Bool { prefix.withUnsafeBytes { DatReader.isTraceDat($0) } }

  /// It starts as a JSON object does; no trace does.
  public var isJSON: Bool {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }
    let text = prefix.drop(while: isSpace)
    guard text.first == UInt8(ascii: "{") else { return false }
    let next = text.dropFirst().drop(while: isSpace).first
    return next == UInt8(ascii: "\"") || next == UInt8(ascii: "}")
  }

  /// The whole input, for formats that are not traces.
  ///
  /// - Throws: `TraceError` with `unsupported` where it is longer than `limit`.
  public consuming func contents(limit: Int) throws(TraceError) -> [UInt8] {
    var bytes = prefix
    var block = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = try fill(&block, from: file.file)
      if count == 0 { return bytes }
      bytes += block[..<count]
      if bytes.count > limit {
        throw TraceError(
          .unsupported, "it is longer than \(limit >> 20) MiB, the most that is read of a stored analysis")
      }
    }
  }
}

/// Keeps an input open for as long as a reader's closure needs it.
final class SharedInput: Sendable {
  let file: InputFile

  init(_ file: consuming InputFile) {
    self.file = file
  }
}

/// Fills `bytes` as far as the input goes; a pipe may give it in pieces.
func fill(_ bytes: inout [UInt8], from file: borrowing InputFile) throws(TraceError) -> Int {
  var count = 0
  while count < bytes.count {
    let total = bytes.count
    var failure: TraceError?
    let read = bytes.withUnsafeMutableBytes { buffer -> Int in
      do throws(TraceError) {
        return try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count..<total]))
      } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    if read == 0 { break }
    count += read
  }
  return count
}
