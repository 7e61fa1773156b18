internal import FunctionGraph

/// A CPU's data, or that of several, summed up in parts, by several threads at once: what a part does not know of the one in front of it, and how
/// the two are put together.
///
/// A part that begins inside the data (a continuation) learns from a task's first record how many of its calls are open, and
/// takes them for inherited: calls at those depths whose function and past are not known. What is called below them is summed
/// up on paths that begin there, each task's by itself; when they end, it is kept how. Once the part in front is done, its
/// open calls are put in their places: the paths go on from theirs, the ends are theirs.
extension StackTally {
  /// What a task had open when a continuation saw it first.
  struct Inherited {
    /// How a call ended that has its exit.
    struct Exit {
      let function: UInt32
      let duration: Int64
      let time: UInt64
    }

    struct End {
      let depth: Int32
      /// nil where it has none.
      let exit: Exit?
      /// What happened below it in this part.
      let frame: Frame
      let isLost: Bool
    }

    /// Calls at the depths 0 ..< `count`.
    var count: Int32
    /// When, and on which CPU, the task was seen first; how many losses that one had had in this part before.
    let time: UInt64
    let lane: Int
    let losses: Int
    /// Those that have ended, innermost first.
    var ended: [End] = []
    /// Of each, the node that stands for it.
    var nodes: [UInt32] = []
    /// The depth of the innermost inherited call below which a call ended that was not whole, or had such ones inside; −1
    /// where there is none.
    var broken: Int32 = -1
  }

  /// No stack is as deep: the kernel's own has room for 50 calls, or some hundreds (kernel/trace/fgraph.c,
  /// `SHADOW_STACK_SIZE`).
  private static var mostInherited: Int32 { 1 << 10 }

  /// A task's first record in a continuation: `depth` calls are open.
  func inherit(_ depth: Int32, _ task: Task, at time: UInt64) {
    var inherited = Inherited(count: depth, time: time, lane: task.lane, losses: task.lastLoss)
    if depth > Self.mostInherited || nodes.count + Int(depth) > CallPaths.limit / 2 {
      cannotJoin = true
      inherited.count = 0
    }
    var above: UInt32 = 0
    for depth in 0..<inherited.count {
      above = addInheritedNode(below: above)
      inherited.nodes.append(above)
      task.frames.append(.inherited(node: above, depth: depth))
    }
    if inherited.losses > 0 { task.lostBelow = task.frames.count - 1 }
    task.inherited = inherited
  }

  /// The innermost open call is an inherited one, and ends.
  func endInherited(_ frame: Frame, _ task: Task, _ exit: Inherited.Exit?) {
    let isLost = pop(task)
    task.inherited?.ended.append(
      Inherited.End(depth: frame.depth, exit: exit, frame: frame, isLost: isLost))
  }

  /// An outermost selected call that was not whole has ended; the innermost inherited call is its caller.
  func noteBroken(_ task: Task) {
    let open = Self.inheritedCount(task)
    guard open > 0, let broken = task.inherited?.broken else { return }
    task.inherited?.broken = max(broken, Int32(open - 1))
  }

  /// How many inherited calls are open: they are below all others.
  private static func inheritedCount(_ task: Task) -> Int {
    var count = 0
    while count + 1 < task.frames.count, task.frames.base[count + 1].isInherited { count += 1 }
    return count
  }

  /// Goes on where `previous` ended, which summed up what stands in front of a continuation's data. Both are closed.
  ///
  /// - Returns: false where it cannot be told what comes out: this one is of no use any more then, and its data is to be taken
  ///   by `previous`, which goes on.
  func join(_ previous: StackTally) -> Bool {
    if cannotJoin || previous.cannotJoin { return false }
    let joint = Joint(self, previous)
    for (key, inherited) in inheritances {
      let task = Task(on: inherited.lane)
      task.inherited = inherited
      tasks[key] = task
    }
    inheritances = [:]
    for task in tasks.values { task.lastLoss += previous.lanes[task.lane].losses.count }
    for (lane, before) in zip(lanes, previous.lanes) { lane.losses.prepend(before.losses) }
    // In an order that does not change from run to run, as paths get their numbers here.
    for key in previous.tasks.keys.sorted() {
      guard let earlier = previous.tasks[key], earlier.frames.count > 1 else { continue }
      if let task = tasks[key] {
        let isBehindLoss = task.inherited.map { isLossBetween(earlier, $0, previous) } ?? false
        guard resume(task, earlier, isBehindLoss: isBehindLoss, joint) else { return false }
      } else {
        let task = Task(on: earlier.lane)
        joint.restore(task, earlier)
        task.lostBelow = earlier.lostBelow
        task.lastLoss = earlier.lastLoss
        task.seen = earlier.seen
        tasks[key] = task
      }
    }
    for key in tasks.keys.sorted() {
      guard let task = tasks[key], let inherited = task.inherited else { continue }
      guard resume(task, nil, isBehindLoss: inherited.losses > 0, joint) else { return false }
    }
    close()
    isContinuation = false
    return true
  }

