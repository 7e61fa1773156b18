import Inputs
import TraceDat

/// A trace.dat: twice, as the analysis reads it and as callees need it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  guard var all = try? datReader(bytes), let events = try? drain(&all) else { return 0 }
  // A record takes 8 bytes at least, and no byte of the file is read twice.
  precondition(events.count <= 4096 * (1 + size), "more events than the file can hold")
  guard var exits = try? datReader(bytes) else {
    preconditionFailure("the same bytes cannot be opened again")
  }
  exits.deliversEntries = false
  let fewer = (try? drain(&exits)) ?? []
  precondition(
    fewer.count { $0.kind == .exit } == events.count { $0.kind == .exit }, "exits depend on entries")
  return 0
}
