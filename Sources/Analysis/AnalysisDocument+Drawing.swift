internal import FunctionGraph

// What a stored analysis keeps for drawings alone.

extension [AnalysisDocument.TreeNode] {
  init(_ tree: CalleeTree) {
    self = tree.nodes.map {
      AnalysisDocument.TreeNode(
        function: $0.function.symbol, module: $0.function.module, parent: $0.parent, calls: $0.calls,
        totalUs: microseconds($0.total), selfUs: microseconds($0.selfTime), leftOut: $0.leftOut)
    }
  }

  /// nil where a node does not stand behind its caller.
  var calleeTree: CalleeTree? {
    CalleeTree(
      nodes: map {
        CalleeTree.Node(
          function: FunctionName(symbol: $0.function, module: $0.module), parent: $0.parent, calls: $0.calls,
          total: nanoseconds($0.totalUs), selfTime: nanoseconds($0.selfUs), leftOut: $0.leftOut)
      })
  }
}

extension AnalysisDocument.Timeline {
  /// nil of a timeline without calls: the input tells no times.
  init?(_ timeline: CallTimeline) {
    guard timeline.count > 0 else { return nil }
    self.init(
      every: timeline.every, startsAreTime: timeline.startsAreTime, starts: timeline.starts,
      durationsUs: timeline.durations.map(microseconds))
  }

  var callTimeline: CallTimeline? {
    CallTimeline(
      starts: starts, durations: durationsUs.map(nanoseconds), every: every, startsAreTime: startsAreTime)
  }
}
