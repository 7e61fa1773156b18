/// The callees of a function by path, before beside after, as averages over one call of the function.
///
/// Of one side alone where there is no comparison.
public struct SidedCalleeTree: Sendable, Hashable {
  /// What one call of the function spends there.
  public struct Figures: Sendable, Hashable {
    public var calls: Double
    /// Nanoseconds in it and below, and in it alone.
    public var total: Double
    public var selfTime: Double

    init(calls: Double, total: Double, selfTime: Double) {
      self.calls = calls
      self.total = total
      self.selfTime = selfTime
    }

    /// nil of none.
    init?(sum figures: [Figures]) {
      guard !figures.isEmpty else { return nil }
      calls = figures.reduce(0) { $0 + $1.calls }
      total = figures.reduce(0) { $0 + $1.total }
      selfTime = figures.reduce(0) { $0 + $1.selfTime }
    }
  }

  public struct Node: Sendable, Hashable {
    /// Without `.isra.N` and the like, by which both sides pair.
    public var name: String
    /// Index of the caller's node; 0 for the first too.
    public var parent: Int
    /// 0 for the function itself.
    public var level: Int
    /// nil where this side has no such path.
    public var before: Figures?
    public var after: Figures?
    /// Callees right below that are not among the nodes.
    public var leftOut = 0
    /// So many callees of one caller that are too short to be told apart, together; 0 for a callee by itself.
    public var rest = 0

    /// Nanoseconds: after less before.
    public var difference: Double { (after?.total ?? 0) - (before?.total ?? 0) }
    /// Of the before time; nil where there is none.
    public var relativeDifference: Double? {
      before.flatMap { $0.total > 0 ? difference / $0.total : nil }
    }

    func weight(_ basis: Basis) -> Double {
      switch basis {
      case .before: max(0, before?.total ?? 0)
      case .after: max(0, after?.total ?? 0)
      case .both: max(0, before?.total ?? 0) + max(0, after?.total ?? 0)
      }
    }
  }

  /// What a drawing's widths stand for.
  public enum Basis: Sendable, CaseIterable {
    case before, after
    /// The mean of the two, so that what one side does not have shows too.
    case both
  }

  /// A node as a drawing places it, in fractions of the whole width.
  public struct Extent: Sendable, Hashable {
    public var start: Double
    public var width: Double
  }

  /// Callers before callees, and of one caller the longest first.
  public private(set) var nodes: [Node]
  /// Paths, of however many there are, that are not among `nodes` by themselves.
  public private(set) var leftOut: Int

  /// Paths among `nodes`.
  public var paths: Int { nodes.reduce(0) { $0 + ($1.rest == 0 ? 1 : 0) } }

  /// - Parameters:
  ///   - before: a tree a run and symbol; a side without any is left out, and nil comes of two such.
  ///   - after: the same of the other side.
  ///   - most: nodes that are kept, the longest.
  ///   - leastShare: what a node takes of the function's time at least, to be kept.
  ///   - deepest: how many calls below the function a node is at most, to be kept.
  public init?(
    before: [CalleeTree], after: [CalleeTree], most: Int = 400, leastShare: Double = 0.0005,
    deepest: Int = 40
  ) {
    var merged = Merged()
    merged.add(before, \.before)
    merged.add(after, \.after)
    let (beforeCalls, afterCalls) = (merged.nodes[0].before.calls, merged.nodes[0].after.calls)
    guard beforeCalls > 0 || afterCalls > 0 else { return nil }
    func figures(_ sum: Merged.Sum, _ calls: Double) -> Figures? {
      guard calls > 0, sum.calls > 0 else { return nil }
      return Figures(
        calls: sum.calls / calls, total: sum.total / calls, selfTime: sum.selfTime / calls)
    }
    var all: [Node] = []
    for (index, node) in merged.nodes.enumerated() {
      all.append(
        Node(
          name: node.name, parent: node.parent, level: index == 0 ? 0 : all[node.parent].level + 1,
          before: figures(node.before, beforeCalls), after: figures(node.after, afterCalls),
          leftOut: node.leftOut))
    }
    let least = all[0].weight(.both) * leastShare
    let weights = all.map { $0.level > deepest || $0.weight(.both) < least ? -1 : $0.weight(.both) }
    let kept = Set(
      heaviest(most, parents: all.map(\.parent), weights: weights).filter { $0 == 0 || weights[$0] >= 0 })
    var children = [[Int]](repeating: [], count: all.count)
    var short: [Int: [Int]] = [:]
    let paths = all.count
    for index in all.indices.dropFirst() {
      if kept.contains(index), kept.contains(all[index].parent) {
        children[all[index].parent].append(index)
      } else if kept.contains(all[index].parent) {
        short[all[index].parent, default: []].append(index)
      }
    }
    // What one caller's short callees take together. One alone is only counted.
    for (parent, callees) in short.sorted(by: { $0.key < $1.key }) {
      var rest = all[callees[0]]
      rest.name = "(\(callees.count) more)"
      rest.rest = callees.count
      rest.leftOut = 0
      rest.before = Figures(sum: callees.compactMap { all[$0].before })
      rest.after = Figures(sum: callees.compactMap { all[$0].after })
      guard callees.count > 1, rest.weight(.both) > 0 else {
        all[parent].leftOut += callees.count
        continue
      }
      children[parent].append(all.count)
      children.append([])
      all.append(rest)
    }
    nodes = []
    // Depth first, so that the reading order is the tree's.
    var stack: [(index: Int, parent: Int)] = [(0, 0)]
    while let (index, parent) = stack.popLast() {
      var node = all[index]
      node.parent = parent
      let place = nodes.count
      nodes.append(node)
      let ordered = children[index].sorted {
        // The short ones last, however long they are together.
        (all[$0].rest > 0 ? 1 : 0, all[$1].weight(.both), all[$0].name)
          < (all[$1].rest > 0 ? 1 : 0, all[$0].weight(.both), all[$1].name)
      }
      stack += ordered.reversed().map { ($0, place) }
    }
    leftOut = paths - kept.count + merged.nodes.reduce(0) { $0 + $1.leftOut }
  }

