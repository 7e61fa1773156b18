internal import Glibc

/// A tracer that is set up: from the first change in tracefs to the last one undone.
final class CaptureSession {
  private let tree: any TracingTree
  private let request: CaptureRequest
  private let signals: SignalPipe
  private let ledger: Ledger
  /// The instance's name; empty for the top buffer.
  let instance: String
  private let prefix: String
  private var isUndone = false

  init(
    _ tree: any TracingTree, _ journals: String, _ request: CaptureRequest, _ signals: SignalPipe
  ) throws(CaptureError) {
    self.tree = tree
    self.request = request
    self.signals = signals
    ledger = Ledger(tree, try Journal(in: journals, root: tree.root))
    let setup = TracerSetup(tree, ledger, request) { () throws(CaptureError) in
      if let signal = signals.take().first(where: { $0.number != SIGCHLD }) {
        throw .interrupted(signal.number)
      }
    }
    do throws(CaptureError) {
      instance = try setup.perform()
    } catch {
      let failures = ledger.undo()
      // What stays changed is worse than what went wrong.
      throw failures.isEmpty ? error : .notRestored(failures)
    }
    prefix = instance.isEmpty ? "" : "instances/\(instance)/"
  }

  deinit {
    if !isUndone { _ = ledger.undo() }
  }

  /// To be called once.
  func undo() -> [TracingFileError] {
    isUndone = true
    return ledger.undo()
  }

  func record(_ command: [String]?, kallsyms: String, version: String) throws(CaptureError) -> CapturedTrace {
    try file { () throws(TracingFileError) in try tree.clear("\(prefix)trace") }
    let pages = try PageCollector(
      tree, prefix: prefix, pageSize: KernelMetadata.pageSize(tree, prefix: prefix))
    defer { pages.closeAll() }
    var launched: LaunchedCommand?
    if let command { launched = try LaunchedCommand(command, handled: signals.handled) }
    if let launched, request.scope != .system {
      try ledger.set(list: "\(prefix)set_ftrace_pid", to: ["\(launched.process)"])
    }
    try setRecording(true)
    let ended: (end: CapturedTrace.End, interruption: Int32?)
    do throws(CaptureError) {
      try launched?.release()
      ended = try wait(for: launched, pages)
    } catch {
      try setRecording(false)
      throw error
    }
    try setRecording(false)
    _ = try pages.collect(isLast: true)
    let metadata = try KernelMetadata(tree, prefix: prefix, kallsyms: kallsyms)
    let file = try DatWriter(metadata: metadata, version: version).write(pages)
    return CapturedTrace(
      file, end: ended.end, interruption: ended.interruption,
      pageBytes: pages.sizes.reduce(0) { $0 + $1.size })
  }

  private func setRecording(_ isOn: Bool) throws(CaptureError) {
    // The ledger knows already what to set it back to.
    try file { () throws(TracingFileError) in try tree.write("\(prefix)tracing_on", isOn ? "1" : "0") }
  }

  private func file(_ body: () throws(TracingFileError) -> Void) throws(CaptureError) {
    do { try body() } catch { throw .file(error) }
  }

  // MARK: Waiting

  /// After a signal or the end of its time a command has so many seconds to end by itself.
  private static let grace = 5.0

  /// Collects pages until the recording is over.
  private func wait(
    for command: LaunchedCommand?, _ pages: PageCollector
  ) throws(CaptureError) -> (end: CapturedTrace.End, interruption: Int32?) {
    let start = seconds()
    var interruption: Int32?
    var isTimeOver = false
    var killAt: Double?
    while true {
      for signal in signals.take() where signal.number != SIGCHLD {
        guard let command else { return (.signal(signal.number), signal.number) }
        // The second one, of whoever has lost patience.
        if interruption != nil, signal.wasSent { command.send(SIGKILL) }
        interruption = interruption ?? signal.number
        if signal.wasSent { command.send(signal.number) }
      }
      if let command, command.poll(), let end = command.end {
        return (isTimeOver ? .duration : .command(end), interruption)
      }
      let now = seconds()
      if let duration = request.duration, !isTimeOver, now - start >= duration {
        isTimeOver = true
        // What it does while it ends is not asked for.
        try setRecording(false)
        guard let command else { return (.duration, nil) }
        command.send(SIGTERM)
        killAt = now + Self.grace
      }
      if let time = killAt, now >= time {
        command?.send(SIGKILL)
        killAt = nil
      }
      var next = 0.1
      if let duration = request.duration, !isTimeOver { next = min(next, duration - (now - start)) }
      let milliseconds = Int32(max(1, (next * 1000).rounded(.up)))
      if pages.wait(signals.readEnd, milliseconds: milliseconds), try pages.collect() < 64 << 10 {
        // Old kernels wake at the first event: without a pause every page would hold but a few.
        var pause = pollfd(fd: signals.readEnd, events: Int16(POLLIN), revents: 0)
        poll(&pause, 1, 20)
      }
    }
  }

  private func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
