internal import Glibc

/// One recording: a trace.dat in a file without a name, which is gone with this value.
public final class CapturedTrace {
  /// How the recording ended.
  public enum End: Sendable, Hashable {
    case command(CommandEnd)
    /// The time asked for was over; of the command, if there was one, it is known that it was ended.
    case duration
    /// This signal, where there was no command to hand it on to.
    case signal(Int32)
  }

  private let file: ScratchFile
  public let end: End
  /// The signal that asked this process to end while it recorded.
  public let interruption: Int32?
  /// Bytes of ring-buffer pages.
  public let pageBytes: UInt64
  public var size: UInt64 { file.size }

  init(_ file: ScratchFile, end: End, interruption: Int32?, pageBytes: UInt64) {
    self.file = file
    self.end = end
    self.interruption = interruption
    self.pageBytes = pageBytes
  }

  /// A path under which this process can open the file.
  public var path: String { "/proc/self/fd/\(file.descriptor)" }

  /// Hands the file out from its beginning, in blocks.
  ///
  /// - Throws: `CaptureError.temporaryFile`, and what `body` throws.
  public func read(_ body: ([UInt8]) throws -> Void) throws {
    var offset: UInt64 = 0
    var block = [UInt8](repeating: 0, count: 1 << 18)
    while offset < file.size {
      let count = pread(file.descriptor, &block, block.count, off_t(offset))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw CaptureError.temporaryFile(count < 0 ? errno : EIO) }
      try body(count == block.count ? block : Array(block[..<count]))
      offset += UInt64(count)
    }
  }
}
