internal import FunctionGraph

/// Sums what happens below the selected functions, path by path, and counts it when the call above turns out whole.
struct CalleeCollector {
  private struct Sum {
    var calls = 0
    var total: Int64 = 0
    var selfTime: Int64 = 0
    /// As of `total`; −1 where it cannot be told of a call.
    var offCPU: Int64 = 0
    var interrupts: Int64 = 0

    var isNothing: Bool { calls == 0 && total == 0 && selfTime == 0 }

    mutating func add(_ other: Sum) {
      calls += other.calls
      total &+= other.total
      selfTime &+= other.selfTime
      addTimeAway(other)
    }

    mutating func addTimeAway(_ other: Sum) {
      offCPU = offCPU < 0 || other.offCPU < 0 ? -1 : offCPU &+ other.offCPU
      interrupts = interrupts < 0 || other.interrupts < 0 ? -1 : interrupts &+ other.interrupts
    }
  }

  /// Sums by number, in the order in which the numbers came up first.
  private struct Sums {
    private(set) var all: [(number: UInt64, sum: Sum)] = []
    private var places = PairMap()
    /// The number looked up last: a function that is called again and again.
    private var last = -1

    mutating func add(_ sum: Sum, to number: UInt64) {
      if last >= 0, all[last].number == number {
        all[last].sum.add(sum)
      } else if let place = places[number] {
        last = Int(place)
        all[last].sum.add(sum)
      } else {
        last = all.count
        places.insert(number, UInt32(last))
        all.append((number, sum))
      }
    }

    /// Keeps a few numbers, which come again, with nothing in them.
    mutating func reset() {
      if all.count > 64 {
        self = Sums()
      } else {
        for place in all.indices { all[place].sum = Sum() }
      }
    }
  }

  /// What has happened below an open call so far.
  private struct Below {
    var sums = Sums()
    /// Every call there has both its ends.
    var isWhole = true
  }

  /// A function of a buffer, as `FunctionDurations` are kept.
  struct Root: Hashable {
    var buffer: UInt16
    var function: FunctionID
  }

  /// For each path the path of the outermost selected call on it, 0 where there is none.
  private var rootOf: [UInt32] = [0]
  /// By the stack of the open calls.
  private var pending: [Below] = []
  /// By buffer and path.
  private var sums = Sums()

  init() {}

  /// Takes up what a reader has summed up by path already.
  init(_ tally: TraceTally, isSelected: (FunctionID) -> Bool) {
    extendRoots(tally.paths, isSelected)
    for (buffer, path, sum) in tally.sums {
      sums.add(
        Sum(calls: sum.calls, total: sum.total, selfTime: sum.selfTime),
        to: UInt64(buffer) << 32 | UInt64(path.rawValue))
    }
  }

  /// Takes a call and says what it is below; `isSelected` tells of a function whether its calls are wanted, `isWanted`
  /// whether this very call passes the filters.
  mutating func add(_ call: Call, paths: CallPaths, isSelected: (FunctionID) -> Bool, isWanted: Bool) {
    extendRoots(paths, isSelected)
    let path = call.path.rawValue
    guard path != 0, Int(path) < rootOf.count else { return }
    let root = rootOf[Int(path)]
    guard root != 0 else { return }
    var sum = Sum(
      calls: 1, total: call.duration ?? 0, selfTime: call.selfTime ?? 0, offCPU: call.offCPU ?? -1,
      interrupts: call.interrupts ?? -1)
    // Beyond the limit of paths a call stands on its ancestor's, whose total holds it already.
    let isTruncated = paths.isTruncated && paths.function(call.path) != call.function
    if isTruncated { sum = Sum(selfTime: sum.selfTime) }
    let stack = Int(call.stack)
    while pending.count <= stack { pending.append(Below()) }
    guard root == path, !isTruncated else {
      pending[stack].sums.add(sum, to: UInt64(path))
      if call.status != .complete || call.duration == nil { pending[stack].isWhole = false }
      return
    }
    defer {
      pending[stack].sums.reset()
      pending[stack].isWhole = true
    }
    guard isWanted, call.status == .complete, call.duration != nil, pending[stack].isWhole else { return }
    let buffer = UInt64(call.buffer) << 32
    sums.add(sum, to: buffer | UInt64(path))
    for (path, sum) in pending[stack].sums.all where !sum.isNothing {
      sums.add(sum, to: buffer | path)
    }
  }

