import Foundation
import FunctionGraph
import TraceDat

/// The folder of the fixtures, found from this file.
let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("Fixtures/traces")

/// What a reader made of one input.
struct Reading {
  var events: [Event] = []
  var functions = FunctionTable()
  var comms = StringTable()
  var description = TraceDescription(format: .unknownText)
  var diagnostics = Diagnostics()

  func symbol(_ event: Event) -> String { functions[event.function].symbol }
  func comm(_ event: Event) -> String { comms[event.comm] }

  /// Reads an input that is in memory; of some functions alone where they are named.
  init(_ bytes: [UInt8], of functions: Set<String>? = nil) throws(TraceError) {
    try self.init(size: UInt64(bytes.count), of: functions) { (offset, target) throws(TraceError) -> Int in
      guard offset < UInt64(bytes.count) else { return 0 }
      let count = min(target.count, bytes.count - Int(offset))
      bytes.withUnsafeBytes { source in
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[Int(offset)..<Int(offset) + count]))
      }
      return count
    }
  }

  /// Reads a file with pread(2).
  init(path: String) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw TraceError(.io(errno), path) }
    defer { close(descriptor) }
    let size = UInt64(lseek(descriptor, 0, SEEK_END))
    try self.init(size: size) { (offset, target) throws(TraceError) -> Int in
      let count = pread(descriptor, target.baseAddress, target.count, off_t(offset))
      guard count >= 0 else { throw TraceError(.io(errno), path) }
      return count
    }
  }

  private init(
    size: UInt64, of functions: Set<String>? = nil,
    readAt: @escaping @Sendable (UInt64, UnsafeMutableRawBufferPointer) throws(TraceError) -> Int
  ) throws(TraceError) {
    var reader = try DatReader(size: size, readAt: readAt)
    if let functions { try reader.selectFunctions { functions.contains($0) } }
    var batch: [Event] = []
    while try reader.next(&batch) { events += batch }
    self.functions = reader.functions
    comms = reader.comms
    description = reader.description
    diagnostics = reader.diagnostics
  }
}
