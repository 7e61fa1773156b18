/// A source of events: text or binary, pulled batch by batch so that a trace of any size takes the same memory.
///
/// Events come in the order in which the source has them: a text's lines; a trace.dat's buffers one after another, each
/// with its CPUs merged by time.
public protocol EventReader: ~Copyable {
  /// Replaces `batch` with the next events, some thousands at most.
  ///
  /// - Returns: false at the end, with an empty batch. A true with an empty batch may happen (a stretch of lines that
  ///   are no events).
  /// - Throws: `TraceError` where nothing of the rest can be read. What is merely damaged becomes a diagnostic.
  mutating func next(_ batch: inout [Event]) throws(TraceError) -> Bool

  /// The functions that events name.
  var functions: FunctionTable { get }
  /// The names of tasks.
  var comms: StringTable { get }
  /// What is known by now; complete at the end.
  var description: TraceDescription { get }
  var diagnostics: Diagnostics { get }
  /// Bytes of the input that have been consumed, for progress.
  var bytesRead: UInt64 { get }
}