  private mutating func extendRoots(_ paths: CallPaths, _ isSelected: (FunctionID) -> Bool) {
    while rootOf.count < paths.count {
      let id = CallPaths.ID(rawValue: UInt32(rootOf.count))
      let above = rootOf[Int(paths.parent(id).rawValue)]
      rootOf.append(above != 0 ? above : (isSelected(paths.function(id)) ? id.rawValue : 0))
    }
  }

  /// What each path took within whole calls of selected functions.
  var pathSums: some Sequence<(buffer: UInt16, path: UInt32, calls: Int, total: Int64, selfTime: Int64)> {
    sums.all.lazy.map { number, sum in
      (
        UInt16(truncatingIfNeeded: number >> 32), UInt32(truncatingIfNeeded: number), sum.calls, sum.total,
        sum.selfTime
      )
    }
  }

  /// Whether a path has a selected function on it.
  func isBelowRoot(_ path: UInt32) -> Bool { Int(path) < rootOf.count && rootOf[Int(path)] != 0 }

  /// The tables, one a buffer and selected function: also of those that are only called by another selected one.
  ///
  /// - Parameters:
  ///   - sources: what each buffer has records of, by its number.
  ///   - jobs: how many threads may fill them.
  func tables(
    paths: CallPaths, functions: FunctionTable, sources: [Int: TimeAwaySources] = [:], jobs: Int = 1,
    isSelected: (FunctionID) -> Bool
  ) -> [Root: CalleeTable] {
    var walk = Walk(functions.count)
    // A path's sums, one a buffer, and its children, as lists: where the first is, and from each where the next.
    var firstSum = [Int](repeating: -1, count: paths.count)
    var nextSum = [Int](repeating: -1, count: sums.all.count)
    for (index, entry) in sums.all.enumerated() {
      let path = Int(UInt32(truncatingIfNeeded: entry.number))
      nextSum[index] = firstSum[path]
      firstSum[path] = index
    }
    var nextChild = [Int](repeating: 0, count: paths.count)
    var firstChild = nextChild
    for path in (1..<max(1, paths.count)).reversed() {
      let parent = Int(paths.parent(CallPaths.ID(rawValue: UInt32(path))).rawValue)
      nextChild[path] = firstChild[parent]
      firstChild[parent] = path
    }
    // Without recursion: a path may be 100,000 calls long. With each path above, its child that comes next, 0 of none.
    var stack: [(path: Int, next: Int)] = [(0, firstChild[0])]
    while let top = stack.last {
      if top.next != 0 {
        let path = top.next
        stack[stack.count - 1].next = nextChild[path]
        if rootOf[path] != 0 {
          let function = paths.function(CallPaths.ID(rawValue: UInt32(path)))
          let isSelected = isSelected(function)
          var index = firstSum[path]
          while index >= 0 {
            let (number, sum) = sums.all[index]
            walk.count(
              function, depth: stack.count, buffer: UInt16(truncatingIfNeeded: number >> 32), sum,
              isSelected: isSelected)
            index = nextSum[index]
          }
          walk.enter(function, depth: stack.count, isSelected: isSelected)
        }
        stack.append((path, firstChild[path]))
      } else {
        stack.removeLast()
        if rootOf[top.path] != 0 {
          walk.leave(paths.function(CallPaths.ID(rawValue: UInt32(top.path))))
        }
      }
    }
    return walk.tables(functions, sources, jobs)
  }

  /// One walk over all paths, each of which counts for every selected function above it.
  private struct Walk {
    /// A selected function of a buffer, as far as its calls are not below others of the same.
    private struct Parent {
      var root: Root
      /// What its own calls took; nil where none was whole, and its rows count for nothing.
      var sum: Sum?
    }

    private struct Row {
      var parent: Int
      var callee: FunctionID
      var sum = Sum()
      var level: Int
    }

    /// The outermost calls of selected functions on the path, outermost first.
    private var roots: [(function: FunctionID, depth: Int)] = []
    /// By function: how deep its calls stand on the path, outermost first.
    private var depths: [[Int]]
    private var parents: [Parent] = []
    private var parentOf = PairMap()
    private var rows: [Row] = []
    /// By parent and callee.
    private var rowOf = PairMap()

    init(_ functionCount: Int) { depths = Array(repeating: [], count: functionCount) }

