internal import Analysis
internal import FoundationEssentials
internal import FunctionGraph
internal import Statistics

/// `pinstat/comparison/1`. Durations are microseconds; `speedup_low` and `speedup_high` are the interval of the estimate,
/// `verdict_low` and `verdict_high` what verdict and gates look at.
private struct ComparisonDocument: Encodable {
  struct Input: Encodable {
    var path: String
    var bytes: UInt64?
    var format: String
    var kernel: String
    var clock: String
    var tracer: String
    var cpus: Int?
  }

  struct Side: Encodable {
    var runs: Int
    var calls: Int
    var incomplete: Int
    var valueUs: Double
    var medianUs: Double
    var minUs: Double
    var maxUs: Double
    var totalUs: Double
    var throughputGibS: Double?
    var samplesUs: [Double]
    /// With callees only: inside the calls, all runs together; missing where it cannot be told of a run.
    var offCpuUs: Double?
    var offCpuCalls: Int?
    var offCpuKnownCalls: Int?
    var irqUs: Double?
    var irqCalls: Int?
    var irqKnownCalls: Int?
  }

  struct Callee: Encodable {
    var function: String
    var beforeCalls: Double
    var afterCalls: Double
    var beforeSelfUs: Double?
    var afterSelfUs: Double?
    var beforeTotalUs: Double
    var afterTotalUs: Double
    var differenceUs: Double
    var shareOfChange: Double?
  }

  /// A path below the function, for one call of it; callers before callees.
  struct TreeNode: Encodable {
    var function: String
    /// Index of the caller's node; 0 for the first too, which is the function itself.
    var parent: Int
    var beforeCalls: Double?
    var afterCalls: Double?
    var beforeTotalUs: Double?
    var afterTotalUs: Double?
    var beforeSelfUs: Double?
    var afterSelfUs: Double?
    /// Callees right below that are not among the nodes.
    var leftOut: Int
    /// Present where the node stands for so many short callees of one caller together.
    var together: Int?

    init(_ node: SidedCalleeTree.Node) {
      function = node.name
      parent = node.parent
      beforeCalls = node.before?.calls
      afterCalls = node.after?.calls
      beforeTotalUs = node.before.map { $0.total / 1_000 }
      afterTotalUs = node.after.map { $0.total / 1_000 }
      beforeSelfUs = node.before.map { $0.selfTime / 1_000 }
      afterSelfUs = node.after.map { $0.selfTime / 1_000 }
      leftOut = node.leftOut
      together = node.rest > 0 ? node.rest : nil
    }
  }

  struct Function: Encodable {
    var function: String
    var metric: String
    var unit: String
    var before: Side
    var after: Side
    var speedup: Double
    var speedupLow: Double?
    var speedupHigh: Double?
    var confidence: Double?
    var verdictLow: Double?
    var verdictHigh: Double?
    var alpha: Double
    var pValue: Double?
    var effectSize: Double?
    var verdict: String
    var gate: String?
    var callees: [Callee]?
    var tree: [TreeNode]?
    var model: ModelDocument?
    var withoutHooks: CorrectionDocument?
    var warnings: [String]
  }

  struct Request: Encodable {
    var metric: String
    var alpha: Double
    var sameWithin: Double
    var runSpread: Double
    var maxSlowdown: Double?
    var minSpeedup: Double?
    var seed: UInt64
  }

  var schema = "pinstat/comparison/1"
  var tool: AnalysisDocument.Tool
  var request: Request
  var filters: [String]
  var size: UInt64?
  var pageSize: UInt64?
  var backing: String?
  var before: [Input]
  var after: [Input]
  var functions: [Function]
  var onlyBefore: [String]
  var onlyAfter: [String]
  var gate: String?
  var warnings: [String]
}

