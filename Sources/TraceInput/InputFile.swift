public import FunctionGraph
internal import Glibc

/// An open input: a file, a pipe or standard input, closed when it goes out of scope.
///
/// Files are read with `read` and `pread`, never through a map: a mapped file that shrinks is a SIGBUS.
public struct InputFile: ~Copyable, Sendable {
  let descriptor: Int32
  private let owns: Bool
  /// Bytes, where the input is a regular file; it may change while it is read.
  public let size: UInt64?

  /// Opens `path`; `-` is standard input.
  ///
  /// - Throws: `TraceError` with the system's reason: no such file, no permission, a directory.
  public init(path: String) throws(TraceError) {
    let opened = try Self.open(path)
    descriptor = opened.descriptor
    owns = path != "-"
    size = opened.size
  }

  private static func open(_ path: String) throws(TraceError) -> (descriptor: Int32, size: UInt64?) {
    let isStandardInput = path == "-"
    let descriptor =
      isStandardInput
      ? 0
      : try retrying("the file cannot be opened") {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT, let raw = rawArgument(path) {
          return Glibc.open(raw, O_RDONLY | O_CLOEXEC)
        }
        return descriptor
      }
    var status = stat()
    let failure: TraceError
    if fstat(descriptor, &status) != 0 {
      let code = errno
      failure = TraceError(.io(code), "the file cannot be read: \(reason(code))")
    } else if status.st_mode & S_IFMT == S_IFDIR {
      failure = TraceError(.io(EISDIR), "it is a directory, not a trace")
    } else {
      return (descriptor, status.st_mode & S_IFMT == S_IFREG ? UInt64(clamping: status.st_size) : nil)
    }
    if !isStandardInput { close(descriptor) }
    throw failure
  }

  deinit {
    if owns { close(descriptor) }
  }

  /// Reads up to `buffer.count` bytes from the current position; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
    try readDescriptor(descriptor, buffer)
  }
}

/// The bytes of the command line's argument that Swift shows as `path`, where they are no UTF-8: a file may have any name,
/// and a `String` of it has lost what it is called.
private func rawArgument(_ path: String) -> UnsafePointer<CChar>? {
  guard path.unicodeScalars.contains("\u{fffd}") else { return nil }
  for index in 1..<max(1, Int(CommandLine.argc)) {
    if let argument = CommandLine.unsafeArgv[index], String(cString: argument) == path {
      return UnsafePointer(argument)
    }
  }
  return nil
}

/// The system's word for an error number.
func reason(_ code: Int32) -> String {
  // Thread-safe since glibc 2.32 (strerror(3)).
  strerror(code).map { String(cString: $0) } ?? "error \(code)"
}

/// Calls `body` again while a signal interrupts it.
func retrying(_ what: String, _ body: () -> Int32) throws(TraceError) -> Int32 {
  while true {
    let result = body()
    if result >= 0 { return result }
    let code = errno
    if code != EINTR { throw TraceError(.io(code), "\(what): \(reason(code))") }
  }
}

func readDescriptor(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(TraceError) -> Int {
  guard let base = buffer.baseAddress, !buffer.isEmpty else { return 0 }
  while true {
    let count = Glibc.read(descriptor, base, buffer.count)
    if count >= 0 { return count }
    let code = errno
    if code != EINTR { throw TraceError(.io(code), "the file cannot be read: \(reason(code))") }
  }
}

func readDescriptor(_ descriptor: Int32, at offset: UInt64, _ buffer: UnsafeMutableRawBufferPointer)
  throws(TraceError) -> Int
{
  guard let base = buffer.baseAddress, !buffer.isEmpty, let position = off_t(exactly: offset) else {
    return 0
  }
  while true {
    let count = pread(descriptor, base, buffer.count, position)
    if count >= 0 { return count }
    let code = errno
    if code != EINTR {
      throw TraceError(.io(code), at: .byte(offset), "the file cannot be read: \(reason(code))")
    }
  }
}
