public import FunctionGraph

/// Calls out of a trace, batch by batch: a reader and the pairing behind it.
///
/// ```swift
/// var reader = try CallReader(path: "trace.dat")
/// var calls: [Call] = []
/// while try reader.next(&calls) {
///   for call in calls {
///     print(reader.functions[call.function].symbol, call.duration ?? -1, "ns")
///   }
/// }
/// ```
public struct CallReader: ~Copyable {
  private var events: TraceReader
  private var builder: CallBuilder
  private var batch: [Event] = []
  private var order = ReportOrder()
  private var ordered: [Event] = []
  private var isAtEnd = false

  /// - Parameter tracksPaths: fills `Call.path`.
  public init(_ input: consuming SniffedInput, tracksPaths: Bool = false) throws(TraceError) {
    let reader = try TraceReader(input)
    builder = CallBuilder(tracksPaths: tracksPaths, buffersFollowOneAnother: reader.isTraceDat)
    events = reader
  }

  /// Opens `path`; `-` is standard input.
  public init(path: String, tracksPaths: Bool = false) throws(TraceError) {
    try self.init(SniffedInput(path: path), tracksPaths: tracksPaths)
  }

  /// Replaces `calls` with the next calls that end, in the order of their ends; an unfinished call
  /// where it is noticed, after its callees.
  ///
  /// - Returns: false at the end.
  public mutating func next(_ calls: inout [Call]) throws(TraceError) -> Bool {
    calls.removeAll(keepingCapacity: true)
    if isAtEnd { return false }
    if try events.next(&batch) {
      if events.isTraceDat {
        builder.consume(batch, into: &calls)
      } else {
        ordered.removeAll(keepingCapacity: true)
        order.add(batch, into: &ordered)
        builder.consume(ordered, into: &calls)
      }
    } else {
      isAtEnd = true
      ordered.removeAll(keepingCapacity: true)
      order.drain(into: &ordered)
      builder.consume(ordered, into: &calls)
      builder.finish(into: &calls)
    }
    return true
  }

  public var functions: FunctionTable { events.functions }
  public var comms: StringTable { events.comms }
  public var description: TraceDescription { events.description }
  public var diagnostics: Diagnostics { events.diagnostics }
  public var bytesRead: UInt64 { events.bytesRead }
  public var size: UInt64? { events.size }
  public var paths: CallPaths { builder.paths }
  /// How often, and how many as far as is known, events were lost.
  public var losses: Int { builder.losses }
  public var lostEvents: UInt64 { builder.lostEvents }
  /// Headings of a text that holds both sides, so far.
  public var sections: (before: Int, after: Int) { builder.sections }
  public var isNested: Bool { builder.isNested }
  public var deepest: Int32 { builder.deepest }
}
