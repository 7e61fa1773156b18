import Inputs
@_spi(Testing) import TraceText

/// Text of any kind: read whole, in small pieces, and without the lane for strictly laid out lines, with the same result.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  var whole = textReader(bytes)
  guard let events = try? drain(&whole) else { return 0 }
  var pieces = textReader(bytes, blockSize: 1 + size % 61)
  let again = try? drain(&pieces)
  precondition(again?.count == events.count, "the size of blocks matters")
  precondition(whole.diagnostics.kept == pieces.diagnostics.kept, "diagnostics depend on the size of blocks")
  var general = textReader(bytes)
  general.readAllTheGeneralWay()
  guard let plain = try? drain(&general) else { preconditionFailure("the general way cannot read it") }
  precondition(plain.count == events.count, "the strict lane gives other events")
  for (a, b) in zip(plain, events) {
    precondition(a.kind == b.kind && a.depth == b.depth && a.cpu == b.cpu && a.pid == b.pid)
    precondition(a.timestamp == b.timestamp && a.duration == b.duration && a.resolution == b.resolution)
    precondition(general.functions[a.function] == whole.functions[b.function])
    precondition(general.comms[a.comm] == whole.comms[b.comm])
  }
  precondition(whole.diagnostics.kept == general.diagnostics.kept, "the strict lane gives other diagnostics")
  _ = bytes.withUnsafeBytes { TextReader.looksLikeTrace($0) }
  return 0
}
