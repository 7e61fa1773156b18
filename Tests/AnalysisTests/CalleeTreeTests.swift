import FunctionGraph
import Testing

@testable import Analysis

@Suite("Callees by path")
struct CalleeTreeTests {
  private struct Sum: Equatable {
    var calls = 0
    var total: Int64 = 0
    var selfTime: Int64 = 0
  }

  /// By the functions on the way down from the outermost call of `root`, by plain recursion.
  private func naive(_ root: FunctionID, in trees: [Tree]) -> [[FunctionID]: Sum] {
    var result: [[FunctionID]: Sum] = [:]
    func add(_ tree: Tree, _ path: [FunctionID]) {
      result[path, default: Sum()].calls += 1
      result[path, default: Sum()].total += tree.total
      result[path, default: Sum()].selfTime += tree.own
      for callee in tree.below { add(callee, path + [callee.function]) }
    }
    func search(_ tree: Tree) {
      if tree.function == root { add(tree, [root]) } else { tree.below.forEach(search) }
    }
    trees.forEach(search)
    return result
  }

  @Test("Random trees against plain recursion, every function selected", arguments: UInt64(1)...12)
  func oracle(seed: UInt64) throws {
    var random = TestGenerator(state: seed)
    let trees = (0..<30).map { _ in Tree.random(&random, depth: 0) }
    var functions = FunctionTable()
    for name in 1...5 { _ = functions.intern(FunctionName(symbol: "f\(name)")) }
    var events: [Event] = []
    for tree in trees { tree.events(depth: 0, pid: 1, into: &events) }
    var builder = CallBuilder(tracksPaths: true)
    var calls: [Call] = []
    builder.consume(events, into: &calls)
    builder.finish(into: &calls)
    var collector = CalleeCollector()
    for call in calls {
      collector.add(call, paths: builder.paths, isSelected: { _ in true }, isWanted: true)
    }
    let roots = (1...5).map { CalleeCollector.Root(buffer: 0, function: FunctionID(rawValue: $0)) }
    let found = collector.trees(roots, paths: builder.paths, functions: functions)
    for root in roots {
      let expected = naive(root.function, in: trees)
      let tree = try #require(found[root])
      var paths: [[FunctionID]] = []
      for (index, node) in tree.nodes.enumerated() {
        let id = try #require(
          (1...5).map { FunctionID(rawValue: $0) }.first { functions[$0] == node.function })
        paths.append(index == 0 ? [id] : paths[node.parent] + [id])
        #expect(expected[paths[index]] == Sum(calls: node.calls, total: node.total, selfTime: node.selfTime))
      }
      #expect(tree.nodes.count == expected.count)
      // Right behind its caller and all below that one's callees which took longer.
      var above = [0]
      for index in tree.nodes.indices.dropFirst() {
        let node = tree.nodes[index]
        while let last = above.last, last != node.parent {
          #expect(above.count > 1)
          above.removeLast()
        }
        let before = tree.nodes[..<index].indices.dropFirst().last { tree.nodes[$0].parent == node.parent }
        if let before {
          let sibling = tree.nodes[before]
          #expect((node.total, sibling.function.symbol) < (sibling.total, node.function.symbol))
        }
        above.append(index)
      }
    }
  }

  private func tree(_ nodes: [(String, Int, Int, Int64, Int64)]) throws -> CalleeTree {
    try #require(
      CalleeTree(
        nodes: nodes.map {
          CalleeTree.Node(
            function: FunctionName(symbol: $0.0), parent: $0.1, calls: $0.2, total: $0.3, selfTime: $0.4)
        }))
  }

  @Test("A node has to stand behind its caller", arguments: [[0, 1], [1, 0], [0, 0, 5], [0, -1]])
  func order(_ parents: [Int]) {
    let nodes = parents.map {
      CalleeTree.Node(function: FunctionName(symbol: "f"), parent: $0, calls: 1, total: 1, selfTime: 1)
    }
    #expect(CalleeTree(nodes: nodes) == nil)
    #expect(CalleeTree(nodes: []) == nil)
  }

  @Test("Pruned: the longest stay, with their callers, and what goes is counted")
  func pruned() throws {
    let whole = try tree([
      ("r", 0, 1, 100, 10), ("a", 0, 1, 30, 20), ("b", 0, 1, 60, 0), ("c", 1, 1, 10, 10), ("d", 2, 1, 55, 55),
      ("e", 2, 1, 5, 5),
    ])
    let few = whole.pruned(to: 4)
    #expect(few.nodes.map(\.function.symbol) == ["r", "a", "b", "d"])
    #expect(few.nodes.map(\.parent) == [0, 0, 0, 2])
    #expect(few.nodes.map(\.leftOut) == [0, 1, 1, 0])
    #expect(whole.pruned(to: 1).nodes.map(\.leftOut) == [2])
    #expect(whole.pruned(to: 6) == whole)
  }

  @Test("Two sides by hand: averages over a call, stripped names pair, one side's paths stay")
  func sided() throws {
    let before = try tree([
      ("r", 0, 2, 200, 20), ("a.isra.0", 0, 4, 120, 120), ("b", 0, 2, 60, 60),
    ])
    let after = try tree([("r", 0, 1, 50, 10), ("a", 0, 1, 30, 30), ("new", 0, 1, 10, 10)])
    let both = try #require(SidedCalleeTree(before: [before], after: [after]))
    #expect(both.nodes.map(\.name) == ["r", "a", "b", "new"])
    #expect(both.nodes[0].before == .init(calls: 1, total: 100, selfTime: 10))
    #expect(both.nodes[1].before == .init(calls: 2, total: 60, selfTime: 60))
    #expect(both.nodes[1].after == .init(calls: 1, total: 30, selfTime: 30))
    #expect(both.nodes[1].relativeDifference == -0.5)
    #expect(both.nodes[2].after == nil && both.nodes[2].difference == -30)
    #expect(both.nodes[3].before == nil && both.nodes[3].relativeDifference == nil)
    // Of 150 for both sides: a 90, b 30, new 10.
    let extents = both.layout(.both)
    #expect(extents.map { ($0.width * 150).rounded() } == [150, 90, 30, 10])
    #expect(extents.map { ($0.start * 150).rounded() } == [0, 0, 90, 120])
    #expect(both.layout(.after)[2].width == 0)
    // Two runs of a side count by their calls.
    let runs = try #require(SidedCalleeTree(before: [before, before], after: []))
    #expect(runs.nodes[1].before == .init(calls: 2, total: 60, selfTime: 60))
    #expect(SidedCalleeTree(before: [], after: []) == nil)
  }

  @Test("What is too short is together, and nothing of its time is lost")
  func together() throws {
    let side = try tree(
      [("r", 0, 1, 1_000, 0), ("long", 0, 1, 700, 700)]
        + (0..<30).map { ("s\($0)", 0, 2, 10, 10) })
    let few = try #require(SidedCalleeTree(before: [side], after: [], most: 4))
    #expect(few.nodes.map(\.name) == ["r", "long", "s0", "s1", "(28 more)"])
    #expect(few.nodes.map(\.rest) == [0, 0, 0, 0, 28])
    #expect(few.nodes[4].before?.calls == 56 && few.nodes[4].before?.total == 280)
    #expect(few.leftOut == 28 && few.paths == 4)
    let extents = few.layout(.before)
    #expect(abs(extents[4].start - 0.72) < 1e-12 && abs(extents[4].width - 0.28) < 1e-12)
  }

  @Test(
    "Layout: within the caller, beside one another, also where callees claim more time",
    arguments: UInt64(1)...10)
  func layout(seed: UInt64) throws {
    var random = TestGenerator(state: seed)
    func side() throws -> CalleeTree {
      try tree(
        [("r", 0, 1, 1_000, 10)]
          + (1..<60).map { ("f\(random.roll(9))", random.roll($0), 1, Int64(random.roll(900)) - 20, 1) })
    }
    for most in [5, 30, 400] {
      let tree = try #require(SidedCalleeTree(before: [side()], after: [side()], most: most))
      #expect(tree.paths <= most)
      // What is drawn together stands behind its caller's other callees, with nothing below.
      for (index, node) in tree.nodes.enumerated() where node.rest > 0 {
        #expect(node.rest > 1 && !tree.nodes[(index + 1)...].contains { $0.parent == index })
        #expect(tree.nodes.indices.last { $0 > 0 && tree.nodes[$0].parent == node.parent } == index)
      }
      for basis in SidedCalleeTree.Basis.allCases {
        let extents = tree.layout(basis)
        #expect(extents[0] == .init(start: 0, width: 1))
        var end = [Double](repeating: -1, count: extents.count)
        for index in extents.indices.dropFirst() {
          let (own, caller) = (extents[index], extents[tree.nodes[index].parent])
          #expect(own.width >= 0 && own.start >= caller.start - 1e-12)
          #expect(own.start + own.width <= caller.start + caller.width + 1e-9)
          #expect(own.start >= end[tree.nodes[index].parent] - 1e-12)
          end[tree.nodes[index].parent] = own.start + own.width
          #expect(tree.nodes[index].level == tree.nodes[tree.nodes[index].parent].level + 1)
        }
      }
    }
  }
}
