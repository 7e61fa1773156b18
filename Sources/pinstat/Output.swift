import Glibc
import Reports

/// What could not be written.
struct OutputError: Error {
  var path: String
  var code: Int32
}

/// Where a command writes: standard output, or a file that appears whole or not at all.
///
/// A file is written beside its place and renamed over it in `commit`; without a `commit` it is removed again, also when
/// a signal ends the process. What is no regular file (a device, a FIFO) is written to as it is.
final class Output {
  private let descriptor: Int32
  private let path: String
  private let target: String
  private var temporary: String?
  private var buffer: [UInt8] = []
  private static let blockSize = 1 << 18

  /// - Parameter path: nil for standard output.
  init(_ path: String?) throws(OutputError) {
    buffer.reserveCapacity(Self.blockSize + 4096)
    guard let path else {
      self.path = "standard output"
      target = ""
      descriptor = 1
      return
    }
    self.path = path
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT == S_IFDIR { throw OutputError(path: path, code: EISDIR) }
    if exists, status.st_mode & S_IFMT != S_IFREG {
      target = path
      descriptor = open(path, O_WRONLY | O_CLOEXEC)
      if descriptor < 0 { throw OutputError(path: path, code: errno) }
      return
    }
    // Through a symbolic link, so that the link stays one.
    target = exists ? Self.resolved(path) : path
    var template = Array((target + ".XXXXXX").utf8CString)
    descriptor = mkstemp(&template)
    if descriptor < 0 { throw OutputError(path: path, code: errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, exists ? status.st_mode & 0o7777 : 0o666 & ~mask)
    let name = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    temporary = name
    TemporaryFile.remember(name)
  }

  /// Standard error, for reports of a command that has standard output for itself.
  init(standardError: Void) {
    path = "standard error"
    target = ""
    descriptor = 2
  }

  deinit {
    if let temporary {
      unlink(temporary)
      TemporaryFile.forget()
    }
    if descriptor > 2 { close(descriptor) }
  }

  func write(_ text: String) throws(OutputError) {
    buffer += Array(text.utf8)
    if buffer.count >= Self.blockSize { try flush() }
  }

  func write(_ bytes: [UInt8]) throws(OutputError) {
    buffer += bytes
    if buffer.count >= Self.blockSize { try flush() }
  }

  /// Lets a producer append rows without a copy.
  func append(_ body: (inout [UInt8]) -> Void) throws(OutputError) {
    body(&buffer)
    if buffer.count >= Self.blockSize { try flush() }
  }

  func flush() throws(OutputError) {
    var done = 0
    while done < buffer.count {
      let start = done
      let count = buffer.withUnsafeBytes { bytes in
        Glibc.write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
      }
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        if code == EPIPE { Self.endByPipe() }
        throw OutputError(path: path, code: code)
      }
      done += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Writes what is left and puts the file in its place.
  func commit() throws(OutputError) {
    try flush()
    guard let temporary else { return }
    // A full disk may show only now (NFS, quotas).
    if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS { throw OutputError(path: path, code: errno) }
    if rename(temporary, target) != 0 { throw OutputError(path: path, code: errno) }
    self.temporary = nil
    TemporaryFile.forget()
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// A reader that has gone ends this program as it ends every other: quietly, by SIGPIPE, even where that was ignored.
  private static func endByPipe() -> Never {
    TemporaryFile.removeNow()
    signal(SIGPIPE, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGPIPE)
    sigprocmask(SIG_UNBLOCK, &set, nil)
    raise(SIGPIPE)
    _exit(128 + SIGPIPE)
  }
}

/// The name of the file being written, for a signal handler, which may not allocate.
private enum TemporaryFile {
  nonisolated(unsafe) private static var name: UnsafeMutablePointer<CChar>?

  static func remember(_ path: String) {
    name = strdup(path)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ] {
      var current = sigaction()
      sigaction(number, nil, &current)
      // nohup and CI runners ignore some on purpose.
      if unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
      {
        continue
      }
      signal(number) { number in
        TemporaryFile.removeNow()
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  static func forget() {
    let old = name
    name = nil
    free(old)
  }

  static func removeNow() {
    if let name { unlink(name) }
  }
}

/// The system's word for an error number.
func systemReason(_ code: Int32) -> String {
  strerror(code).map { String(cString: $0) } ?? "error \(code)"
}

/// Writes a line to standard error; a failure there has nobody to be told.
func say(_ text: String) {
  let line = "pinstat: " + printable(text) + "\n"
  _ =
    line.utf8.withContiguousStorageIfAvailable { Glibc.write(2, $0.baseAddress, $0.count) }
    ?? Array(line.utf8).withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
}

/// Without control characters, which a file's name or a trace may hold.
func printable(_ text: String) -> String {
  String(
    String.UnicodeScalarView(
      text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "\u{fffd}" : $0 }))
}

func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

/// How text goes to a terminal, or to whatever stands in its place.
func textStyle(color: When?, toFile: Bool, descriptor: Int32 = 1) -> TextStyle {
  let terminal = !toFile && isTerminal(descriptor)
  let isPlain = environment("NO_COLOR").map { !$0.isEmpty } ?? false
  let useColor: Bool
  switch color ?? .auto {
  case .always: useColor = true
  case .never: useColor = false
  case .auto: useColor = terminal && !isPlain && environment("TERM") != "dumb"
  }
  var width = 80
  var size = winsize()
  if terminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
    width = Int(size.ws_col)
  } else if let columns = environment("COLUMNS").flatMap(Int.init), columns > 0 {
    width = columns
  }
  let locale = environment("LC_ALL") ?? environment("LC_CTYPE") ?? environment("LANG") ?? ""
  // language_TERRITORY.CODESET@modifier
  let codeset = locale.uppercased().split(separator: ".").last?.split(separator: "@").first ?? ""
  let isUTF8 = codeset == "UTF-8" || codeset == "UTF8"
  return TextStyle(color: useColor, unicode: isUTF8, width: max(40, min(width, 200)))
}

func environment(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