  /// How deep it is, the function itself included.
  public var levels: Int { (nodes.map(\.level).max() ?? 0) + 1 }

  /// Where each node lies when widths stand for time: a callee within its caller, beside the other callees. What the
  /// callees leave is the caller's own time and what was left out.
  public func layout(_ basis: Basis) -> [Extent] {
    var below = [Double](repeating: 0, count: nodes.count)
    for index in nodes.indices.dropFirst() { below[nodes[index].parent] += nodes[index].weight(basis) }
    var extents = [Extent](repeating: Extent(start: 0, width: 0), count: nodes.count)
    var next = [Double](repeating: 0, count: nodes.count)
    for (index, node) in nodes.enumerated() {
      if index == 0 {
        extents[0] = Extent(start: 0, width: 1)
      } else {
        // As recorded, callees may take longer than their caller: they share its width then.
        let parent = nodes[node.parent].weight(basis)
        let whole = max(parent, below[node.parent])
        let width = whole > 0 ? node.weight(basis) / whole * extents[node.parent].width : 0
        extents[index] = Extent(start: next[node.parent], width: width)
        next[node.parent] += width
      }
      next[index] = extents[index].start
    }
    return extents
  }

  /// Sums of both sides by path of stripped names.
  private struct Merged {
    struct Sum {
      var calls = 0.0
      var total = 0.0
      var selfTime = 0.0
    }

    struct Node {
      var name: String
      var parent: Int
      var before = Sum()
      var after = Sum()
      var leftOut = 0
    }

    struct Key: Hashable {
      var parent: Int
      var name: String
    }

    var nodes = [Node(name: "", parent: 0)]
    private var places: [Key: Int] = [:]

    mutating func add(_ trees: [CalleeTree], _ side: WritableKeyPath<Node, Sum>) {
      for tree in trees {
        var place = [Int](repeating: 0, count: tree.nodes.count)
        for (index, node) in tree.nodes.enumerated() {
          let name = FunctionPattern.strippingSuffixes(node.function.symbol)
          if index == 0 {
            nodes[0].name = name
          } else {
            let key = Key(parent: place[node.parent], name: name)
            if let known = places[key] {
              place[index] = known
            } else {
              place[index] = nodes.count
              places[key] = nodes.count
              nodes.append(Node(name: name, parent: key.parent))
            }
          }
          nodes[place[index]][keyPath: side].calls += Double(node.calls)
          nodes[place[index]][keyPath: side].total += Double(node.total)
          nodes[place[index]][keyPath: side].selfTime += Double(node.selfTime)
          nodes[place[index]].leftOut = max(nodes[place[index]].leftOut, node.leftOut)
        }
      }
    }
  }
}