    private mutating func parent(_ buffer: UInt16, _ function: FunctionID) -> Int {
      let key = UInt64(buffer) << 32 | UInt64(function.rawValue)
      if let known = parentOf[key] { return Int(known) }
      parentOf.insert(key, UInt32(parents.count))
      parents.append(Parent(root: Root(buffer: buffer, function: function)))
      return parents.count - 1
    }

    private mutating func row(_ parent: Int, _ callee: FunctionID, level: Int) -> Int {
      let key = UInt64(parent) << 32 | UInt64(callee.rawValue)
      if let known = rowOf[key] { return Int(known) }
      rowOf.insert(key, UInt32(rows.count))
      rows.append(Row(parent: parent, callee: callee, level: level))
      return rows.count - 1
    }

    /// What a buffer's calls took on the path to `function`, which is not entered yet.
    mutating func count(
      _ function: FunctionID, depth: Int, buffer: UInt16, _ sum: Sum, isSelected: Bool
    ) {
      let innermost = depths[Int(function.rawValue)].last
      for root in roots {
        let place = row(parent(buffer, root.function), function, level: depth - root.depth)
        rows[place].sum.calls += sum.calls
        rows[place].sum.selfTime &+= sum.selfTime
        // A call inside a call of the same function, at or below the selected one, is in that one's total.
        if innermost.map({ $0 < root.depth }) ?? true {
          rows[place].sum.total &+= sum.total
          rows[place].sum.addTimeAway(sum)
        }
        rows[place].level = min(rows[place].level, depth - root.depth)
      }
      if isSelected, innermost == nil {
        let place = parent(buffer, function)
        parents[place].sum = parents[place].sum ?? Sum()
        parents[place].sum?.add(sum)
      }
    }

    mutating func enter(_ function: FunctionID, depth: Int, isSelected: Bool) {
      if isSelected, depths[Int(function.rawValue)].isEmpty { roots.append((function, depth)) }
      depths[Int(function.rawValue)].append(depth)
    }

    mutating func leave(_ function: FunctionID) {
      depths[Int(function.rawValue)].removeLast()
      if depths[Int(function.rawValue)].isEmpty, roots.last?.function == function { roots.removeLast() }
    }

    func tables(
      _ functions: FunctionTable, _ sources: [Int: TimeAwaySources], _ jobs: Int
    ) -> [Root: CalleeTable] {
      var rowsOf = [[Int]](repeating: [], count: parents.count)
      for (number, row) in rows.enumerated() where parents[row.parent].sum != nil {
        rowsOf[row.parent].append(number)
      }
      var made = [CalleeTable?](repeating: nil, count: parents.count)
      made.withUnsafeMutableBufferPointer { made in
        inParallel(made.count, workers: jobs) { [rowsOf] place, _ in
          guard let sum = parents[place].sum else { return }
          made[place] = table(parents[place].root, sum, rowsOf[place], functions, sources)
        }
      }
      var tables: [Root: CalleeTable] = [:]
      tables.reserveCapacity(made.count)
      for (place, table) in made.enumerated() { tables[parents[place].root] = table }
      return tables
    }

    /// - Parameter numbers: of its rows.
    private func table(
      _ root: Root, _ sum: Sum, _ numbers: [Int], _ functions: FunctionTable,
      _ sources: [Int: TimeAwaySources]
    ) -> CalleeTable {
      let known = sources[Int(root.buffer)]
      func offCPU(_ sum: Sum) -> Int64? {
        sum.offCPU >= 0 && known?.hasSwitches == true ? sum.offCPU : nil
      }
      func interrupts(_ sum: Sum) -> Int64? {
        sum.interrupts >= 0 && known?.hasInterrupts == true ? sum.interrupts : nil
      }
      let made = numbers.map { number in
        let row = rows[number]
        var made = CalleeTable.Row(
          function: functions[row.callee], calls: row.sum.calls, total: row.sum.total,
          selfTime: row.sum.selfTime, level: row.level)
        made.offCPU = offCPU(row.sum)
        made.interrupts = interrupts(row.sum)
        return made
      }
      return CalleeTable(
        parentCalls: sum.calls, parentTotal: sum.total, parentSelf: sum.selfTime,
        parentOffCPU: offCPU(sum), parentInterrupts: interrupts(sum),
        rows: made.sorted { a, b in
          a.total != b.total
            ? b.total < a.total
            : (a.function.symbol, a.function.module) < (b.function.symbol, b.function.module)
        })
    }
  }
}
