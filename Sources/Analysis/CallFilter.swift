internal import FunctionGraph
internal import Glibc

/// Which calls of the selected functions count.
public struct CallFilter: Hashable, Sendable {
  /// Inclusive ranges; empty keeps all.
  public var cpus: [ClosedRange<Int>] = []
  public var pids: [ClosedRange<Int>] = []
  /// Names or shell globs of tasks and of buffers; empty keeps all. The top buffer's name is empty.
  public var comms: [String] = []
  public var buffers: [String] = []
  /// Trace time of the entry, nanoseconds, inclusive.
  public var from: UInt64?
  public var to: UInt64?
  /// Leaves out the first calls of each function in each trace.
  public var skipFirst = 0

  public init() {}

  public var hasTimeRange: Bool { from != nil || to != nil }

  /// Nothing but `skipFirst` is asked for.
  var acceptsAll: Bool {
    cpus.isEmpty && pids.isEmpty && comms.isEmpty && buffers.isEmpty && !hasTimeRange
  }

  /// Whether a call passes, but for `skipFirst`. `comm` and `buffer` are the names that the call's numbers stand for.
  func accepts(_ call: Call, comm: @autoclosure () -> String, buffer: @autoclosure () -> String) -> Bool {
    if !cpus.isEmpty, !cpus.contains(where: { $0.contains(Int(call.cpu)) }) { return false }
    if !pids.isEmpty, !pids.contains(where: { $0.contains(Int(call.pid)) }) { return false }
    if hasTimeRange {
      guard call.timestamp.unit == .nanoseconds else { return false }
      if let from, call.timestamp.value < from { return false }
      if let to, call.timestamp.value > to { return false }
    }
    if !comms.isEmpty {
      let name = comm()
      if !comms.contains(where: { fnmatch($0, name, 0) == 0 }) { return false }
    }
    if !buffers.isEmpty {
      let name = buffer()
      if !buffers.contains(where: { fnmatch($0, name, 0) == 0 }) { return false }
    }
    return true
  }
}
