import FunctionGraph
import Testing

@testable import Analysis

/// A call tree, and what its callee table is by plain recursion.
indirect enum Tree {
  case call(FunctionID, own: Int64, below: [Tree])

  var function: FunctionID {
    switch self {
    case .call(let function, _, _): function
    }
  }
  var own: Int64 {
    switch self {
    case .call(_, let own, _): own
    }
  }
  var below: [Tree] {
    switch self {
    case .call(_, _, let below): below
    }
  }
  var total: Int64 { own + below.reduce(0) { $0 + $1.total } }

  static func random(_ random: inout TestGenerator, depth: Int) -> Tree {
    let count = depth < 6 ? random.roll(4) : 0
    return .call(
      FunctionID(rawValue: UInt32(1 + random.roll(5))), own: Int64(random.roll(100)) - 3,
      below: (0..<count).map { _ in Tree.random(&random, depth: depth + 1) })
  }

  func events(depth: Int32, pid: Int32, into events: inout [Event]) {
    var event = Event(kind: .entry)
    event.function = function
    event.depth = depth
    event.pid = pid
    event.cpu = 0
    events.append(event)
    for callee in below { callee.events(depth: depth + 1, pid: pid, into: &events) }
    event.kind = .exit
    event.duration = total
    events.append(event)
  }
}

private struct NaiveTable {
  struct Row: Equatable {
    var calls = 0
    var total: Int64 = 0
    var selfTime: Int64 = 0
    var level = Int.max
  }
  var calls = 0
  var total: Int64 = 0
  var selfTime: Int64 = 0
  var rows: [FunctionID: Row] = [:]

  /// Every call of `root` that stands below no other one.
  static func of(_ root: FunctionID, in trees: [Tree]) -> NaiveTable {
    var table = NaiveTable()
    func below(_ tree: Tree, _ above: Set<FunctionID>, level: Int) {
      for callee in tree.below {
        var row = table.rows[callee.function] ?? Row()
        row.calls += 1
        row.selfTime += callee.own
        if !above.contains(callee.function) { row.total += callee.total }
        row.level = min(row.level, level)
        table.rows[callee.function] = row
        below(callee, above.union([callee.function]), level: level + 1)
      }
    }
    func search(_ tree: Tree) {
      guard tree.function == root else {
        tree.below.forEach(search)
        return
      }
      table.calls += 1
      table.total += tree.total
      table.selfTime += tree.own
      below(tree, [root], level: 1)
    }
    trees.forEach(search)
    return table
  }
}

@Suite("Where the time goes")
struct CalleeTests {
  private func functions() -> FunctionTable {
    var table = FunctionTable()
    for name in 1...5 { _ = table.intern(FunctionName(symbol: "f\(name)")) }
    return table
  }

  private func tables(
    _ events: [Event], root: FunctionID? = nil, buffersFollowOneAnother: Bool = false,
    isWanted: (Call) -> Bool = { _ in true }
  ) -> [CalleeCollector.Root: CalleeTable] {
    var builder = CallBuilder(tracksPaths: true, buffersFollowOneAnother: buffersFollowOneAnother)
    var calls: [Call] = []
    builder.consume(events, into: &calls)
    builder.finish(into: &calls)
    var collector = CalleeCollector()
    for call in calls {
      collector.add(
        call, paths: builder.paths, isSelected: { root == nil || $0 == root },
        isWanted: (root == nil || call.function == root) && isWanted(call))
    }
    return collector.tables(
      paths: builder.paths, functions: functions(), jobs: 2, isSelected: { root == nil || $0 == root })
  }

  private func byName(_ a: CalleeTable.Row, _ b: CalleeTable.Row) -> Bool {
    a.function.symbol < b.function.symbol
  }