  /// Whether events of a task were lost between the part in front, whose losses stand in front of this one's already, and its
  /// first record here.
  private func isLossBetween(_ earlier: Task, _ inherited: Inherited, _ previous: StackTally) -> Bool {
    LaneLosses.concern(
      from: (lanes[earlier.lane].losses, earlier.lane), known: earlier.lastLoss, seen: earlier.seen,
      to: (lanes[inherited.lane].losses, inherited.lane),
      before: previous.lanes[inherited.lane].losses.count + inherited.losses, time: inherited.time)
  }

  /// Puts the calls that were open at the end of the part in front in the places of those that were inherited.
  private func resume(_ task: Task, _ earlier: Task?, isBehindLoss: Bool, _ joint: Joint) -> Bool {
    guard let inherited = task.inherited else { return true }
    task.inherited = nil
    let frames = task.frames
    let open = Self.inheritedCount(task)
    let later = Later(task)
    task.aside = [:]
    task.isWhole = true
    frames.setCount(1)
    if let earlier { joint.restore(task, earlier) }
    task.lostBelow = isBehindLoss ? frames.count - 1 : earlier?.lostBelow ?? 0
    takeTurn(task)
    abandon(from: inherited.count, of: task)

    // Those that are known go from some depth up to the innermost one.
    let known = frames.count - 1
    let first = inherited.count - Int32(known)
    for index in 0..<known {
      let frame = frames.base[index + 1]
      guard frame.depth == first + Int32(index), frame.skippedTime == 0 else { return false }
    }
    let places = inherited.nodes.indices.map { depth -> UInt32 in
      Int32(depth) < first ? 0 : frames.base[depth - Int(first) + 1].node
    }
    // The outermost selected one: what is below it is its own, and what is broken there too.
    let root = places.last.map { nodes.base[Int($0)].root } ?? 0
    let rootDepth = places.firstIndex(of: root).map { Int32($0) } ?? .max
    let isRooted = root != 0 && rootDepth != .max
    joint.place(inherited.nodes, at: places)
    // Which of the calls without a selected one above them were whole is not known of each.
    let breaksRoot = isRooted && inherited.broken >= rootDepth
    if hasPaths, inherited.broken >= 0, !breaksRoot || rootDepth > 0, !isEverythingSelected { return false }

    for (number, depth, sum) in joint.take(below: inherited.nodes) {
      let node = joint.moved(number)
      if nodes.base[Int(node)].root == 0 {
        add(sum, to: node)
      } else if isRooted, depth >= rootDepth {
        setAside(sum, of: node, task)
      } else {
        whole.base[Int(node)].add(sum)
      }
    }
    if breaksRoot { task.isWhole = false }

    for end in inherited.ended {
      guard end.depth >= first else {
        if let exit = end.exit { addWithoutEntry(exit.function, exit.duration, task) }
        continue
      }
      var frame = frames.base[frames.count - 1]
      guard frames.count > 1, frame.depth == end.depth else { return false }
      let isLost = pop(task) || end.isLost
      guard let exit = end.exit else {
        leaveUnfinished(frame, task)
        continue
      }
      guard nodes.base[Int(frame.node)].function == exit.function,
        !isLost
          || CallBuilder.isPlausible(
            exit.duration, from: Timestamp(value: frame.start, unit: unit),
            to: Timestamp(value: exit.time, unit: unit))
      else {
        // As in `leave`. Of its caller nothing was skipped that it may hold: see above.
        leaveUnfinished(frame, task)
        frames.base[frames.count - 1].lose()
        addWithoutEntry(exit.function, exit.duration, task)
        continue
      }
      frame.add(end.frame)
      complete(frame, exit.duration, isLost: isLost, task)
    }

    let left = frames.count - 1
    guard left == max(0, open - Int(max(0, first))) else { return false }
    for index in 0..<left {
      frames.base[index + 1].add(later.frames[open - left + index])
    }
    return goOn(
      task, later, open: open, left: left, root: rootDepth < Int32(open) ? root : 0, joint)
  }

