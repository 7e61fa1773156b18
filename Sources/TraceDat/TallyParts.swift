internal import FunctionGraph

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
    /// Where in the file it begins.
    let start: UInt64
    /// nil of compressed data, which can be read from its beginning only.
    let unread: UnreadBytes?
    let tally: StackTally
    /// Of the sink.
    let number: Int
    // What follows is written by the thread that has the part, and read when all are done.
    var failure: TraceError?
    /// Of the last record.
    var lastTimestamp: UInt64 = 0

    init(_ cpu: CPUData, from start: UInt64, _ unread: UnreadBytes?, _ tally: StackTally, _ number: Int) {
      self.cpu = cpu
      self.start = start
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
            cpu, from: start, isCompressed ? nil : UnreadBytes(start..<next, pageSize: pageSize),
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
        state.parts[index].cpu, from: half.lowerBound, UnreadBytes(half, pageSize: pageSize),
        makeTally(number),
        number)
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
