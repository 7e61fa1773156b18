internal import FunctionGraph

/// Functions and paths of one tally in the numbers of another one.
final class PathTranslation {
  private let source: StackTally
  private let target: StackTally
  /// By the source's numbers.
  private var functions: [UInt32: UInt32] = [:]
  private var nodes: [UInt32: UInt32] = [0: 0]

  init(from source: StackTally, to target: StackTally) {
    self.source = source
    self.target = target
  }

  /// Gives `target`, which has none, the open calls of `task` and what has been summed up below them.
  func copy(_ task: StackTally.Task, to target: StackTally.Task) {
    for index in 1..<max(1, task.frames.count) {
      var frame = task.frames.base[index]
      frame.node = node(frame.node)
      target.frames.append(frame)
    }
    // In an order that does not change from run to run, as paths get their numbers here.
    for (number, sum) in task.aside.sorted(by: { $0.key < $1.key }) {
      target.aside[node(number), default: TraceTally.PathSum()].add(sum)
    }
    target.hasAside = !target.aside.isEmpty
    target.isWhole = task.isWhole
  }

  private func node(_ number: UInt32) -> UInt32 {
    if let known = nodes[number] { return known }
    let parent = node(source.parents[Int(number)])
    let node = target.child(of: parent, function(source.nodes.base[Int(number)].function))
    nodes[number] = node
    return node
  }

  private func function(_ number: UInt32) -> UInt32 {
    if let known = functions[number] { return known }
    let function = target.names.intern(source.names[FunctionID(rawValue: number)]).rawValue
    target.addFunctions()
    functions[number] = function
    return function
  }
}
