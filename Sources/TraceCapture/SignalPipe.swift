internal import CLauncher
internal import Glibc

/// A signal that has come.
struct CaughtSignal {
  var number: Int32
  /// Sent to this process alone by another (kill(2)); a terminal sends its signals to the command as well.
  var wasSent: Bool
}

/// Turns signals into bytes of a pipe that poll(2) can wait on, so that none of them ends the process while tracefs is
/// changed. One at a time in a process.
final class SignalPipe {
  /// Those that end a process unless it says otherwise, and come from users, terminals and service managers.
  static let ending: [Int32] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  /// For the handler, which may not reach anything else.
  nonisolated(unsafe) private static var writeEnd: Int32 = -1

  let readEnd: Int32
  private let writeEnd: Int32
  private var before: [(number: Int32, action: sigaction)] = []
  /// What the launched process has to set back to its default.
  private(set) var handled: [Int32] = []

  init() throws(CaptureError) {
    var ends: [Int32] = [-1, -1]
    guard launcher_pipe(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { throw .temporaryFile(errno) }
    readEnd = ends[0]
    writeEnd = ends[1]
    Self.writeEnd = writeEnd
    for number in Self.ending + [SIGCHLD] {
      var old = sigaction()
      sigaction(number, nil, &old)
      // nohup and shells that put a job into the background ignore some on purpose; the command shall, too.
      let isIgnored =
        unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
      if isIgnored, number != SIGCHLD { continue }
      var new = sigaction()
      new.__sigaction_handler.sa_sigaction = { number, information, _ in
        let code = errno
        // SI_USER and SI_QUEUE: not from the kernel.
        let wasSent = information.map { $0.pointee.si_code <= 0 } ?? false
        var byte = UInt8(truncatingIfNeeded: number & 0x7f) | (wasSent ? 0x80 : 0)
        _ = write(SignalPipe.writeEnd, &byte, 1)
        errno = code
      }
      new.sa_flags = SA_SIGINFO | SA_RESTART
      sigaction(number, &new, nil)
      before.append((number, old))
      handled.append(number)
    }
    // A reader of standard error that has gone must not end the process here.
    var old = sigaction()
    sigaction(SIGPIPE, nil, &old)
    var ignoring = sigaction()
    ignoring.__sigaction_handler.sa_handler = SIG_IGN
    sigaction(SIGPIPE, &ignoring, nil)
    before.append((SIGPIPE, old))
    if unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self)
    {
      handled.append(SIGPIPE)
    }
  }

  deinit {
    for (number, var action) in before { sigaction(number, &action, nil) }
    Self.writeEnd = -1
    close(readEnd)
    close(writeEnd)
  }

  /// The signals that have come since, SIGCHLD included.
  func take() -> [CaughtSignal] {
    var bytes = [UInt8](repeating: 0, count: 64)
    var signals: [CaughtSignal] = []
    while true {
      let count = read(readEnd, &bytes, bytes.count)
      guard count > 0 else { return signals }
      for byte in bytes[..<count] {
        signals.append(CaughtSignal(number: Int32(byte & 0x7f), wasSent: byte & 0x80 != 0))
      }
    }
  }
}
