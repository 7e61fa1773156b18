/// An entered function that has not been left yet.
struct Frame {
  var function: FunctionID
  var depth: Int32
  var cpu: Int32
  var timestamp: Timestamp
  /// Sum of the direct callees' durations, nanoseconds.
  var calleeTime: Int64 = 0
  /// A direct callee's duration is not known, so self time is not either.
  var calleeTimeIsPartial = false
  /// The part of `calleeTime` that may turn out to lie inside a callee whose entry is missing: see `addToCaller`.
  var skippedTime: Int64 = 0
  var path: CallPaths.ID
  var away: TimeAway.Mark
  /// Order of entry in the trace.
  var sequence: UInt64
}

/// The open calls of one task, outermost first.
struct CallStack {
  var frames: [Frame] = []
  /// Frames below this index had events lost inside.
  var lostBelow = 0
  /// Where and when (in events of the trace) the task was last seen.
  var lastCPU: Int32 = -1
  var lastSequence: UInt64 = 0
  var pid: Int32 = -1
  var comm: StringTable.ID = .none
  var buffer: UInt16 = 0
  var column: UInt8 = 0
  /// nil until the trace tells anything of it.
  var away: TimeAway?
}

/// Whose calls belong on one stack.
///
/// A task where the source names it, since a task may enter on one CPU and leave on another; else the CPU. Task 0 is the
/// idle task, one a CPU under one number.
struct StackKey: Equatable {
  private enum Owner: UInt64 {
    case task, idleTask, cpu
  }

  /// From the low bits: the task's or the CPU's number, the buffer, the column, which of the two it is.
  let packed: UInt64

  init(pid: Int32, cpu: Int32, buffer: UInt16, column: UInt8) {
    let owner: Owner
    let number: Int32
    if pid > 0 {
      (owner, number) = (.task, pid)
    } else if pid == 0 {
      (owner, number) = (.idleTask, cpu)
    } else {
      (owner, number) = (.cpu, cpu)
    }
    packed =
      UInt64(UInt32(bitPattern: number)) | UInt64(buffer) << 32 | UInt64(column) << 48 | owner.rawValue << 56
  }

  /// It is a CPU's: the task is not known.
  var isOfCPU: Bool { packed >> 56 == Owner.cpu.rawValue }
  var buffer: UInt16 { UInt16(truncatingIfNeeded: packed >> 32) }
  var column: UInt8 { UInt8(truncatingIfNeeded: packed >> 48) }
}
