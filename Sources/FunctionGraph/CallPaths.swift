/// The calling context tree: every distinct path from an outermost call down to a function, each once.
///
/// Ammons, Ball, Larus, "Exploiting hardware performance counters with flow and context sensitive profiling", PLDI 1997.
public struct CallPaths: Sendable {
  /// A node; the root stands for "no call".
  public struct ID: Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
      self.rawValue = rawValue
    }
  }

  public static let root = ID(rawValue: 0)

  /// More paths than this are not told apart: deeper ones count for their ancestor.
  public static let limit = 1 << 20

  private struct Node: Sendable {
    var parent: UInt32
    var function: FunctionID
  }

  private var nodes: [Node] = [Node(parent: 0, function: .none)]
  /// By parent and function.
  private var children = PairMap()
  /// True once `limit` was reached.
  public private(set) var isTruncated = false

  public init() {}

  /// How many nodes there are, the root included. Parents have smaller numbers than their children.
  public var count: Int { nodes.count }

  public func function(_ id: ID) -> FunctionID { nodes[Int(id.rawValue)].function }

  /// The caller's path; the root's parent is the root.
  public func parent(_ id: ID) -> ID { ID(rawValue: nodes[Int(id.rawValue)].parent) }

  package mutating func child(of parent: ID, _ function: FunctionID) -> ID {
    let key = UInt64(parent.rawValue) << 32 | UInt64(function.rawValue)
    if let known = children[key] { return ID(rawValue: known) }
    guard nodes.count < Self.limit else {
      isTruncated = true
      return parent
    }
    let id = UInt32(nodes.count)
    nodes.append(Node(parent: parent.rawValue, function: function))
    children.insert(key, id)
    return ID(rawValue: id)
  }
}
