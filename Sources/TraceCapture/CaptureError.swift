/// A file of tracefs that the kernel did not let pinstat read or change.
public struct TracingFileError: Error, Sendable, Hashable {
  /// In full.
  public var path: String
  /// errno.
  public var code: Int32
  /// What was written, where something was.
  public var value: String?

  init(_ path: String, _ code: Int32, value: String? = nil) {
    self.path = path
    self.code = code
    self.value = value
  }
}

/// Why there is no capture.
public enum CaptureError: Error, Sendable, Hashable {
  /// No tracefs at this place; nil where none is mounted anywhere.
  case noTraceFS(String?)
  /// function_graph is not among the kernel's tracers.
  case noTracer(available: [String])
  /// Another has its tracer in the buffer that a capture needs.
  case tracerInUse(tracer: String)
  /// Another has events enabled there.
  case eventsInUse(count: Int)
  /// The kernel has no such clock.
  case noClock(String, available: [String])
  /// The kernel's answer differs from what was set: something else changes the tracer at the same time.
  case notTaken(path: String, wanted: String, found: String)
  /// The kernel refused a file.
  case file(TracingFileError)
  /// A temporary file could not be written.
  case temporaryFile(Int32)
  /// The command could not be executed (errno).
  case command(String, Int32)
  /// A signal came while no command ran that it could be handed on to.
  case interrupted(Int32)
  /// What was changed could not all be put back; the message names what.
  case notRestored([TracingFileError])
}
