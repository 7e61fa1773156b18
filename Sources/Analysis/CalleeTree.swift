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

  /// The function itself first, callers before their callees. The figures are of whole calls only.
  public private(set) var nodes: [Node]

  /// nil unless every node stands behind its caller, which comes with `nodes` that were not made here.
  public init?(nodes: [Node]) {
    guard !nodes.isEmpty, nodes[0].parent == 0,
      nodes.indices.dropFirst().allSatisfy({ (0..<$0).contains(nodes[$0].parent) })
    else { return nil }
    self.nodes = nodes
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
