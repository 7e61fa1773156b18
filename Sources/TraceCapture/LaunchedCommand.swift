internal import CLauncher
internal import Glibc

/// How a command ended.
public enum CommandEnd: Sendable, Hashable {
  case exited(Int32)
  /// By this signal.
  case signalled(Int32)

  /// As shells tell it.
  public var code: Int32 {
    switch self {
    case .exited(let code): code
    case .signalled(let number): 128 + number
    }
  }
}

/// A process that waits to become a command. It has this process's standard input, output, error, terminal and group.
final class LaunchedCommand {
  let process: Int32
  private let name: String
  private var go: Int32
  private var failure: Int32
  private(set) var end: CommandEnd?

  init(_ arguments: [String], handled: [Int32]) throws(CaptureError) {
    name = arguments.first ?? ""
    var goEnds: [Int32] = [-1, -1]
    var failureEnds: [Int32] = [-1, -1]
    guard launcher_pipe(&goEnds, O_CLOEXEC) == 0 else { throw .temporaryFile(errno) }
    guard launcher_pipe(&failureEnds, O_CLOEXEC) == 0 else {
      let code = errno
      close(goEnds[0])
      close(goEnds[1])
      throw .temporaryFile(code)
    }
    var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    vector.append(nil)
    process = launcher_fork(vector, goEnds[0], failureEnds[1], handled, Int32(handled.count))
    let code = errno
    for argument in vector { free(argument) }
    close(goEnds[0])
    close(failureEnds[1])
    go = goEnds[1]
    failure = failureEnds[0]
    guard process > 0 else { throw .command(name, code) }
  }

  deinit {
    // Without a byte it ends by itself.
    closeGo()
    if failure >= 0 { close(failure) }
    if end == nil {
      kill(process, SIGKILL)
      _ = poll(waiting: true)
    }
  }

  private func closeGo() {
    if go >= 0 { close(go) }
    go = -1
  }

  /// Lets it become the command.
  func release() throws(CaptureError) {
    var byte: UInt8 = 1
    // It may have been killed meanwhile, which the wait will tell.
    while write(go, &byte, 1) < 0, errno == EINTR {}
    closeGo()
    var code: Int32 = 0
    var count: Int
    repeat {
      count = read(failure, &code, MemoryLayout<Int32>.size)
    } while count < 0 && errno == EINTR
    close(failure)
    failure = -1
    if count == MemoryLayout<Int32>.size {
      _ = poll(waiting: true)
      throw .command(name, code)
    }
  }

  /// Whether it has ended.
  func poll(waiting: Bool = false) -> Bool {
    guard end == nil else { return true }
    var status: Int32 = 0
    var result: Int32
    repeat {
      result = waitpid(process, &status, waiting ? 0 : WNOHANG)
    } while result < 0 && errno == EINTR
    if result == 0 { return false }
    if result < 0 {
      // Somebody else has reaped it: nothing is known of its end, which is no success.
      end = .exited(125)
      return true
    }
    let signal = status & 0x7f
    end = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    return true
  }

  func send(_ signal: Int32) {
    if end == nil { kill(process, signal) }
  }
}
