internal import Dispatch
internal import FunctionGraph

/// The pieces of a buffer's data that several threads look through, handed out in their order while others are still in work.
///
/// Who asks for a piece looks through others as long as it is not done, as the helpers do all the time. So what passed is taken
/// up beside the search, and not behind it.
final class SievedPieces {
  struct Piece {
    let lane: Int
    let extent: CPUExtent
    let isCut: Bool
    /// Of compressed data, which goes on.
    var stream: CPUStream?
    var records: [GraphRecord] = []
    var lastTimestamp: UInt64 = 0
    var lastPID = Int32.min
    var isFinished = true
  }

  /// What a thread looks through pieces with.
  struct Walker {
    /// With a sieve of its own.
    let context: PageContext
    let sieve: FunctionSieve
    /// Not used for compressed data.
    let block: RawBlock
    let formats: GraphFormats
    let pageSize: Int
    let blockSize: Int
    /// Records of compressed data that are taken at once.
    static let recordsAtOnce = 1 << 14
  }

  enum Outcome {
    case done(Piece)
    /// Too many records passed first; this one and all behind it were not begun.
    case left
    /// The trace has to be read with all functions.
    case over
  }

  private let work: Work
  private var helpers: Helpers.Call?

  /// - Parameters:
  ///   - needed: so many pieces are looked through however many records pass.
  ///   - mostPassing: with so many no more are begun.
  ///   - walkers: one for each thread, the caller's first.
  init(_ pieces: [Piece], needed: Int, mostPassing: Int, _ walkers: [Walker]) {
    let work = Work(pieces, needed: needed, mostPassing: mostPassing, walkers)
    self.work = work
    let count = min(walkers.count, pieces.count) - 1
    if count > 0 { helpers = Helpers.shared.call(count) { work.help(1 + $0) } }
  }

  deinit { stop() }

  /// Back when no helper is at work any more.
  func stop() {
    work.stop()
    if let helpers { Helpers.shared.dismiss(helpers) }
    helpers = nil
  }

  /// The piece of this number. Each is to be asked for once, one behind the other.
  ///
  /// - Throws: what reading it threw.
  func take(_ number: Int) throws(TraceError) -> Outcome { try work.take(number) }

  /// What the threads share.
  private final class Work: @unchecked Sendable {
    private enum Slot {
      case waiting, inWork
      case done(Piece)
      case failed(TraceError)
    }

    private struct State {
      var slots: [Slot] = []
      var next = 0
      /// Records that passed.
      var passed = 0
      var isOver = false
    }

    private let state = Guarded(State())
    // As they were; no one writes here.
    private let pieces: [Piece]
    private let needed: Int
    private let mostPassing: Int
    /// By thread.
    private let walkers: [Walker]
    private let done = DispatchSemaphore(value: 0)

    init(_ pieces: [Piece], needed: Int, mostPassing: Int, _ walkers: [Walker]) {
      self.pieces = pieces
      self.needed = needed
      self.mostPassing = mostPassing
      self.walkers = walkers
      state.withLock { $0.slots = Array(repeating: .waiting, count: pieces.count) }
    }

    func stop() { state.withLock { $0.isOver = true } }

    func help(_ worker: Int) {
      while let number = state.withLock({ claim(&$0) }) {
        look(through: number, worker)
        done.signal()
      }
    }

    private func claim(_ state: inout State) -> Int? {
      guard !state.isOver, state.next < pieces.count, state.next < needed || state.passed < mostPassing
      else { return nil }
      defer { state.next += 1 }
      state.slots[state.next] = .inWork
      return state.next
    }

    func take(_ number: Int) throws(TraceError) -> Outcome {
      enum Step {
        case found(Outcome)
        case failed(TraceError)
        case work(Int)
        case wait
      }
      while true {
        let step = state.withLock { state -> Step in
          if state.isOver { return .found(.over) }
          switch state.slots[number] {
          case .done(let piece):
            // Nothing is left of it here.
            state.slots[number] = .waiting
            return .found(.done(piece))
          case .failed(let failure): return .failed(failure)
          case .inWork: return claim(&state).map { .work($0) } ?? .wait
          case .waiting: return claim(&state).map { .work($0) } ?? .found(.left)
          }
        }
        switch step {
        case .found(let outcome): return outcome
        case .failed(let failure): throw failure
        case .work(let next): look(through: next, 0)
        case .wait: done.wait()
        }
      }
    }

    private func look(through number: Int, _ worker: Int) {
      let walker = walkers[worker]
      var piece = pieces[number]
      let slot: Slot
      do throws(TraceError) {
        try walker.look(through: &piece)
        slot = .done(piece)
      } catch {
        slot = .failed(error)
      }
      let isOver = walker.sieve.needsAll
      let passed = piece.records.count
      state.withLock { state in
        state.slots[number] = slot
        state.passed += passed
        if isOver { state.isOver = true }
      }
    }
  }
}

extension SievedPieces.Walker {
  fileprivate func look(through piece: inout SievedPieces.Piece) throws(TraceError) {
    let isCompressed = piece.stream != nil
    // Once a piece: its references are counted, by all threads.
    let context = context
    let stream =
      piece.stream
      ?? CPUStream(
        piece.extent, isCut: piece.isCut, isCompressed: false, pageSize: pageSize, blockSize: blockSize,
        block: block)
    var diagnostics = Diagnostics()
    var records: [GraphRecord] = []
    // They are told in the order of the merged events, which is not known here.
    defer { if !diagnostics.isEmpty { sieve.needsAll = true } }
    var isMore = true
    while isMore, !isCompressed || records.count < Self.recordsAtOnce {
      isMore = try stream.advance(context, &diagnostics)
      if let left = stream.takeLeft() { records.append(GraphRecord(lastOf: left.pid, at: left.timestamp)) }
      if isMore { records.append(GraphRecord(stream, formats, &diagnostics)) }
    }
    sieve.pass(records.count)
    piece.isFinished = !isMore
    piece.records = records
    piece.lastTimestamp = stream.lastTimestamp
    piece.lastPID = stream.lastPID
  }
}
