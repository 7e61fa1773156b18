public import FunctionGraph
public import TraceInput

/// The calls of selected functions with everything below them, as they end.
///
/// Filters look at each call by itself, as they do for rows: a callee that passes is given though its caller does not. Only
/// `skipFirst` leaves out the first calls of each selected function, in the order in which they are first seen, with all
/// that is below them.
public struct SelectedTrees: ~Copyable {
  public struct Member: Sendable {
    public var call: Call
    /// What of its duration no other member holds, nanoseconds; nil where it has no duration. The sum over all members is
    /// the sum of the durations of the outermost ones.
    public var ownTime: Int64?
    /// How many calls there are on its path from an outermost one down, itself included.
    public var level: Int32
    /// Paths became too many: a call may have its caller's path and level, and only its depth tells the two apart.
    public var levelsAreCut: Bool
  }

  private let request: AnalysisRequest
  private var reader: CallReader
  private var batch: [Call] = []
  private var roots = PathRoots()
  private var ownTime = OwnTime()
  /// By function: 1 wanted, 2 not.
  private var selected: [UInt8] = []
  private var seen: Set<FunctionID> = []
  private var given: Set<FunctionID> = []
  private var lastSeen: FunctionID?
  private var lastGiven: FunctionID?
  /// Outermost selected calls so far, by buffer and function; only for `skipFirst`.
  private var begun: [UInt64: Int] = [:]
  /// By stack: whether the outermost selected call that is open there is left out; nil where none is known to be open.
  private var isSkipping: [Bool?] = []
  public let isTraceDat: Bool
  public private(set) var quality = TraceQuality()
  /// Members by their status, in the order of `Call.Status`.
  public private(set) var counts = [Int](repeating: 0, count: Call.Status.allCases.count)

  public init(_ input: consuming SniffedInput, request: AnalysisRequest) throws(TraceError) {
    self.request = request
    isTraceDat = input.isTraceDat
    reader = try CallReader(input, tracksPaths: true)
  }

  /// Replaces `members` with the next ones; false at the end.
  public mutating func next(_ members: inout [Member]) throws(TraceError) -> Bool {
    members.removeAll(keepingCapacity: true)
    guard try reader.next(&batch) else {
      quality.losses = reader.losses
      quality.lostEvents = reader.lostEvents
      quality.diagnostics = reader.diagnostics
      quality.isNested = reader.isNested
      quality.deepest = reader.deepest
      return false
    }
    if batch.isEmpty { return true }
    let functions = reader.functions
    let comms = reader.comms
    let buffers = reader.description.buffers
    let paths = reader.paths
    while selected.count < functions.count {
      let name = functions[FunctionID(rawValue: UInt32(selected.count))].symbol
      selected.append((name.isEmpty ? request.selection.all : request.selection.contains(name)) ? 1 : 2)
    }
    let wanted = selected
    roots.extend(paths) { wanted[Int($0.rawValue)] == 1 }
    for call in batch {
      quality.calls += 1
      guard let root = roots.root(of: call.path) else { continue }
      let level = roots.level(of: call.path)
      let own = ownTime.take(call, level: level, levelsAreCut: paths.isTruncated)
      let isNamed = selected[Int(call.function.rawValue)] == 1
      if isNamed, lastSeen != call.function {
        lastSeen = call.function
        seen.insert(call.function)
      }
      if request.filter.skipFirst > 0, isSkipped(call, root: root, paths) { continue }
      guard
        request.filter.acceptsAll
          || request.filter.accepts(
            call, comm: comms[call.comm],
            buffer: Int(call.buffer) < buffers.count ? buffers[Int(call.buffer)].name : "")
      else { continue }
      if isNamed, lastGiven != call.function {
        lastGiven = call.function
        given.insert(call.function)
      }
      counts[Int(call.status.rawValue)] += 1
      members.append(Member(call: call, ownTime: own, level: level, levelsAreCut: paths.isTruncated))
    }
    return true
  }

  private mutating func isSkipped(_ call: Call, root: CallPaths.ID, _ paths: CallPaths) -> Bool {
    let stack = Int(call.stack)
    while isSkipping.count <= stack { isSkipping.append(nil) }
    let function = paths.function(root)
    let isSkipped: Bool
    if let known = isSkipping[stack] {
      isSkipped = known
    } else {
      let key = UInt64(call.buffer) << 32 | UInt64(function.rawValue)
      let count = begun[key, default: 0]
      begun[key] = count + 1
      isSkipped = count < request.filter.skipFirst
      if isSkipped { quality.skipped += 1 }
    }
    // Its own end, not that of a call beyond the limit of paths.
    let isEnd = call.path == root && call.function == function
    isSkipping[stack] = isEnd ? nil : isSkipped
    return isSkipped
  }

  /// The functions on a path from the outermost selected one down, in which what is too deep to be shown is left out.
  public func functions(on path: CallPaths.ID) -> [FunctionID] {
    guard let root = roots.root(of: path) else { return [] }
    let paths = reader.paths
    var result: [FunctionID] = []
    var path = path
    while true {
      result.append(paths.function(path))
      if path == root { break }
      path = paths.parent(path)
    }
    return result.reversed()
  }

  /// The path that stands for one that is too long to be shown; most stand for themselves.
  public func shownPath(for path: CallPaths.ID) -> CallPaths.ID { roots.shown(for: path) }

  /// Paths were too many or too long to be told apart.
  public var isCut: Bool { reader.paths.isTruncated || roots.isCut }

  public var filter: CallFilter { request.filter }
  public var functions: FunctionTable { reader.functions }
  public var comms: StringTable { reader.comms }
  public var description: TraceDescription { reader.description }
  public var bytesRead: UInt64 { reader.bytesRead }
  public var size: UInt64? { reader.size }

  /// Functions that were named and of which no call was given; complete at the end.
  public var missing: [MissingFunction] {
    missingFunctions(
      request.selection, functions: reader.functions, seen: seen, given: given,
      traceIsEmpty: quality.calls == 0)
  }
}