extension ComparisonReport {
  /// One JSON object on one line.
  public func json() throws -> [UInt8] {
    func inputs(_ side: ComparedSide) -> [ComparisonDocument.Input] {
      side.runs.map {
        .init(
          path: $0.path, bytes: $0.description.byteCount, format: $0.description.format.name,
          kernel: $0.description.kernelRelease, clock: $0.description.buffers.first?.clock ?? "",
          tracer: $0.description.tracer, cpus: $0.description.cpuCount)
      }
    }
    let request = comparison.request
    let document = ComparisonDocument(
      tool: .init(name: "pinstat", version: pinstatVersion),
      request: .init(
        metric: request.metric.rawValue, alpha: request.alpha, sameWithin: request.sameWithin,
        runSpread: request.runSpread, maxSlowdown: request.gates.maxSlowdown,
        minSpeedup: request.gates.minSpeedup,
        seed: request.seed),
      filters: context.filters, size: context.size, pageSize: context.pageSize, backing: context.backing,
      before: inputs(comparison.before), after: inputs(comparison.after),
      functions: comparison.functions.map(encoded), onlyBefore: comparison.onlyBefore,
      onlyAfter: comparison.onlyAfter, gate: comparison.gate?.word,
      warnings: comparison.notes.map(\.note.text))
    return try Array(encodedJSON(document)) + [UInt8(ascii: "\n")]
  }

  private func encoded(_ function: FunctionComparison) -> ComparisonDocument.Function {
    func away(_ sum: TimeAwaySum?) -> TimeAwaySum? { context.wantsCallees ? sum : nil }
    func side(_ side: FunctionComparison.Side) -> ComparisonDocument.Side {
      .init(
        runs: side.runs, calls: side.calls, incomplete: side.incomplete, valueUs: side.value / 1_000,
        medianUs: side.median / 1_000, minUs: Double(side.minimum) / 1_000,
        maxUs: Double(side.maximum) / 1_000,
        totalUs: Double(side.total) / 1_000,
        throughputGibS: context.size.flatMap { throughput(bytes: $0, nanoseconds: side.median) },
        samplesUs: side.samples.map { $0 / 1_000 },
        offCpuUs: away(side.offCPU).map { Double($0.nanoseconds) / 1_000 },
        offCpuCalls: away(side.offCPU)?.calls, offCpuKnownCalls: away(side.offCPU)?.known,
        irqUs: away(side.interrupts).map { Double($0.nanoseconds) / 1_000 },
        irqCalls: away(side.interrupts)?.calls, irqKnownCalls: away(side.interrupts)?.known)
    }
    let rows = calleeRows(function).map { row in
      ComparisonDocument.Callee(
        function: row.name, beforeCalls: row.beforeCalls, afterCalls: row.afterCalls,
        beforeSelfUs: row.before.map { $0 / 1_000 }, afterSelfUs: row.after.map { $0 / 1_000 },
        beforeTotalUs: row.beforeTotal / 1_000, afterTotalUs: row.afterTotal / 1_000,
        differenceUs: row.difference / 1_000, shareOfChange: row.share)
    }
    let tree =
      rows.isEmpty
      ? nil
      : SidedCalleeTree(
        before: comparison.before.trees(of: function.name), after: comparison.after.trees(of: function.name))
    return .init(
      function: function.name, metric: comparison.request.metric.rawValue, unit: function.unit.rawValue,
      before: side(function.before), after: side(function.after), speedup: function.speedup,
      speedupLow: function.interval?.lower, speedupHigh: function.interval?.upper,
      confidence: function.interval?.confidence, verdictLow: function.decisionInterval?.lower,
      verdictHigh: function.decisionInterval?.upper, alpha: function.alpha, pValue: function.pValue,
      effectSize: function.pValue == nil ? nil : function.cliffsDelta, verdict: function.verdict.rawValue,
      gate: function.gate?.word, callees: rows.isEmpty ? nil : rows,
      tree: tree?.nodes.map(ComparisonDocument.TreeNode.init),
      model: function.model.map(ModelDocument.init),
      withoutHooks: function.correction.map(CorrectionDocument.init),
      warnings: function.notes.map { $0.note(function).text })
  }
}
