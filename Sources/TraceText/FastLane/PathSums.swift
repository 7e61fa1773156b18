internal import FunctionGraph

/// What a text's calls come to by path, from the outermost selected call on down: see `TraceTally.sums`.
///
/// Calls that ended below an open selected one wait in a list of their stack: they count once that call has turned out whole, and
/// with it all that was called in it.
///
/// A pointer to what its owner deallocates: no reference is counted where lines go by.
struct PathSums: BitwiseCopyable {
  /// The path of a call, by its caller's and its function.
  struct CachedPath {
    var parent: CallPaths.ID
    var function: FunctionID
    var path: CallPaths.ID

    /// Below no path.
    static var none: CachedPath {
      CachedPath(parent: CallPaths.ID(rawValue: .max), function: .none, path: CallPaths.root)
    }
  }

  private struct Ended: BitwiseCopyable {
    var path: UInt32
    var sum: TraceTally.PathSum
  }

  /// What waits on a stack.
  private struct Below {
    var ended: UnsafeMutablePointer<Ended>?
    var count = 0
    var capacity = 0
    /// Of more than `mostEnded`, by path.
    var aside = Aside()
    /// Every call there has both its ends.
    var isWhole = true
  }

  private struct Aside {
    private(set) var sums: [Ended] = []
    private var places = PairMap()

    mutating func add(_ ended: Ended) {
      if let place = places[UInt64(ended.path)] {
        sums[Int(place)].sum.add(ended.sum)
      } else {
        places.insert(UInt64(ended.path), UInt32(sums.count))
        sums.append(ended)
      }
    }
  }

  private struct State {
    /// By the hash of caller's path and function: what is there answers in one load and two compares.
    var cache: UnsafeMutablePointer<CachedPath>
    /// Of each path that of the outermost selected call on it, 0 where there is none.
    var roots: UnsafeMutablePointer<UInt32>
    /// Of whole calls, by path.
    var whole: UnsafeMutablePointer<TraceTally.PathSum>
    var pathCount = 0
    var pathCapacity = 1 << 10
    /// By the builder's number.
    var stacks: UnsafeMutablePointer<Below>
    var stackCount = 0
    var stackCapacity = 1 << 6

    init() {
      cache = .allocate(capacity: 1 << cacheBits)
      cache.initialize(repeating: .none, count: 1 << cacheBits)
      roots = .allocate(capacity: pathCapacity)
      whole = .allocate(capacity: pathCapacity)
      stacks = .allocate(capacity: stackCapacity)
    }
  }

  private static let mostEnded = 1 << 10
  private static let cacheBits = 14

  private let state: UnsafeMutablePointer<State>

  init() {
    state = .allocate(capacity: 1)
    state.initialize(to: State())
  }

  func deallocate() {
    for stack in 0..<state.pointee.stackCount { state.pointee.stacks[stack].ended?.deallocate() }
    state.pointee.stacks.deinitialize(count: state.pointee.stackCount)
    state.pointee.stacks.deallocate()
    state.pointee.whole.deallocate()
    state.pointee.roots.deallocate()
    state.pointee.cache.deallocate()
    state.deallocate()
  }

  // MARK: Paths

  /// The place of a path in the cache.
  @inline(__always)
  func cached(below parent: CallPaths.ID, _ function: FunctionID) -> UnsafeMutablePointer<CachedPath> {
    // Fibonacci hashing: the high bits of the product depend on all.
    let key = UInt64(parent.rawValue) << 32 | UInt64(function.rawValue)
    let slot = (key &* 0x9e37_79b9_7f4a_7c15) >> UInt64(64 - Self.cacheBits)
    return state.pointee.cache + Int(truncatingIfNeeded: slot)
  }

  /// Learns of paths that came up.
  func learn(_ paths: CallPaths, isSelected: (FunctionID) -> Bool) {
    let known = state.pointee.pathCount
    guard known < paths.count else { return }
    if paths.count > state.pointee.pathCapacity {
      let capacity = max(paths.count, 2 * state.pointee.pathCapacity)
      state.pointee.pathCapacity = capacity
      state.pointee.roots = Self.moved(state.pointee.roots, known, capacity: capacity)
      state.pointee.whole = Self.moved(state.pointee.whole, known, capacity: capacity)
    }
    for number in known..<paths.count {
      let path = CallPaths.ID(rawValue: UInt32(number))
      // The first one stands for no call, and is its own parent.
      let above = number == 0 ? 0 : state.pointee.roots[Int(paths.parent(path).rawValue)]
      let isRoot = above == 0 && number > 0 && isSelected(paths.function(path))
      state.pointee.roots[number] = isRoot ? path.rawValue : above
      state.pointee.whole[number] = TraceTally.PathSum()
    }
    state.pointee.pathCount = paths.count
  }

