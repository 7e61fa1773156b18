internal import FunctionGraph

/// For each call path: where the outermost selected function stands on it.
struct PathRoots {
  /// More functions than this below a root are not told apart: what is deeper stands on the last that is shown.
  static let shownLevels: Int32 = 512

  private struct Node {
    /// The path of the outermost selected call, 0 where there is none.
    var root: UInt32
    /// Calls on the path, from 1 for an outermost one.
    var level: Int32
    /// The path that is shown for this one.
    var shown: UInt32
  }

  private var nodes = [Node(root: 0, level: 0, shown: 0)]
  /// Some path was longer than `shownLevels`.
  private(set) var isCut = false

  /// Takes in the paths that are new since the last time.
  mutating func extend(_ paths: CallPaths, _ isSelected: (FunctionID) -> Bool) {
    while nodes.count < paths.count {
      let number = UInt32(nodes.count)
      let id = CallPaths.ID(rawValue: number)
      let parent = nodes[Int(paths.parent(id).rawValue)]
      let root = parent.root != 0 ? parent.root : (isSelected(paths.function(id)) ? number : 0)
      let level = parent.level + 1
      let rootLevel = root == number ? level : nodes[Int(root)].level
      let isShown = root == 0 || level - rootLevel < Self.shownLevels
      if !isShown { isCut = true }
      nodes.append(Node(root: root, level: level, shown: isShown ? number : parent.shown))
    }
  }

  /// The path of the outermost selected call on `path`; nil where there is none.
  func root(of path: CallPaths.ID) -> CallPaths.ID? {
    let root = nodes[Int(path.rawValue)].root
    return root == 0 ? nil : CallPaths.ID(rawValue: root)
  }

  func level(of path: CallPaths.ID) -> Int32 { nodes[Int(path.rawValue)].level }

  func shown(for path: CallPaths.ID) -> CallPaths.ID {
    CallPaths.ID(rawValue: nodes[Int(path.rawValue)].shown)
  }
}
