internal import FunctionGraph
internal import Glibc

/// A regular file that is open already, opened once more: with a position and counts of users of its own.
final class ReopenedFile: Sendable {
  private let descriptor: Int32

  /// nil where the system does not do it: without /proc, or where the file may not be opened any more.
  init?(_ descriptor: Int32) {
    self.descriptor = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)
    if self.descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
    try readDescriptor(descriptor, at: offset, buffer)
  }
}