  /// Makes room for the stack of this number.
  func learn(stack: Int) {
    let known = state.pointee.stackCount
    guard stack >= known else { return }
    if stack >= state.pointee.stackCapacity {
      state.pointee.stackCapacity = max(stack + 1, 2 * state.pointee.stackCapacity)
      state.pointee.stacks = Self.moved(state.pointee.stacks, known, capacity: state.pointee.stackCapacity)
    }
    (state.pointee.stacks + known).initialize(repeating: Below(), count: stack + 1 - known)
    state.pointee.stackCount = stack + 1
  }

  private static func moved<Element>(
    _ old: UnsafeMutablePointer<Element>, _ count: Int, capacity: Int
  ) -> UnsafeMutablePointer<Element> {
    let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    new.moveInitialize(from: old, count: count)
    old.deallocate()
    return new
  }

  // MARK: Calls that end

  /// A call has ended.
  ///
  /// - Parameters:
  ///   - path: one that was learned of; so is `stack`.
  ///   - selfTime: anything where it is not known, as the call or one in it is not whole then.
  ///   - isWhole: both its ends were seen, and nothing was lost in between.
  @inline(__always)
  func end(_ path: CallPaths.ID, _ duration: Int64, selfTime: Int64, isWhole: Bool, stack: Int) {
    let path = path.rawValue
    let root = state.pointee.roots[Int(path)]
    guard root != 0 else { return }
    let ended = Ended(
      path: path, sum: TraceTally.PathSum(calls: 1, total: duration, selfTime: selfTime))
    let below = state.pointee.stacks + stack
    if root == path {
      if isWhole, below.pointee.isWhole {
        settle(ended)
        for index in 0..<below.pointee.count { settle(below.pointee.ended.unsafelyUnwrapped[index]) }
      }
      below.pointee.count = 0
      if below.pointee.capacity == Self.mostEnded { endAside(below, isWhole: isWhole) }
      below.pointee.isWhole = true
    } else if !isWhole {
      below.pointee.isWhole = false
    } else if below.pointee.isWhole {
      if below.pointee.count == below.pointee.capacity { makeRoom(below) }
      below.pointee.ended.unsafelyUnwrapped[below.pointee.count] = ended
      below.pointee.count += 1
    }
  }

  @inline(__always)
  private func settle(_ ended: Ended) { state.pointee.whole[Int(ended.path)].add(ended.sum) }

  /// - Parameter isWhole: the outermost call is.
  @inline(never)
  private func endAside(_ below: UnsafeMutablePointer<Below>, isWhole: Bool) {
    guard !below.pointee.aside.sums.isEmpty else { return }
    if isWhole, below.pointee.isWhole {
      for ended in below.pointee.aside.sums { settle(ended) }
    }
    below.pointee.aside = Aside()
  }

  @inline(never)
  private func makeRoom(_ below: UnsafeMutablePointer<Below>) {
    let count = below.pointee.count
    guard count == Self.mostEnded else {
      let capacity = max(32, 2 * below.pointee.capacity)
      let new = UnsafeMutablePointer<Ended>.allocate(capacity: capacity)
      if let old = below.pointee.ended {
        new.update(from: old, count: count)
        old.deallocate()
      }
      below.pointee.ended = new
      below.pointee.capacity = capacity
      return
    }
    for index in 0..<count { below.pointee.aside.add(below.pointee.ended.unsafelyUnwrapped[index]) }
    below.pointee.count = 0
  }

  // MARK: Results

  /// Of whole calls of outermost selected functions and all below them.
  var sums: [(path: CallPaths.ID, sum: TraceTally.PathSum)] {
    (0..<state.pointee.pathCount).filter { state.pointee.whole[$0].calls > 0 }
      .map { (CallPaths.ID(rawValue: UInt32($0)), state.pointee.whole[$0]) }
  }
}
