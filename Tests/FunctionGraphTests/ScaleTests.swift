import FunctionGraph
import Testing

@testable import FunctionGraph

@Suite("Traces of any shape in time and memory that grow with their length", .timeLimit(.minutes(2)))
struct ScaleTests {
  private func event(
    _ kind: Event.Kind, _ function: UInt32, depth: Int, cpu: Int32 = 0, pid: Int32 = -1,
    duration: Int64? = nil
  ) -> Event {
    var event = Event(kind: kind)
    event.function = FunctionID(rawValue: function)
    event.depth = Int32(depth)
    event.cpu = cpu
    event.pid = pid
    event.duration = duration
    return event
  }

  @Test("A nest of 100,000 calls")
  func deepNest() {
    let depth = 100_000
    let events =
      (0..<depth).map { event(.entry, 1, depth: $0) }
      + (0..<depth).reversed().map { event(.exit, 0, depth: $0, duration: Int64(2 * (depth - $0))) }
    var builder = CallBuilder(tracksPaths: true)
    let calls = builder.calls(of: events, in: 4_096)
    #expect(calls.count == depth)
    #expect(calls.allSatisfy { $0.status == .complete && $0.selfTime == 2 })
    #expect(builder.paths.count == depth + 1)
    #expect(builder.deepest == Int32(depth - 1))
  }

  @Test("A nest of 100,000 calls without a single exit")
  func deepNestWithoutExits() {
    var builder = CallBuilder()
    let calls = builder.calls(of: (0..<100_000).map { event(.entry, 1, depth: $0) })
    #expect(calls.count == 100_000)
    #expect(calls.allSatisfy { $0.status == .unfinished })
    #expect(calls.first?.depth == 99_999)
  }

  @Test("A million tasks of one call each need no more stacks than are kept idle")
  func manyTasks() {
    var builder = CallBuilder()
    var calls: [Call] = []
    var stacks: UInt32 = 0
    var complete = 0
    for start in stride(from: 1, through: 1_000_000, by: 1_000) {
      var events: [Event] = []
      for pid in start..<(start + 1_000) {
        events.append(event(.entry, 1, depth: 0, pid: Int32(pid)))
        events.append(event(.exit, 1, depth: 0, pid: Int32(pid), duration: 5))
      }
      calls.removeAll(keepingCapacity: true)
      builder.consume(events, into: &calls)
      complete += calls.count { $0.status == .complete && $0.duration == 5 }
      stacks = max(stacks, calls.map(\.stack).max() ?? 0)
    }
    #expect(complete == 1_000_000)
    #expect(Int(stacks) <= CallBuilder.idleStacksLimit)
  }

  @Test("Open calls survive the forgetting of idle tasks")
  func openCallsAreKept() {
    var events: [Event] = []
    for pid in 1...100 { events.append(event(.entry, 1, depth: 0, pid: Int32(pid))) }
    for pid in 1_000..<50_000 { events.append(event(.leaf, 2, depth: 0, pid: Int32(pid), duration: 1)) }
    for pid in 1...100 { events.append(event(.exit, 1, depth: 0, pid: Int32(pid), duration: Int64(pid))) }
    var builder = CallBuilder()
    let ends = builder.calls(of: events).suffix(100)
    #expect(ends.map(\.duration) == (1...100).map { Int64($0) })
    #expect(ends.allSatisfy { $0.status == .complete })
  }

  @Test("As many losses as calls, under a deep stack")
  func manyLosses() {
    var events = (0..<1_000).map { event(.entry, 1, depth: $0) }
    for _ in 0..<200_000 {
      var loss = Event(kind: .lost)
      loss.cpu = 0
      loss.lostEvents = 1
      events.append(loss)
      events.append(event(.leaf, 2, depth: 1_000, duration: 1))
    }
    events += (0..<1_000).reversed().map { event(.exit, 1, depth: $0, duration: 5) }
    var builder = CallBuilder()
    let calls = builder.calls(of: events)
    #expect(calls.count { $0.status == .lost } == 1_000)
    #expect(calls.count { $0.status == .complete } == 200_000)
    #expect(builder.lostEvents == 200_000)
  }

  @Test("Losses on more CPUs than there are anywhere mark too much rather than too little")
  func lossesOnManyCPUs() {
    var events = [event(.entry, 1, depth: 0, cpu: 3, pid: 7)]
    for cpu in 0..<40_000 {
      var loss = Event(kind: .lost)
      loss.cpu = Int32(cpu)
      events.append(loss)
    }
    events.append(event(.exit, 1, depth: 0, cpu: 3, pid: 7, duration: 9))
    var builder = CallBuilder()
    #expect(builder.calls(of: events).map(\.status) == [.lost])
  }

  @Test("Named exits without entries among many CPUs whose tasks are not known")
  func manyStrays() {
    var events = (0..<20_000).map { event(.entry, 1, depth: 0, cpu: Int32($0)) }
    var change = Event(kind: .taskSwitch)
    change.cpu = 30_000
    change.previousPid = 1
    change.pid = 2
    events.append(change)
    for _ in 0..<20_000 { events.append(event(.exit, 2, depth: 0, cpu: 30_000, duration: 1)) }
    var builder = CallBuilder()
    let calls = builder.calls(of: events)
    #expect(calls.count { $0.status == .noEntry } == 20_000)
    #expect(calls.count { $0.status == .unfinished } == 20_000)
  }

  @Test("More paths than are told apart count for their callers, and it is said")
  func manyPaths() {
    var builder = CallBuilder(tracksPaths: true)
    var calls: [Call] = []
    var events: [Event] = [event(.entry, 1, depth: 0)]
    for function in 2..<UInt32(CallPaths.limit + 100) {
      events.append(event(.leaf, function, depth: 1, duration: 1))
      if events.count == 4_096 {
        builder.consume(events, into: &calls)
        events.removeAll(keepingCapacity: true)
        calls.removeAll(keepingCapacity: true)
      }
    }
    builder.consume(events, into: &calls)
    #expect(builder.paths.count == CallPaths.limit)
    let isTruncated = builder.paths.isTruncated
    #expect(isTruncated)
    #expect(calls.last.map { builder.paths.function($0.path) } == FunctionID(rawValue: 1))
  }
}
