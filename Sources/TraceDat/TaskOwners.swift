internal import FunctionGraph
internal import Synchronization

/// Which CPU each task runs on, of several CPUs that are read at the same time.
final class TaskOwners: Sendable {
  private let cpus = Guarded(IntegerMap())
  private let areShared = Atomic(false)

  /// A task was seen on two CPUs.
  var isAnyShared: Bool { areShared.load(ordering: .relaxed) }

  /// - Parameter pid: above 0: each CPU has a task 0 of its own.
  func claim(_ pid: UInt64, _ cpu: Int32) {
    let number = UInt32(bitPattern: cpu)
    let isShared = cpus.withLock { cpus -> Bool in
      if let owner = cpus[pid] { return owner != number }
      cpus.insert(pid, number)
      return false
    }
    if isShared { areShared.store(true, ordering: .relaxed) }
  }
}