  /// Puts what the part has open itself above what was inherited.
  ///
  /// - Parameters:
  ///   - open: how many inherited calls are open;
  ///   - left: and how many of them are known.
  ///   - root: the outermost selected one of these, 0 of none.
  private func goOn(
    _ task: Task, _ later: Later, open: Int, left: Int, root: UInt32, _ joint: Joint
  ) -> Bool {
    for frame in later.frames[open...] {
      var frame = frame
      frame.node = joint.moved(frame.node)
      task.frames.append(frame)
    }
    task.lostBelow = max(task.lostBelow, later.lostBelow - (open - left))
    putAside(task)
    let outermost = later.frames.count > open ? joint.moved(later.frames[open].node) : 0
    // What is below an inherited call is set aside whether it is selected or not.
    let isSetAside = open == 0 || nodes.base[Int(outermost)].root == (root == 0 ? outermost : root)
    for (number, sum) in later.aside {
      let node = joint.moved(number)
      if isSetAside {
        setAside(sum, of: node, task)
      } else if nodes.base[Int(node)].root == 0 {
        add(sum, to: node)
      } else {
        // Which of them belong to calls that have ended is not known.
        return false
      }
    }
    if !later.isWhole {
      let isBelowSelected = later.frames[open...].contains { nodes.base[Int(joint.moved($0.node))].root != 0 }
      if !isSetAside, isBelowSelected { return false }
      if isSetAside { task.isWhole = false }
    }
    return true
  }

  private var isEverythingSelected: Bool {
    isSelected.dropFirst().allSatisfy { $0 }
  }

  private func setAside(_ sum: TraceTally.PathSum, of node: UInt32, _ task: Task) {
    task.aside[node, default: TraceTally.PathSum()].add(sum)
    task.hasAside = true
  }

  private func add(_ sum: TraceTally.PathSum, to node: UInt32) {
    nodes.base[Int(node)].calls += sum.calls
    nodes.base[Int(node)].total &+= sum.total
    nodes.base[Int(node)].selfTime &+= sum.selfTime
  }
}

extension StackTally.Frame {
  /// What happened below the same call later on.
  fileprivate mutating func add(_ later: Self) {
    calleeTime &+= later.calleeTime
    skippedTime = later.skippedTime
    if later.isPartial { lose() }
  }
}

/// A task at the end of a continuation.
private struct Later {
  /// Without the one that is none.
  let frames: [StackTally.Frame]
  let lostBelow: Int
  let aside: [(key: UInt32, value: TraceTally.PathSum)]
  let isWhole: Bool

  init(_ task: StackTally.Task) {
    frames = (1..<max(1, task.frames.count)).map { task.frames.base[$0] }
    lostBelow = task.lostBelow
    aside = task.aside.sorted { $0.key < $1.key }
    isWhole = task.isWhole
  }
}

/// What came up below the inherited calls of a part, and where it belongs.
private final class Joint {
  private let tally: StackTally
  private let paths: PathTranslation
  /// Of nodes below inherited ones, and of these.
  private var places: [UInt32: UInt32] = [:]
  /// By the outermost inherited node, what came up below it, and the depth of the innermost one.
  private var sums: [UInt32: [(node: UInt32, depth: Int32, sum: TraceTally.PathSum)]] = [:]

  init(_ tally: StackTally, _ previous: StackTally) {
    self.tally = tally
    paths = PathTranslation(from: previous, to: tally)
    // Of each node the outermost inherited one on its path, and the depth of the innermost one.
    var inherited: [(outermost: UInt32, depth: Int32)] = [(0, -1)]
    for number in 1..<max(1, UInt32(tally.nodes.count)) {
      var found = inherited[Int(tally.parents[Int(number)])]
      if tally.isInherited(number) {
        found = (found.outermost == 0 ? number : found.outermost, found.depth + 1)
      }
      inherited.append(found)
      let sum = tally.whole.base[Int(number)]
      if found.outermost != 0, sum.calls != 0 {
        sums[found.outermost, default: []].append((number, found.depth, sum))
        tally.whole.base[Int(number)] = TraceTally.PathSum()
      }
    }
  }

  /// The open calls and sums of the first part.
  func restore(_ task: StackTally.Task, _ earlier: StackTally.Task) { paths.copy(earlier, to: task) }

  /// - Parameter nodes: a task's inherited ones, outermost first.
  func place(_ nodes: [UInt32], at places: [UInt32]) {
    for (node, place) in zip(nodes, places) { self.places[node] = place }
  }

  /// What came up below a task's inherited calls.
  func take(below nodes: [UInt32]) -> [(node: UInt32, depth: Int32, sum: TraceTally.PathSum)] {
    nodes.first.flatMap { sums.removeValue(forKey: $0) } ?? []
  }

  /// A node below an inherited one, where it belongs; any other is there.
  func moved(_ number: UInt32) -> UInt32 {
    if number == 0 { return 0 }
    if let known = places[number] { return known }
    let parent = tally.parents[Int(number)]
    let place = moved(parent)
    let node = place == parent ? number : tally.child(of: place, tally.nodes.base[Int(number)].function)
    places[number] = node
    return node
  }
}
