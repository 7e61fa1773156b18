internal import Glibc

/// A write that failed (errno).
struct WriteError: Error {
  var code: Int32
}

func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(WriteError) {
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
    if count < 0 {
      let code = errno
      if code == EINTR { continue }
      throw WriteError(code: code)
    }
    done += count
  }
}

func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) throws(WriteError) {
  // A closure would make the error an untyped one.
  var failure: WriteError?
  bytes.withUnsafeBytes { buffer in
    do throws(WriteError) { try writeAll(descriptor, buffer) } catch { failure = error }
  }
  if let failure { throw failure }
}

/// Everything from the current position to the end, of a file whose size may not be known (procfs).
func readAll(_ descriptor: Int32) throws(WriteError) -> [UInt8] {
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 1 << 18)
  while true {
    let count = read(descriptor, &block, block.count)
    if count < 0 {
      let code = errno
      if code == EINTR { continue }
      throw WriteError(code: code)
    }
    if count == 0 { return bytes }
    bytes += block[..<count]
  }
}

func readFile(_ path: String) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  return try? readAll(descriptor)
}

/// A file without a name, gone with the process however it ends.
final class ScratchFile {
  let descriptor: Int32
  private(set) var size: UInt64 = 0

  /// In `TMPDIR`, else /var/tmp (on disk, where /tmp may be memory), else /tmp.
  init() throws(CaptureError) {
    var folders: [String] = []
    if let value = getenv("TMPDIR"), value.pointee != 0 { folders.append(String(cString: value)) }
    folders += ["/var/tmp", "/tmp"]
    var code: Int32 = ENOENT
    for folder in folders {
      var template = Array((folder + "/pinstat-XXXXXX").utf8CString)
      let made = mkstemp(&template)
      if made >= 0 {
        unlink(template)
        _ = fcntl(made, F_SETFD, FD_CLOEXEC)
        descriptor = made
        return
      }
      code = errno
    }
    throw .temporaryFile(code)
  }

  deinit {
    close(descriptor)
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(CaptureError) {
    do throws(WriteError) { try writeAll(descriptor, bytes) } catch { throw .temporaryFile(error.code) }
    size += UInt64(bytes.count)
  }

  func append(_ bytes: [UInt8]) throws(CaptureError) {
    do throws(WriteError) { try writeAll(descriptor, bytes) } catch { throw .temporaryFile(error.code) }
    size += UInt64(bytes.count)
  }

  /// Appends a part of another file.
  func append(_ other: ScratchFile, at offset: UInt64, count: UInt64) throws(CaptureError) {
    var block = [UInt8](repeating: 0, count: Int(min(count, 1 << 18)))
    var done: UInt64 = 0
    while done < count {
      let wanted = Int(min(UInt64(block.count), count - done))
      let got = pread(other.descriptor, &block, wanted, off_t(offset + done))
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw .temporaryFile(got < 0 ? errno : EIO) }
      var failure: CaptureError?
      block.withUnsafeBytes { buffer in
        do throws(CaptureError) {
          try append(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      done += UInt64(got)
    }
  }
}
