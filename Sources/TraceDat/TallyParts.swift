internal import FunctionGraph
internal import Synchronization

/// Bytes that one thread reads from the front, and of which others may take the back.
final class UnreadBytes: Sendable {
  private let range: Guarded<Range<UInt64>>
  private let pageSize: UInt64

  /// - Parameter range: begins where a page does.
  init(_ range: Range<UInt64>, pageSize: Int) {
    self.range = Guarded(range)
    self.pageSize = UInt64(max(1, pageSize))
  }

  var count: UInt64 { range.withLock { $0.upperBound - $0.lowerBound } }

  /// The first `most` bytes, fewer where there are not so many.
  func take(_ most: Int) -> Range<UInt64> {
    range.withLock { range in
      let end = range.lowerBound + min(UInt64(most), range.upperBound - range.lowerBound)
      defer { range = end..<range.upperBound }
      return range.lowerBound..<end
    }
  }

  /// The back half, in whole pages from the front on; nil where that is less than `least` bytes.
  func giveHalf(least: UInt64) -> Range<UInt64>? {
    range.withLock { range in
      let count = range.upperBound - range.lowerBound
      let front = (count / 2 + pageSize - 1) / pageSize * pageSize
      guard count >= 2 * least, front < count else { return nil }
      defer { range = range.lowerBound..<range.lowerBound + front }
      return range.lowerBound + front..<range.upperBound
    }
  }
}

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

/// The CPUs of a buffer, to be summed up by several threads: one CPU each as long as there are any; who finds none left takes
/// half of what another one has not read yet. So all of them end at about the same time, however much each CPU has and
/// however fast its processor is.
///
/// What comes out does not depend on where the data was divided: see `StackTally.join`.
final class TallyParts: Sendable {
  struct Limits {
    /// Less is not worth tables of its own.
    var least: UInt64 = 2 << 20
    /// Of every part, rounded to pages, where it is not to depend on who is done first.
    var size: UInt64?
  }

  /// Some of a CPU's data.
  final class Part: @unchecked Sendable {
    let cpu: CPUData
    /// nil of compressed data, which can be read from its beginning only.
    let unread: UnreadBytes?
    let tally: StackTally
    /// Of the sink.
    let number: Int
    // What follows is written by the thread that has the part, and read when all are done.
    var failure: TraceError?
    /// Of the last record.
    var lastTimestamp: UInt64 = 0

    init(_ cpu: CPUData, _ unread: UnreadBytes?, _ tally: StackTally, _ number: Int) {
      self.cpu = cpu
      self.unread = unread
      self.tally = tally
      self.number = number
    }
  }

  private struct State {
    /// By CPU, and in the order of its data.
    var parts: [Part] = []
    /// Those in front of it are in work or done.
    var next = 0
  }

  private let state: Guarded<State>
  private let least: UInt64
  private let pageSize: Int
  /// Each has tables, of some MiB.
  private let mostParts: Int
  /// How many threads can have something to do.
  let mostWorkers: Int

  /// - Parameters:
  ///   - jobs: how many threads there may be.
  ///   - makeTally: for the part of this number.
  init(
    _ cpus: [CPUData], isCompressed: Bool, pageSize: Int, jobs: Int, _ limits: Limits,
    makeTally: (_ number: Int, _ isContinuation: Bool) -> StackTally
  ) {
    self.pageSize = pageSize
    // Where they are given, none are taken.
    let least = limits.size == nil ? max(1, limits.least) : .max / 2
    self.least = least
    var state = State()
    for cpu in cpus {
      var start = cpu.extent.offset
      let end = start + cpu.extent.size
      let pages = limits.size.map { max(1, $0 / UInt64(pageSize)) }
      repeat {
        let next = isCompressed ? end : pages.map { min(end, start + $0 * UInt64(pageSize)) } ?? end
        let isContinuation = start > cpu.extent.offset
        state.parts.append(
          Part(
            cpu, isCompressed ? nil : UnreadBytes(start..<next, pageSize: pageSize),
            makeTally(state.parts.count, isContinuation), state.parts.count))
        start = next
      } while start < end
    }
    mostParts = state.parts.count + 2 * jobs
    let taken = isCompressed ? 0 : cpus.reduce(0) { $0 + $1.extent.size / (2 * least) }
    mostWorkers = state.parts.count + Int(min(taken, 1 << 16))
    self.state = Guarded(state)
  }

  /// The next part to be summed up; nil where all that is left is in work.
  ///
  /// - Parameter makeTally: for a continuation, the part of this number.
  func next(_ makeTally: (_ number: Int) -> StackTally) -> Part? {
    state.withLock { state in
      if state.next < state.parts.count {
        defer { state.next += 1 }
        return state.parts[state.next]
      }
      let counts = state.parts.map { $0.unread?.count ?? 0 }
      guard state.parts.count < mostParts, let most = counts.max(), let index = counts.firstIndex(of: most),
        let half = state.parts[index].unread?.giveHalf(least: least)
      else { return nil }
      let number = state.parts.count
      let part = Part(
        state.parts[index].cpu, UnreadBytes(half, pageSize: pageSize), makeTally(number), number)
      state.parts.insert(part, at: index + 1)
      state.next += 1
      return part
    }
  }

  /// By CPU, and in the order of its data; once all are done.
  var chains: [[Part]] {
    state.withLock { state in
      var chains: [[Part]] = []
      for part in state.parts {
        if part.tally.isContinuation {
          chains[chains.count - 1].append(part)
        } else {
          chains.append([part])
        }
      }
      return chains
    }
  }
}
