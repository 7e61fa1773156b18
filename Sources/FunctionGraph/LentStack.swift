/// The open calls of one stack of a `CallBuilder`, lent to one that pairs plain events by itself and many at a time.
package struct LentFrame: Sendable {
  package var function: FunctionID
  package var depth: Int32
  /// As in `CallBuilder`'s own frames.
  package var calleeTime: Int64
  package var skippedTime: Int64
  package var isPartial: Bool

  package init(function: FunctionID, depth: Int32) {
    self.function = function
    self.depth = depth
    calleeTime = 0
    skippedTime = 0
    isPartial = false
  }
}

extension CallBuilder {
  /// The number of the stack that the last event belonged on.
  package var stackOfLastEvent: Int { lastStack }

  /// Whether task switches have told which tasks run where: an exit that names its function may then move calls from one stack to
  /// another.
  package var knowsRunningTasks: Bool { !running.isEmpty }

  /// Stacks without calls are forgotten from so many on.
  package var hasManyStacks: Bool { stackCount >= Self.idleStacksLimit / 2 }

  /// The open calls of a stack, outermost first, when they were entered, and below how many of them events were lost.
  package func frames(
    ofStack index: Int
  ) -> (frames: [LentFrame], entries: [Timestamp], paths: [CallPaths.ID], lostBelow: Int)? {
    guard stacks.indices.contains(index) else { return nil }
    let frames = stacks[index].frames.map { frame in
      var lent = LentFrame(function: frame.function, depth: frame.depth)
      lent.calleeTime = frame.calleeTime
      lent.skippedTime = frame.skippedTime
      lent.isPartial = frame.calleeTimeIsPartial
      return lent
    }
    return (
      frames, stacks[index].frames.map(\.timestamp), tracksPaths ? stacks[index].frames.map(\.path) : [],
      stacks[index].lostBelow
    )
  }

  /// How many events were taken; what is said of a loss is when it came by this number.
  package var eventsTaken: UInt64 { sequence }

  /// The path of a call of `function` below one of `parent`, as if the builder had paired it itself.
  package mutating func path(below parent: CallPaths.ID, _ function: FunctionID) -> CallPaths.ID {
    paths.child(of: parent, function)
  }

  /// Takes back what became of a stack.
  ///
  /// - Parameters:
  ///   - entries: when they were entered; empty where lines have no times.
  ///   - paths: theirs; empty where they are not tracked.
  ///   - index: of a stack that was lent; no event was on it since.
  ///   - last: `eventsTaken` when the last of its events came, which was on that CPU.
  package mutating func takeBack(
    _ frames: UnsafeBufferPointer<LentFrame>, entries: [Timestamp], paths: [CallPaths.ID], lostBelow: Int,
    last: UInt64, cpu: Int32, stack index: Int
  ) {
    guard stacks.indices.contains(index) else { return }
    stacks[index].lastCPU = cpu
    stacks[index].frames.removeAll(keepingCapacity: true)
    for (number, lent) in frames.enumerated() {
      var frame = Frame(
        function: lent.function, depth: lent.depth, cpu: cpu,
        timestamp: number < entries.count ? entries[number] : .none,
        path: number < paths.count ? paths[number] : CallPaths.root,
        away: TimeAway.Mark.none, sequence: sequence)
      frame.calleeTime = lent.calleeTime
      frame.skippedTime = lent.skippedTime
      frame.calleeTimeIsPartial = lent.isPartial
      stacks[index].frames.append(frame)
    }
    stacks[index].lostBelow = lostBelow
    stacks[index].lastSequence = max(stacks[index].lastSequence, last)
  }
}
