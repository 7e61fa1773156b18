internal import FunctionGraph

/// The open calls of one task.
final class PairedTask {
  let frames = GrowingTable<CallPairing.Frame>(capacity: 32)
  /// Frames up to this number (`Frame.none` not counted) had events lost inside.
  var lostBelow = 0
  /// The CPU that had it last, by its number among those of the buffer.
  var lane: Int
  /// How many losses that one had had when the task was last seen, and when that was.
  var lastLoss = 0
  var seen: UInt64 = 0

  init(on lane: Int) {
    self.lane = lane
    frames.append(.none)
  }
}

/// The tasks of one CPU, or of several CPUs that are read in step, between which they may move.
final class PairedTasks {
  private var tasks: [UInt64: PairedTask] = [:]
  private var nextSweep = CallBuilder.idleStacksLimit
  /// By CPU.
  private var losses: [Int: LaneLosses] = [:]

  /// - Parameter lane: the CPU whose record names it.
  func task(_ pid: Int32, on lane: Int) -> PairedTask {
    // Task 0 is another one on every CPU.
    let key = pid > 0 ? UInt64(pid) : 1 << 32 | UInt64(lane)
    if let known = tasks[key] { return known }
    if tasks.count >= nextSweep {
      tasks = tasks.filter { $0.value.frames.count > 1 }
      nextSweep = max(CallBuilder.idleStacksLimit, 2 * tasks.count)
    }
    let task = PairedTask(on: lane)
    tasks[key] = task
    return task
  }

  func noteLoss(on lane: Int, at time: UInt64) { losses[lane, default: LaneLosses()].append(time) }

  /// `lane` has a task now that another one had last.
  ///
  /// - Returns: false where the other one has been read further than that: it ran on both at once.
  func move(_ task: PairedTask, to lane: Int, at time: UInt64) -> Bool {
    // Of equal times the lower CPU's come first.
    let isBehind = task.seen < time || task.seen == time && task.lane < lane
    let here = losses[lane] ?? LaneLosses()
    let isLost = LaneLosses.concern(
      from: (losses[task.lane] ?? LaneLosses(), task.lane), known: task.lastLoss, seen: task.seen,
      to: (here, lane), before: here.count, time: time)
    if isLost { task.lostBelow = task.frames.count - 1 }
    task.lane = lane
    return isBehind
  }

  /// At the data's end: those that `lane` had last, by process ID.
  func take(from lane: Int) -> [(pid: Int32, task: PairedTask)] {
    let taken = tasks.filter { $0.value.lane == lane }
    for key in taken.keys { tasks[key] = nil }
    return taken.map { ($0.key < 1 << 32 ? Int32($0.key) : 0, $0.value) }.sorted { $0.pid < $1.pid }
  }
}
