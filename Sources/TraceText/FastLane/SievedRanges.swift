internal import Dispatch
internal import FunctionGraph

/// The ranges of a text, one behind the other, looked through on several threads and handed out in order.
///
/// The thread that asks for a range looks through one itself while others have theirs to do. So much of them is kept at most as
/// bounds the memory, and the helpers wait when they are ahead.
final class SievedRanges: Sendable {
  /// Bytes.
  static let rangeSize: UInt64 = 1 << 20
  /// How many are looked through ahead of the one that is handed out, whatever they hold;
  private static let window = 8
  /// and how many where all that are ahead hold no more bytes than this.
  private static let longWindow = 256
  private static let mostHeld = 4 << 20

  private enum Slot {
    case waiting
    case inWork
    case done(SievedRange)
    case taken
  }

  private struct State {
    var slots: [Slot]
    /// The first that nobody has begun.
    var next = 0
    /// Those in front of this one are gone.
    var wanted = 0
    /// Bytes of those that are done.
    var held = 0
    /// Helpers that wait for room.
    var idle = 0
    var isStopped = false

    /// One to look through, if there is room.
    mutating func claim() -> Int? {
      let room = held < SievedRanges.mostHeld ? SievedRanges.longWindow : SievedRanges.window
      while next < slots.count, next < wanted + room {
        defer { next += 1 }
        if case .waiting = slots[next] {
          slots[next] = .inWork
          return next
        }
      }
      return nil
    }

    /// Goes on to the range of that number; how many helpers can work again.
    mutating func advance(to number: Int) -> Int {
      for index in wanted..<max(wanted, number) {
        if case .done(let range) = slots[index] { held -= range.byteCount }
        slots[index] = .taken
      }
      wanted = max(wanted, number)
      next = max(next, wanted)
      defer { idle = 0 }
      return idle
    }
  }

  private let state: Guarded<State>
  let start: UInt64
  private let isLineStart: Bool
  private let end: UInt64
  private let rangeSize: UInt64
  private let count: Int
  private let makeSieve: @Sendable (_ number: Int) -> RangeSieve
  private let done = DispatchSemaphore(value: 0)
  private let room = DispatchSemaphore(value: 0)
  nonisolated(unsafe) private var helpers: Helpers.Call?
  /// Ranges of which nearly all lines matter.
  nonisolated(unsafe) private var crowded = 0
  private static let mostCrowded = 2
  /// So many that it is of no use to look through more.
  var isCrowded: Bool { crowded > Self.mostCrowded }
  /// Only of the thread that takes ranges, as the next.
  nonisolated(unsafe) private var given = 0
  nonisolated(unsafe) private var own: RangeSieve?

  /// - Parameters:
  ///   - start: where the first range begins.
  ///   - isLineStart: whether a line begins there.
  ///   - end: of the text, as far as is known.
  ///   - jobs: how many threads may look through ranges, the caller's included.
  init(
    from start: UInt64, isLineStart: Bool, to end: UInt64, rangeSize: UInt64, jobs: Int,
    makeSieve: @escaping @Sendable (_ number: Int) -> RangeSieve
  ) {
    self.start = start
    self.isLineStart = isLineStart
    self.end = end
    self.rangeSize = rangeSize
    self.makeSieve = makeSieve
    count = Int((end - start + rangeSize - 1) / rangeSize)
    state = Guarded(State(slots: Array(repeating: .waiting, count: count)))
    let helperCount = min(max(0, jobs - 1), max(0, count - 1), Self.window)
    helpers = Helpers.shared.call(helperCount) { [self] in help($0 + 1) }
  }

  /// Ends the helpers' work; to be called before it is let go.
  func stop() {
    let idle = state.withLock { state in
      state.isStopped = true
      return state.idle
    }
    for _ in 0..<idle { room.signal() }
    if let helpers { Helpers.shared.dismiss(helpers) }
    helpers = nil
  }

  /// The first range that begins at `position` or behind it; nil where there is none any more, or too many are crowded.
  /// Ranges in front of it are gone then.
  func take(from position: UInt64) -> SievedRange? {
    // The range in which the position is: its first line may be there.
    var number = position <= start ? 0 : Int(min((position - start) / rangeSize, UInt64(count)))
    // None is given twice: one may have no whole line, and end where it begins.
    number = max(number, given)
    while number < count {
      let range = take(number)
      number += 1
      given = number
      if range.isUsable, range.first >= position { return range }
      if range.isCrowded { crowded += 1 }
      if isCrowded { return nil }
    }
    return nil
  }

  private func take(_ number: Int) -> SievedRange {
    let idle = state.withLock { $0.advance(to: number) }
    for _ in 0..<idle { room.signal() }
    while true {
      enum Step {
        case found(SievedRange)
        case work(Int)
        case wait
      }
      let step = state.withLock { state -> Step in
        if case .done(let range) = state.slots[number] { return .found(range) }
        return state.claim().map { .work($0) } ?? .wait
      }
      switch step {
      case .found(let range): return range
      case .work(let next):
        let sieve = own ?? makeSieve(0)
        own = sieve
        finish(next, sieve)
      case .wait: done.wait()
      }
    }
  }

  private func help(_ number: Int) {
    let sieve = makeSieve(number)
    while true {
      let claimed = state.withLock { state -> Int? in
        if state.isStopped { return nil }
        if let number = state.claim() { return number }
        if state.next >= state.slots.count { return nil }
        state.idle += 1
        return -1
      }
      guard let claimed else { return }
      if claimed < 0 {
        room.wait()
      } else {
        finish(claimed, sieve)
        done.signal()
      }
    }
  }

  private func finish(_ number: Int, _ sieve: RangeSieve) {
    let from = start + UInt64(number) * rangeSize
    let range = sieve.sieve(from..<min(end, from + rangeSize), isLineStart: isLineStart && number == 0)
    state.withLock { state in
      guard number >= state.wanted else { return }
      state.slots[number] = .done(range)
      state.held += range.byteCount
    }
  }
}
