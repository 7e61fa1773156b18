internal import FunctionGraph

/// Sums what happens below the selected functions, path by path, and counts it when the call above turns out whole.
struct CalleeCollector {
  private struct Sum {
    var calls = 0
    var total: Int64 = 0
    var selfTime: Int64 = 0

    mutating func add(_ other: Sum) {
      calls += other.calls
      total &+= other.total
      selfTime &+= other.selfTime
    }
  }

  /// What has happened below an open call so far.
  private struct Below {
    var sums: [UInt32: Sum] = [:]
    /// Every call there has both its ends.
    var isWhole = true
  }

  private struct Place: Hashable {
    var buffer: UInt16
    var path: UInt32
  }

  /// A function of a buffer, as `FunctionDurations` are kept.
  struct Root: Hashable {
    var buffer: UInt16
    var function: FunctionID
  }

  /// For each path the path of the outermost selected call on it, 0 where there is none.
  private var rootOf: [UInt32] = [0]
  /// By the stack of the open calls.
  private var pending: [UInt32: Below] = [:]
  private var sums: [Place: Sum] = [:]

  /// Takes a call and says what it is below; `isSelected` tells of a function whether its calls are wanted, `isWanted`
  /// whether this very call passes the filters.
  mutating func add(_ call: Call, paths: CallPaths, isSelected: (FunctionID) -> Bool, isWanted: Bool) {
    extendRoots(paths, isSelected)
    let path = call.path.rawValue
    guard path != 0, Int(path) < rootOf.count else { return }
    let root = rootOf[Int(path)]
    guard root != 0 else { return }
    var sum = Sum(calls: 1, total: call.duration ?? 0, selfTime: call.selfTime ?? 0)
    // Beyond the limit of paths a call stands on its ancestor's, whose total holds it already.
    let isTruncated = paths.isTruncated && paths.function(call.path) != call.function
    if isTruncated { sum = Sum(selfTime: sum.selfTime) }
    guard root == path, !isTruncated else {
      pending[call.stack, default: Below()].sums[path, default: Sum()].add(sum)
      if call.status != .complete || call.duration == nil { pending[call.stack]?.isWhole = false }
      return
    }
    let below = pending.removeValue(forKey: call.stack)
    guard isWanted, call.status == .complete, call.duration != nil, below?.isWhole != false else { return }
    sums[Place(buffer: call.buffer, path: path), default: Sum()].add(sum)
    for (path, sum) in below?.sums ?? [:] {
      sums[Place(buffer: call.buffer, path: path), default: Sum()].add(sum)
    }
  }

  private mutating func extendRoots(_ paths: CallPaths, _ isSelected: (FunctionID) -> Bool) {
    while rootOf.count < paths.count {
      let id = CallPaths.ID(rawValue: UInt32(rootOf.count))
      let above = rootOf[Int(paths.parent(id).rawValue)]
      rootOf.append(above != 0 ? above : (isSelected(paths.function(id)) ? id.rawValue : 0))
    }
  }

  /// The tables, one a buffer and selected function.
  func tables(paths: CallPaths, functions: FunctionTable) -> [Root: CalleeTable] {
    struct Key: Hashable {
      var root: Root
      var callee: FunctionID
    }
    let positions = positionsInTree(paths)
    var parents: [Root: Sum] = [:]
    var rows: [Key: (sum: Sum, level: Int)] = [:]
    for (place, sum) in sums {
      let path = place.path
      let root = Root(
        buffer: place.buffer, function: paths.function(CallPaths.ID(rawValue: rootOf[Int(path)])))
      if path == rootOf[Int(path)] {
        parents[root, default: Sum()].add(sum)
        continue
      }
      let position = positions[Int(path)]
      let key = Key(root: root, callee: paths.function(CallPaths.ID(rawValue: path)))
      var row = rows[key] ?? (Sum(), position.level)
      row.sum.calls += sum.calls
      row.sum.selfTime &+= sum.selfTime
      if !position.isRecursive { row.sum.total &+= sum.total }
      row.level = min(row.level, position.level)
      rows[key] = row
    }
    var tables = parents.mapValues {
      CalleeTable(parentCalls: $0.calls, parentTotal: $0.total, parentSelf: $0.selfTime, rows: [])
    }
    for (key, row) in rows {
      tables[key.root]?.rows.append(
        CalleeTable.Row(
          function: functions[key.callee], calls: row.sum.calls, total: row.sum.total,
          selfTime: row.sum.selfTime,
          level: row.level))
    }
    return tables.mapValues { table in
      var table = table
      table.rows.sort {
        ($1.total, $0.function.symbol, $0.function.module) < (
          $0.total, $1.function.symbol, $1.function.module
        )
      }
      return table
    }
  }

  private struct Position {
    /// How far below its selected call.
    var level = 0
    /// The same function stands above it, below or at the selected call.
    var isRecursive = false
  }

  /// Each path's position, by one walk of the tree, so that a path of 100,000 calls costs no more than as many short ones.
  private func positionsInTree(_ paths: CallPaths) -> [Position] {
    var positions = [Position](repeating: Position(), count: paths.count)
    var children = [[UInt32]](repeating: [], count: paths.count)
    for path in 1..<max(1, paths.count) {
      children[Int(paths.parent(CallPaths.ID(rawValue: UInt32(path))).rawValue)].append(UInt32(path))
    }
    var active: [FunctionID: Int] = [:]
    var stack: [(path: UInt32, next: Int)] = [(0, 0)]
    while let top = stack.last {
      if top.next < children[Int(top.path)].count {
        stack[stack.count - 1].next += 1
        let path = children[Int(top.path)][top.next]
        let root = rootOf[Int(path)]
        if root != 0 {
          let function = paths.function(CallPaths.ID(rawValue: path))
          positions[Int(path)] = Position(
            level: path == root ? 0 : positions[Int(top.path)].level + 1,
            isRecursive: active[function, default: 0] > 0)
          active[function, default: 0] += 1
        }
        stack.append((path, 0))
      } else {
        stack.removeLast()
        if rootOf[Int(top.path)] != 0 {
          active[paths.function(CallPaths.ID(rawValue: top.path)), default: 1] -= 1
        }
      }
    }
    return positions
  }
}
