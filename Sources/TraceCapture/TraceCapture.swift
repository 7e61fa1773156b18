internal import Glibc

/// A live capture of the function graph tracer.
///
/// It leaves nothing behind: what it changes in tracefs is put back by `finish`, when the value goes out of scope, after an
/// error and after a signal; and where its process is killed, by the next capture (`Journal`). Between `start` and
/// `finish` signals that would end the process are caught.
///
/// The capture has an instance of its own where the kernel runs the tracer in one, else the top buffer. Not thread-safe,
/// and one at a time in a process. Everything is called on one thread, whose own calls are kept out of the trace.
public final class TraceCapture {
  private let tree: any TracingTree
  private let journalFolder: String
  private let kallsyms: String
  private var session: CaptureSession?
  private var signals: SignalPipe?

  /// What captures that were killed had left behind and this one has put back; paths of tracefs.
  public let recovered: [String]

  /// Finds tracefs and cleans up after captures that were killed.
  ///
  /// - Parameters:
  ///   - tracefs: where it is mounted; nil finds it.
  ///   - kallsyms: where the kernel lists its symbols.
  public convenience init(tracefs: String? = nil, kallsyms: String = "/proc/kallsyms") throws(CaptureError) {
    try self.init(KernelTree(tracefs), journals: try Journal.folder(), kallsyms: kallsyms)
  }

  init(_ tree: any TracingTree, journals: String, kallsyms: String) throws(CaptureError) {
    self.tree = tree
    journalFolder = journals
    self.kallsyms = kallsyms
    let swept = Journal.sweep(journals, tree)
    guard swept.failures.isEmpty else { throw .notRestored(swept.failures) }
    recovered = swept.undone
  }

  deinit {
    _ = try? finish()
  }

  /// The root of the tracefs that is used.
  public var tracefs: String { tree.root }

  /// What can be traced.
  ///
  /// - Throws: `CaptureError.noTracer` where the kernel has no function_graph, so that nobody looks for functions first.
  public func traceableFunctions() throws(CaptureError) -> TraceableFunctions {
    try demandTracer()
    do throws(TracingFileError) {
      return TraceableFunctions(list: try tree.read("available_filter_functions"))
    } catch {
      throw .file(error)
    }
  }

  /// The clocks that traces can have.
  public func clocks() throws(CaptureError) -> [String] {
    do throws(TracingFileError) {
      return try tree.words("trace_clock").map { $0.hasPrefix("[") ? String($0.dropFirst().dropLast()) : $0 }
    } catch {
      throw .file(error)
    }
  }

  private func demandTracer() throws(CaptureError) {
    let available: [String]
    do throws(TracingFileError) { available = try tree.words("available_tracers") } catch {
      throw .file(error)
    }
    guard available.contains("function_graph") else { throw .noTracer(available: available) }
  }

  /// Sets the tracer up, not yet recording. Nothing of it is left where that fails.
  ///
  /// - Throws: `CaptureError`; `.interrupted` where a signal came meanwhile.
  public func start(_ request: CaptureRequest) throws(CaptureError) {
    try finish()
    try demandTracer()
    if let clock = request.clock {
      let available = try clocks()
      guard available.contains(clock) else { throw .noClock(clock, available: available) }
    }
    let signals = try SignalPipe()
    self.signals = signals
    do throws(CaptureError) {
      session = try CaptureSession(tree, journalFolder, request, signals)
    } catch {
      self.signals = nil
      throw error
    }
  }

  /// Records while `command` runs; without one until a signal comes or the request's duration is over.
  ///
  /// May be called again and again after one `start`, without which it must not be: each recording is a trace of its own.
  ///
  /// - Parameters:
  ///   - command: its arguments, the program first.
  ///   - version: of the program that writes the trace, and what else it says of itself there.
  public func record(_ command: [String]?, version: String) throws(CaptureError) -> CapturedTrace {
    guard let session else { preconditionFailure("record needs start") }
    return try session.record(command, kallsyms: kallsyms, version: version)
  }

  /// The instance in use; empty for the top buffer, nil before `start`.
  public var instance: String? { session?.instance }

  /// A signal that asked this process to end while no recording could take notice of it: before `record` is called again,
  /// and after `finish`, it says that no more is wanted.
  public var interruption: Int32? {
    if let signals { note(signals.take()) }
    return lateSignal
  }

  private var lateSignal: Int32?

  private func note(_ caught: [CaughtSignal]) {
    lateSignal = lateSignal ?? caught.first { $0.number != SIGCHLD }?.number
  }

  /// Puts everything back and hands signals on to their usual actions again.
  ///
  /// - Throws: `CaptureError.notRestored`.
  public func finish() throws(CaptureError) {
    guard let session else {
      signals = nil
      return
    }
    self.session = nil
    let failures = session.undo()
    if let signals { note(signals.take()) }
    signals = nil
    guard failures.isEmpty else { throw .notRestored(failures) }
  }
}