  @Test("Random trees of several tasks, against plain recursion", arguments: UInt64(1)...20)
  func oracle(seed: UInt64) throws {
    var random = TestGenerator(state: seed)
    let trees = (0..<40).map { _ in Tree.random(&random, depth: 0) }
    // The tasks' events interleaved.
    var streams = trees.enumerated().map { index, tree -> ArraySlice<Event> in
      var events: [Event] = []
      tree.events(depth: 0, pid: Int32(1 + index % 4), into: &events)
      return events[...]
    }
    var queues = (0..<4).map { task in
      Array(streams.enumerated().filter { $0.offset % 4 == task }.map(\.element).joined())[...]
    }
    streams.removeAll()
    var events: [Event] = []
    while queues.contains(where: { !$0.isEmpty }) {
      if let event = queues[random.roll(4)].popFirst() { events.append(event) }
    }
    let names = functions()
    // Each alone, and all at once, where a selected function is a callee of another.
    let together = tables(events)
    for root in 1...5 {
      let root = FunctionID(rawValue: UInt32(root))
      let key = CalleeCollector.Root(buffer: 0, function: root)
      #expect(
        together[key]?.rows.sorted(by: byName) == tables(events, root: root)[key]?.rows.sorted(by: byName))
      #expect(together[key]?.parentTotal == tables(events, root: root)[key]?.parentTotal)
      let expected = NaiveTable.of(root, in: trees)
      #expect(expected.calls > 0)
      let found = try #require(tables(events, root: root)[CalleeCollector.Root(buffer: 0, function: root)])
      #expect(found.parentCalls == expected.calls)
      #expect(found.parentTotal == expected.total)
      #expect(found.parentSelf == expected.selfTime)
      #expect(found.rows.count == expected.rows.count)
      for row in found.rows {
        let id = try #require((1...5).map { FunctionID(rawValue: $0) }.first { names[$0] == row.function })
        #expect(
          expected.rows[id]
            == NaiveTable.Row(calls: row.calls, total: row.total, selfTime: row.selfTime, level: row.level))
      }
      // Self times add up to the whole.
      #expect(found.parentSelf + found.rows.reduce(0) { $0 + $1.selfTime } == found.parentTotal)
      #expect(found.rows.map(\.total) == found.rows.map(\.total).sorted(by: >))
    }
  }

  private func event(
    _ kind: Event.Kind, _ function: UInt32, _ depth: Int32, _ duration: Int64? = nil, buffer: UInt16 = 0,
    pid: Int32 = 1
  ) -> Event {
    var event = Event(kind: kind)
    event.function = FunctionID(rawValue: function)
    event.depth = depth
    event.duration = duration
    event.buffer = buffer
    event.pid = pid
    event.cpu = 0
    return event
  }

  private let root = FunctionID(rawValue: 1)
  private let whole: [(Event.Kind, UInt32, Int32, Int64?)] = [
    (.entry, 1, 0, nil), (.leaf, 2, 1, 10), (.exit, 1, 0, 100),
  ]

  @Test(
    "A call that is not whole is left out with all that is below it",
    arguments: [
      "unfinished root", "root without entry", "unfinished callee", "callee without entry",
      "callee without duration",
      "lost",
    ])
  func notWhole(_ what: String) throws {
    var events: [Event] = []
    switch what {
    case "unfinished root": events = [event(.entry, 1, 0), event(.leaf, 2, 1, 7)]
    case "root without entry": events = [event(.leaf, 2, 1, 7), event(.exit, 1, 0, 50)]
    case "unfinished callee":
      events = [event(.entry, 1, 0), event(.entry, 3, 1), event(.leaf, 2, 1, 7), event(.exit, 1, 0, 50)]
    case "callee without entry":
      events = [event(.entry, 1, 0), event(.leaf, 2, 2, 7), event(.exit, 3, 1, 20), event(.exit, 1, 0, 50)]
    case "callee without duration":
      events = [event(.entry, 1, 0), event(.leaf, 3, 1), event(.leaf, 2, 1, 7), event(.exit, 1, 0, 50)]
    default:
      var loss = Event(kind: .lost)
      loss.cpu = 0
      events = [event(.entry, 1, 0), event(.leaf, 2, 1, 7), loss, event(.exit, 1, 0, 50)]
    }
    // A whole one follows, and one goes before.
    let good = whole.map { event($0.0, $0.1, $0.2, $0.3) }
    let table = try #require(tables(good + events + good, root: root)[.init(buffer: 0, function: root)])
    #expect(table.parentCalls == 2)
    #expect(table.parentTotal == 200)
    #expect(table.parentSelf == 180)
    #expect(table.rows.map(\.calls) == [2])
    #expect(table.rows.map(\.total) == [20])
  }

  @Test("A call that a filter leaves out takes its callees with it")
  func filtered() throws {
    let events = [Int32(1), 2].flatMap { pid in whole.map { event($0.0, $0.1, $0.2, $0.3, pid: pid) } }
    let table = tables(events, root: root, isWanted: { $0.pid == 2 })[.init(buffer: 0, function: root)]
    #expect(table?.parentCalls == 1)
    #expect(table?.rows.map(\.calls) == [1])
  }

  @Test("Each buffer has its own table")
  func buffers() {
    let events = [UInt16(0), 0, 1].flatMap { buffer in
      whole.map { event($0.0, $0.1, $0.2, $0.3, buffer: buffer) }
    }
    let found = tables(events, root: root, buffersFollowOneAnother: true)
    #expect(found[.init(buffer: 0, function: root)]?.parentCalls == 2)
    #expect(found[.init(buffer: 1, function: root)]?.parentCalls == 1)
    #expect(found[.init(buffer: 1, function: root)]?.rows.map(\.total) == [10])
  }

  @Test("Recursion counts once", .timeLimit(.minutes(1)))
  func deepRecursion() throws {
    let depth: Int32 = 50_000
    let events =
      [event(.entry, 1, 0)] + (1...depth).map { event(.entry, 2, $0) }
      + (1...depth).reversed().map { event(.exit, 2, $0, Int64(depth - $0 + 1)) }
      + [event(.exit, 1, 0, Int64(depth) + 5)]
    let table = try #require(tables(events, root: root)[.init(buffer: 0, function: root)])
    #expect(table.parentSelf == 5)
    #expect(table.rows.count == 1)
    #expect(table.rows[0].calls == Int(depth))
    #expect(table.rows[0].total == Int64(depth))
    #expect(table.rows[0].selfTime == Int64(depth))
    #expect(table.rows[0].level == 1)
  }

  @Test("Tables of several runs add up")
  func merged() throws {
    func table(_ calls: Int, _ names: [String]) -> CalleeTable {
      CalleeTable(
        parentCalls: calls, parentTotal: Int64(calls) * 100, parentSelf: Int64(calls) * 10,
        rows: names.map {
          .init(
            function: FunctionName(symbol: $0), calls: calls, total: Int64(calls), selfTime: 1, level: calls)
        })
    }
    #expect(CalleeTable.merged([]) == nil)
    let sum = try #require(CalleeTable.merged([table(2, ["a", "b"]), table(3, ["b", "c"])]))
    #expect((sum.parentCalls, sum.parentTotal, sum.parentSelf) == (5, 500, 50))
    #expect(sum.rows.map(\.function.symbol) == ["b", "c", "a"])
    #expect(sum.rows.map(\.total) == [5, 3, 2])
    #expect(sum.rows.map(\.level) == [2, 3, 2])
  }
}
