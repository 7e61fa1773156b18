import Dispatch
import Testing

@testable import FunctionGraph

@Suite("Threads that help")
struct HelpersTests {
  /// What several threads do, counted.
  private final class Counter: Sendable {
    private let counts: Guarded<[Int]>
    init(_ items: Int) { counts = Guarded(Array(repeating: 0, count: items)) }
    func add(_ item: Int) { counts.withLock { $0[item] += 1 } }
    var values: [Int] { counts.withLock { $0 } }
  }

  @Test(
    "every item is done once, by a worker that does nothing else meanwhile", arguments: [0, 1, 2, 3, 8, 100])
  func everyItem(workers: Int) {
    let items = 500
    let done = Counter(items)
    let busy = Counter(max(1, workers))
    let overlaps = Counter(1)
    for _ in 0..<20 {
      inParallel(items, workers: workers) { item, worker in
        busy.add(worker)
        if busy.values[worker] % 2 == 0 { overlaps.add(0) }
        done.add(item)
        busy.add(worker)
      }
    }
    #expect(done.values == Array(repeating: 20, count: items))
    #expect(overlaps.values == [0])
  }

  @Test("two items that wait for one another are done at the same time")
  func atTheSameTime() {
    // On every machine there is one helper at least.
    let first = DispatchSemaphore(value: 0)
    let second = DispatchSemaphore(value: 0)
    let met = Counter(2)
    inParallel(2, workers: 2) { item, _ in
      (item == 0 ? first : second).signal()
      if (item == 0 ? second : first).wait(timeout: .now() + 20) == .success { met.add(item) }
    }
    #expect(met.values == [1, 1])
  }

  @Test("work within work, by many threads at once, comes to an end")
  func nested() {
    let done = Counter(64)
    inParallel(8, workers: 8) { outer, _ in
      for _ in 0..<50 {
        inParallel(8, workers: 4) { inner, _ in done.add(8 * outer + inner) }
      }
    }
    #expect(done.values == Array(repeating: 50, count: 64))
  }

  @Test("without any helper nothing begins, and nothing is waited for")
  func noHelpers() {
    let helpers = Helpers(limit: 0)
    let begun = Counter(1)
    let call = helpers.call(3) { _ in begun.add(0) }
    helpers.dismiss(call)
    #expect(begun.values == [0])
  }

  @Test("helpers are numbered, and those that have begun are waited for", arguments: 1...5)
  func numbers(count: Int) {
    let helpers = Helpers(limit: count)
    for _ in 0..<100 {
      let begun = Counter(count)
      let ended = Counter(count)
      let all = DispatchSemaphore(value: 0)
      let call = helpers.call(count) { number in
        begun.add(number)
        all.signal()
        // Time for `dismiss` to be called.
        for _ in 0..<1000 { _ = ended.values }
        ended.add(number)
      }
      for _ in 0..<count { all.wait() }
      helpers.dismiss(call)
      #expect(begun.values == Array(repeating: 1, count: count))
      #expect(ended.values == Array(repeating: 1, count: count))
    }
  }

  @Test("more calls than helpers are served one after the other")
  func oneHelperForMany() {
    let helpers = Helpers(limit: 1)
    let served = DispatchSemaphore(value: 0)
    let calls = (0..<10).map { _ in helpers.call(1) { _ in served.signal() } }
    for _ in 0..<10 { served.wait() }
    for call in calls { helpers.dismiss(call) }
  }

  @Test("a helper may run on every CPU on which the process may")
  func placement() {
    let allowed = Processors.ofThread()
    let seen = Guarded<[[Int32]]>([])
    let met = DispatchSemaphore(value: 0)
    let helpers = Helpers(limit: 3)
    for _ in 0..<50 {
      let call = helpers.call(3) { _ in
        seen.withLock { $0.append(Processors.ofThread()) }
        met.signal()
      }
      for _ in 0..<3 { met.wait() }
      helpers.dismiss(call)
    }
    #expect(seen.withLock { $0 } == Array(repeating: allowed, count: 150))
    #expect(Processors.allowed.count == max(1, allowed.count))
  }

  @Test("a CPU that is free is the next one, and none where all are taken")
  func free() {
    let some = Processors(numbers: [2, 3, 5, 7])
    #expect(some.free(behind: 3, taken: [3]) == 5)
    #expect(some.free(behind: 7, taken: [7]) == 2)
    #expect(some.free(behind: 4, taken: [5, 7]) == 2)
    #expect(some.free(behind: -1, taken: [-1]) == 2)
    #expect(some.free(behind: 2, taken: [2, 3, 5, 7]) == nil)
    #expect(Processors(numbers: []).free(behind: 0, taken: [0]) == nil)
  }

  @Test("more threads than CPUs get no tables of their own")
  func useful() {
    #expect([0, 1, 16].map(Helpers.useful) == [1, 1, 16])
    #expect(Helpers.useful(.max) == max(16, Processors.allowed.count))
  }
}
