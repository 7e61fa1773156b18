import Foundation
import FunctionGraph
import Testing

@testable import TraceInput

/// A file that is open, opened once more.
@Suite struct ReopenedFileTests {
  /// Also where its name is gone or another file's, as that of a copied pipe is.
  @Test func isTheSameFile() throws {
    var path = Array("/tmp/pinstat-reopened-XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    try #require(descriptor >= 0)
    let name = path.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    defer {
      close(descriptor)
      unlink(name)
    }
    try #require(write(descriptor, "0123456789", 10) == 10)
    unlink(name)
    try "another".write(toFile: name, atomically: false, encoding: .utf8)
    let file = try #require(ReopenedFile(descriptor))
    var bytes = [UInt8](repeating: 0, count: 8)
    let count = try bytes.withUnsafeMutableBytes { try file.read(at: 4, into: $0) }
    #expect(String(decoding: bytes[..<count], as: UTF8.self) == "456789")
    #expect(lseek(descriptor, 0, SEEK_CUR) == 10, "its position stays")
  }

  @Test func isNoneOfNothing() {
    #expect(ReopenedFile(-1) == nil)
  }
}
