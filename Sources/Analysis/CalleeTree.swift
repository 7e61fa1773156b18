public import FunctionGraph

/// Where the time of a function's calls goes, path by path: the calling context tree below it.
public struct CalleeTree: Sendable, Hashable {
  /// Nodes that are kept of one function.
  public static let limit = 4_096
  /// Functions of a buffer, those with the longest totals, that have a tree.
  public static let functionsLimit = 32

  public struct Node: Sendable, Hashable {
    public var function: FunctionName
    /// Index of the caller's node; 0 for the first node too, which is the function itself.
    public var parent: Int
    public var calls: Int
    /// Nanoseconds in it and below.
    public var total: Int64
    /// Nanoseconds in it alone; may be negative as recorded.
    public var selfTime: Int64
    /// Callees right below that are not kept; their time is in `total`, not in `selfTime`.
    public var leftOut = 0

    public init(
      function: FunctionName, parent: Int, calls: Int, total: Int64, selfTime: Int64, leftOut: Int = 0
    ) {
      self.function = function
      self.parent = parent
      self.calls = calls
      self.total = total
      self.selfTime = selfTime
      self.leftOut = leftOut
    }
  }

  /// The function itself first, callers before their callees: as `ordered` where it was made of a trace. The figures are of
  /// whole calls only.
  public private(set) var nodes: [Node]

  /// nil unless every node stands behind its caller, which comes with `nodes` that were not made here.
  public init?(nodes: [Node]) {
    guard !nodes.isEmpty, nodes[0].parent == 0,
      nodes.indices.dropFirst().allSatisfy({ (0..<$0).contains(nodes[$0].parent) })
    else { return nil }
    self.nodes = nodes
  }

  /// The same, each callee, with all below it, right behind its caller, of several the one with the longest total first: an
  /// order that does not depend on how the trace was read.
  func ordered() -> CalleeTree {
    let places = nodes.indices.dropFirst().sorted { a, b in
      let (one, other) = (nodes[a], nodes[b])
      return (one.total, other.function.symbol, other.function.module)
        < (other.total, one.function.symbol, one.function.module)
    }
    // Lists of callees: where the first is, and from each where the next. The last one that is put in front is the first.
    var first = [Int](repeating: 0, count: nodes.count)
    var next = first
    for place in places {
      next[place] = first[nodes[place].parent]
      first[nodes[place].parent] = place
    }
    var result: [Node] = []
    // Without recursion: a path may be long. With each node that is to come, its caller's place in the result.
    var stack: [(place: Int, parent: Int)] = [(0, 0)]
    while let (place, parent) = stack.popLast() {
      var node = nodes[place]
      node.parent = parent
      let number = result.count
      result.append(node)
      // A sibling comes when all below is there.
      if next[place] != 0 { stack.append((next[place], parent)) }
      if first[place] != 0 { stack.append((first[place], number)) }
    }
    var tree = self
    tree.nodes = result
    return tree
  }

  /// The same with at most `most` nodes, those with the longest totals, each with its callers.
  public func pruned(to most: Int = CalleeTree.limit) -> CalleeTree {
    guard nodes.count > most else { return self }
    let kept = heaviest(most, parents: nodes.map(\.parent), weights: nodes.map { Double($0.total) })
    var place = [Int](repeating: -1, count: nodes.count)
    var result: [Node] = []
    for index in kept {
      place[index] = result.count
      var node = nodes[index]
      node.parent = index == 0 ? 0 : place[node.parent]
      result.append(node)
    }
    for index in nodes.indices.dropFirst() where place[index] < 0 && place[nodes[index].parent] >= 0 {
      result[place[nodes[index].parent]].leftOut += 1
    }
    var tree = self
    tree.nodes = result
    return tree
  }
}

/// The indices, ascending, of the first node and at most `most` − 1 others, the heaviest whose parents are in too.
///
/// - Parameter parents: each smaller than its own index, but for the first.
func heaviest(_ most: Int, parents: [Int], weights: [Double]) -> [Int] {
  guard !parents.isEmpty else { return [] }
  // As heavy as its lightest ancestor at most, so that a parent never comes after its child.
  var limited = weights
  for index in weights.indices.dropFirst() { limited[index] = min(weights[index], limited[parents[index]]) }
  let order = weights.indices.dropFirst().sorted { (limited[$1], $0) < (limited[$0], $1) }
  return ([0] + order.prefix(max(0, most - 1))).sorted()
}
