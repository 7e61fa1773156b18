internal import FunctionGraph

extension CalleeTree {
  /// Those that have a tree, of functions by buffer and then by total time.
  static func roots(_ ordered: [CalleeCollector.Root]) -> [CalleeCollector.Root] {
    var counts: [UInt16: Int] = [:]
    return ordered.filter { root in
      counts[root.buffer, default: 0] += 1
      return counts[root.buffer, default: 0] <= functionsLimit
    }
  }
}

extension CalleeCollector {
  /// The trees below some functions: as `tables`, but path by path.
  ///
  /// A function that calls itself has its own calls as callees; paths to it from several callers are taken together.
  func trees(_ roots: [Root], paths: CallPaths, functions: FunctionTable) -> [Root: CalleeTree] {
    var result: [Root: CalleeTree] = [:]
    for buffer in Set(roots.map(\.buffer)) {
      let wanted = roots.filter { $0.buffer == buffer }.map(\.function)
      var growing = GrowingTrees(wanted)
      growing.add(paths, isBelowRoot: isBelowRoot)
      for sum in pathSums where sum.buffer == buffer {
        growing.add(path: sum.path, calls: sum.calls, total: sum.total, selfTime: sum.selfTime)
      }
      for (function, tree) in growing.trees(functions) {
        result[Root(buffer: buffer, function: function)] = tree
      }
    }
    return result
  }
}

/// Trees that are made from paths: a path has a node in the tree of every wanted function on it.
private struct GrowingTrees {
  /// Of one tree; what lies deeper counts in its callers' totals.
  static let nodesLimit = 1 << 16

  private struct Node {
    var function: FunctionID
    var parent: Int
    var calls = 0
    var total: Int64 = 0
    var selfTime: Int64 = 0
  }

  private struct Key: Hashable {
    var tree: Int
    var parent: Int
    var function: FunctionID
  }

  private struct Place {
    var tree: Int32
    var node: Int32
  }

  private let roots: [FunctionID]
  private let treeOf: [FunctionID: Int]
  private var nodes: [[Node]]
  private var children: [Key: Int] = [:]
  /// A path's nodes are `places[firstPlace[path]..<firstPlace[path + 1]]`.
  private var places: [Place] = []
  private var firstPlace: [Int] = [0]

  init(_ roots: [FunctionID]) {
    self.roots = roots
    treeOf = Dictionary(roots.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    nodes = roots.map { [Node(function: $0, parent: 0)] }
  }

  mutating func add(_ paths: CallPaths, isBelowRoot: (UInt32) -> Bool) {
    firstPlace.append(0)
    for number in 1..<max(1, paths.count) {
      let path = CallPaths.ID(rawValue: UInt32(number))
      if isBelowRoot(path.rawValue) { add(paths.function(path), below: Int(paths.parent(path).rawValue)) }
      firstPlace.append(places.count)
    }
  }

  private mutating func add(_ function: FunctionID, below parent: Int) {
    let own = treeOf[function]
    var isInOwnTree = false
    for index in firstPlace[parent]..<firstPlace[parent + 1] {
      let above = places[index]
      let tree = Int(above.tree)
      if tree == own { isInOwnTree = true }
      let key = Key(tree: tree, parent: Int(above.node), function: function)
      let node: Int
      if let known = children[key] {
        node = known
      } else {
        guard nodes[tree].count < Self.nodesLimit else { continue }
        node = nodes[tree].count
        nodes[tree].append(Node(function: function, parent: Int(above.node)))
        children[key] = node
      }
      places.append(Place(tree: above.tree, node: Int32(node)))
    }
    if let own, !isInOwnTree { places.append(Place(tree: Int32(own), node: 0)) }
  }

  mutating func add(path: UInt32, calls: Int, total: Int64, selfTime: Int64) {
    guard Int(path) + 1 < firstPlace.count else { return }
    for place in places[firstPlace[Int(path)]..<firstPlace[Int(path) + 1]] {
      let (tree, node) = (Int(place.tree), Int(place.node))
      nodes[tree][node].calls += calls
      nodes[tree][node].total &+= total
      nodes[tree][node].selfTime &+= selfTime
    }
  }

  /// Of the functions that have whole calls.
  func trees(_ functions: FunctionTable) -> [(FunctionID, CalleeTree)] {
    roots.indices.compactMap { index in
      guard nodes[index][0].calls > 0 else { return nil }
      // Paths that no whole call took are no part of it; a callee of such a path has none either.
      var place = [Int](repeating: -1, count: nodes[index].count)
      var kept: [CalleeTree.Node] = []
      for (number, node) in nodes[index].enumerated()
      where node.calls > 0 && (number == 0 || place[node.parent] >= 0) {
        place[number] = kept.count
        kept.append(
          CalleeTree.Node(
            function: functions[node.function], parent: number == 0 ? 0 : place[node.parent],
            calls: node.calls,
            total: node.total, selfTime: node.selfTime))
      }
      return CalleeTree(nodes: kept).map { (roots[index], $0.ordered().pruned()) }
    }
  }
}
