import FunctionGraph
import Testing

@testable import TraceInput

/// A generator whose numbers are the same in every run (SplitMix64).
private struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

@Suite struct ReportOrderTests {
  private func event(_ kind: Event.Kind, cpu: Int32, time: UInt64?) -> Event {
    var event = Event(kind: kind)
    event.cpu = cpu
    event.pid = 7
    if let time { event.timestamp = .nanoseconds(time) }
    return event
  }

  private func ordered(_ events: [Event], batch: Int) -> [Event] {
    var order = ReportOrder()
    var out: [Event] = []
    var rest = events[...]
    while !rest.isEmpty {
      order.add(Array(rest.prefix(batch)), into: &out)
      rest = rest.dropFirst(batch)
    }
    order.drain(into: &out)
    return out
  }

  /// CPUs in runs of lines, each run in order and the runs among one another not: what trace-cmd prints.
  @Test(arguments: [1, 100, 5_000])
  func linesComeInTheOrderOfTime(_ batch: Int) {
    var numbers = Numbers(state: 3)
    var queues = (0..<4).map { cpu -> [Event] in
      var time: UInt64 = 0
      return (0..<2_000).map { _ in
        time += UInt64.random(in: 1...50, using: &numbers)
        return event(.leaf, cpu: Int32(cpu), time: time)
      }
    }
    var printed: [Event] = []
    while queues.contains(where: { !$0.isEmpty }) {
      let cpu = Int.random(in: 0..<4, using: &numbers)
      let count = min(queues[cpu].count, Int.random(in: 1...40, using: &numbers))
      printed += queues[cpu].prefix(count)
      queues[cpu].removeFirst(count)
    }
    let result = ordered(printed, batch: batch)
    #expect(result.count == 8_000)
    #expect(printed.map(\.timestamp.value) != printed.map(\.timestamp.value).sorted())
    #expect(result.map(\.timestamp.value) == printed.map(\.timestamp.value).sorted())
  }

  @Test func orderedLinesStayInBoundedMemoryAndOrder() {
    let events = (0..<400_000).map { event(.leaf, cpu: Int32($0 % 3), time: UInt64($0)) }
    var order = ReportOrder()
    var out: [Event] = []
    for start in stride(from: 0, to: events.count, by: 4_096) {
      order.add(Array(events[start..<min(start + 4_096, events.count)]), into: &out)
      #expect(start + 4_096 - out.count <= 2 * ReportOrder.window + 4_096)
    }
    order.drain(into: &out)
    #expect(out.map(\.timestamp.value) == events.map(\.timestamp.value))
  }

  /// A second report behind the first begins with earlier times.
  @Test func reportsPutTogetherStayApart() {
    let first = (0..<10).map { event(.leaf, cpu: 0, time: 1_000 + $0) }
    let second = (0..<10).map { event(.leaf, cpu: 0, time: 10 + $0) }
    #expect(
      ordered(first + second, batch: 4).map(\.timestamp.value) == (first + second).map(\.timestamp.value))
  }

  @Test func aLossStaysWhereItsCPUHasIt() {
    let events = [
      event(.leaf, cpu: 0, time: 100), event(.leaf, cpu: 0, time: 300), event(.lost, cpu: 0, time: nil),
      event(.leaf, cpu: 1, time: 50), event(.leaf, cpu: 1, time: 200), event(.leaf, cpu: 0, time: 400),
    ]
    let result = ordered(events, batch: 2)
    #expect(result.map(\.timestamp.value) == [50, 100, 200, 300, 0, 400])
    #expect(result[4].kind == .lost)
  }

  /// Where all times are in order, losses stay where they stand, whatever CPUs' lines are around them.
  @Test(arguments: [1, 7, 5_000])
  func lossesAmongOrderedLinesStay(_ batch: Int) {
    var numbers = Numbers(state: 5)
    var events: [Event] = []
    for time in 0..<3_000 {
      events.append(event(.leaf, cpu: Int32.random(in: 0..<3, using: &numbers), time: UInt64(time / 3)))
      if time % 5 == 0 {
        events.append(event(.lost, cpu: Int32.random(in: 0..<4, using: &numbers), time: nil))
      }
    }
    let found = ordered(events, batch: batch)
    #expect(found.count == events.count)
    for (result, wanted) in zip(found, events) {
      #expect(result.kind == wanted.kind && result.cpu == wanted.cpu)
    }
  }

  /// A line that was printed too late, behind later ones of another CPU, with the loss in front of it.
  @Test(arguments: [1, 100])
  func aLossStaysInFrontOfItsCPUsNextLine(_ batch: Int) {
    let events = [
      event(.leaf, cpu: 0, time: 100), event(.leaf, cpu: 1, time: 150), event(.leaf, cpu: 1, time: 300),
      event(.lost, cpu: 0, time: nil), event(.leaf, cpu: 1, time: 310), event(.leaf, cpu: 0, time: 200),
    ]
    let result = ordered(events, batch: batch)
    #expect(result.map(\.timestamp.value) == [100, 150, 0, 200, 300, 310])
    #expect(result[2].kind == .lost)
  }

  @Test func whatHasNoTimeIsNotMovedAcross() {
    var heading = Event(kind: .heading)
    heading.side = .after
    let events = [
      event(.leaf, cpu: 0, time: 9), event(.leaf, cpu: 1, time: 3), heading, event(.leaf, cpu: 1, time: 1),
    ]
    #expect(ordered(events, batch: 10).map(\.timestamp.value) == [3, 9, 0, 1])
  }
}
