internal import CProcessors
internal import Dispatch
internal import Glibc

/// Threads that take part in others' work: started when they are first asked for, kept for the next time.
///
/// No work depends on them. Who asks for help does its work itself as far as no helper has come, and waits only for those
/// that have begun; where no thread can be started there is no help.
///
/// They are not libdispatch's, which leaves it to the scheduler where a thread begins. The schedulers of virtual machines
/// that pack their threads on few CPUs begin one where its starter runs, and let it, or the starter, wait there for 3 or
/// 4 ms: as long as many a trace takes. So a thread is put on a CPU on which none of ours runs, and is free to be moved
/// from there on.
package final class Helpers: Sendable {
  package static let shared = Helpers(limit: max(1, Processors.allowed.count - 1))

  /// How many threads get tables of their own where `jobs` are allowed: more than CPUs would share these anyway.
  package static func useful(_ jobs: Int) -> Int { max(1, min(jobs, max(16, Processors.allowed.count))) }

  /// A call for help, to be ended by `dismiss`.
  package final class Call: @unchecked Sendable {
    fileprivate let body: @Sendable (_ number: Int) -> Void
    // What follows is guarded by the state of the helpers.
    /// How many helpers are wanted still.
    fileprivate var wanted: Int
    fileprivate var begun = 0
    fileprivate var running = 0
    fileprivate var isDismissed = false
    fileprivate let ended = DispatchSemaphore(value: 0)

    fileprivate init(_ wanted: Int, _ body: @escaping @Sendable (_ number: Int) -> Void) {
      self.wanted = wanted
      self.body = body
    }
  }

  private final class Helper: @unchecked Sendable {
    let wake = DispatchSemaphore(value: 0)
    // What follows is guarded by the state of the helpers, but for a parked one's, which is its waker's.
    var thread = pthread_t()
    /// Where it runs or last ran; -1 as long as that is not known.
    var cpu: Int32 = -1
    var isPlaced = false

    /// Sees that it gets a CPU for itself, if there is one that is not among `taken`.
    func place(_ taken: inout [Int32]) {
      if cpu < 0 || taken.contains(cpu), let free = Processors.allowed.free(behind: taken[0], taken: taken) {
        cpu = free
        isPlaced = true
      }
      taken.append(cpu)
    }
  }

  private struct State {
    /// Those that want more helpers, first come, first served.
    var calls: [Call] = []
    var parked: [Helper] = []
    var working: [Helper] = []

    /// A helper begins with the first call; nil where there is none.
    mutating func begin() -> (call: Call, number: Int)? {
      guard let call = calls.first else { return nil }
      call.wanted -= 1
      call.running += 1
      if call.wanted == 0 { calls.removeFirst() }
      defer { call.begun += 1 }
      return (call, call.begun)
    }
  }

  private let state = Guarded(State())
  private let limit: Int

  /// - Parameter limit: of threads.
  init(limit: Int) {
    self.limit = limit
  }

  /// Asks for helpers.
  ///
  /// - Parameters:
  ///   - count: how many; there may be fewer, or none.
  ///   - body: what each does, on a thread of its own; they are numbered from 0.
  package func call(_ count: Int, _ body: @escaping @Sendable (_ number: Int) -> Void) -> Call {
    let call = Call(count, body)
    guard count > 0 else { return call }
    let here = Processors.current
    let (woken, new) = state.withLock { state -> ([Helper], [Helper]) in
      state.calls.append(call)
      let woken = Array(state.parked.suffix(count))
      state.parked.removeLast(woken.count)
      let new = (0..<max(0, min(count - woken.count, limit - state.working.count - woken.count))).map { _ in
        Helper()
      }
      var taken = [here] + state.working.map(\.cpu)
      for helper in woken + new {
        helper.place(&taken)
        state.working.append(helper)
      }
      return (woken, new)
    }
    for helper in woken {
      if helper.isPlaced { _ = processors_place(helper.thread, helper.cpu) }
      helper.wake.signal()
    }
    for helper in new { start(helper) }
    return call
  }

  /// Ends a call: no helper begins any more, and those that have begun are waited for.
  package func dismiss(_ call: Call) {
    let mustWait = state.withLock { state -> Bool in
      state.calls.removeAll { $0 === call }
      call.isDismissed = true
      return call.running > 0
    }
    if mustWait { call.ended.wait() }
  }

  private func start(_ helper: Helper) {
    let run = Unmanaged.passRetained(Run(self, helper))
    let code = processors_start(
      { argument in
        Unmanaged<Run>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, run.toOpaque(), helper.isPlaced ? helper.cpu : -1)
    guard code != 0 else { return }
    run.release()
    state.withLock { $0.working.removeAll { $0 === helper } }
  }

  /// What a thread begins with.
  private final class Run: Sendable {
    private let helpers: Helpers
    private let helper: Helper

    init(_ helpers: Helpers, _ helper: Helper) {
      self.helpers = helpers
      self.helper = helper
    }

    func run() {
      helper.thread = pthread_self()
      helpers.work(helper)
    }
  }

  private func work(_ helper: Helper) -> Never {
    while true {
      if helper.isPlaced {
        Processors.allowed.release()
        helper.isPlaced = false
      }
      while let (call, number) = state.withLock({ $0.begin() }) {
        call.body(number)
        state.withLock { state in
          call.running -= 1
          if call.running == 0, call.isDismissed { call.ended.signal() }
        }
      }
      let here = Processors.current
      let isParked = state.withLock { state in
        // Called between the two locks.
        guard state.calls.isEmpty else { return false }
        helper.cpu = here
        state.working.removeAll { $0 === helper }
        state.parked.append(helper)
        return true
      }
      if isParked { helper.wake.wait() }
    }
  }
}
