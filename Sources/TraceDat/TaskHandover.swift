/// Tasks that move between CPUs, each of which is summed up by a tally of its own: where a task goes on, its open calls go too.
///
/// The CPUs are read in the order of time, but each as far ahead as one task's turn lasts. Whoever comes upon another task has
/// its turn when all others have come as far, so that what happened before is known. A turn amid which its task ran elsewhere,
/// which no record of its own CPU tells, is noticed when the task is claimed: it has been followed too far then.
final class TaskHandover {
  private var lanes: [StackTally] = []
  /// By process ID.
  private var owners: [UInt64: Int] = [:]
  /// By the numbers of both lanes.
  private var translations: [Int: PathTranslation] = [:]
  /// A task has been followed too far: the CPUs have to be read in the order of time, record by record.
  private(set) var isBroken = false

  /// - Parameter lanes: by CPU.
  func begin(_ lanes: [StackTally]) { self.lanes = lanes }

  /// Lets go of the lanes, which hold this too.
  func end() {
    lanes = []
    translations = [:]
  }

  /// Called when a lane comes upon a task that it did not have just before.
  ///
  /// - Parameters:
  ///   - pid: above 0: each CPU has a task 0 of its own.
  ///   - time: of the record.
  /// - Returns: the task, where another lane had it and calls of it are open.
  func claim(_ pid: UInt64, _ lane: Int, at time: UInt64) -> StackTally.Task? {
    guard let owner = owners.updateValue(lane, forKey: pid), owner != lane else { return nil }
    let source = lanes[owner]
    let (released, seen) = source.release(pid)
    // Of equal times the lower CPU's come first.
    if seen > time || seen == time && owner > lane { isBroken = true }
    guard let released, released.frames.count > 1 else { return nil }
    let task = StackTally.Task()
    let translation =
      translations[owner * lanes.count + lane] ?? PathTranslation(from: source, to: lanes[lane])
    translations[owner * lanes.count + lane] = translation
    translation.copy(released, to: task)
    let isLost = LaneLosses.concern(
      from: (source.lossTimes, owner), known: released.lastLoss, seen: seen,
      to: (lanes[lane].lossTimes, lane),
      time: time)
    task.lostBelow = isLost ? task.frames.count - 1 : released.lostBelow
    task.lastLoss = lanes[lane].losses
    return task
  }
}
