import Inputs
import TraceText

/// Text of any kind: read whole, and in small pieces with the same result.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  var whole = textReader(bytes)
  guard let events = try? drain(&whole) else { return 0 }
  var pieces = textReader(bytes, blockSize: 1 + size % 61)
  let again = try? drain(&pieces)
  precondition(again?.count == events.count, "the size of blocks matters")
  precondition(whole.diagnostics.kept == pieces.diagnostics.kept, "diagnostics depend on the size of blocks")
  _ = bytes.withUnsafeBytes { TextReader.looksLikeTrace($0) }
  return 0
}
