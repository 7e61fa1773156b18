internal import FunctionGraph
internal import Glibc

/// A copy on disk of what comes through a pipe and has to be read out of order; gone with the process, however it ends.
struct SpoolFile: ~Copyable, Sendable {
  let descriptor: Int32
  private(set) var size: UInt64 = 0

  /// Makes a file, which loses its name at once, in `TMPDIR`, else /var/tmp (on disk, where /tmp may be memory), else /tmp.
  init() throws(TraceError) {
    var folders: [String] = []
    if let value = getenv("TMPDIR") { folders.append(String(cString: value)) }
    folders += ["/var/tmp", "/tmp"]
    var code: Int32 = ENOENT
    for folder in folders {
      var template = Array((folder + "/pinstat-XXXXXX").utf8CString)
      let descriptor = mkstemp(&template)
      if descriptor >= 0 {
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = descriptor
        return
      }
      code = errno
    }
    throw TraceError(
      .io(code),
      "a trace.dat from a pipe needs a temporary file, and none can be made (set TMPDIR): \(reason(code))")
  }

  deinit {
    close(descriptor)
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
    var done = 0
    while done < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        throw TraceError(
          .io(code),
          "the temporary copy of a trace.dat from a pipe cannot be written (set TMPDIR): \(reason(code))")
      }
      done += count
      size += UInt64(count)
    }
  }
}
