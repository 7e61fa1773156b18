internal import Analysis

/// Time that is not the function's own, on both sides.
extension ComparisonReport {
  struct TimeAwayRow {
    var title: String
    /// The word for it in a figure's key.
    var key: String
    var before: Side
    var after: Side

    struct Side {
      /// Nanoseconds in one call, of the calls of which it is known; nil where the side does not tell.
      var perCall: Double?
      /// `12 of 40 calls`; empty where the side does not tell.
      var calls = ""

      init(_ sum: TimeAwaySum?) {
        guard let sum, sum.known > 0 else { return }
        perCall = Double(sum.nanoseconds) / Double(sum.known)
        calls = "\(sum.calls) of \(counted(sum.known, "call"))"
      }

      func text(_ column: DurationColumn) -> String {
        perCall == nil ? "not separable" : "\(column.format(perCall)) (\(calls))"
      }
    }
  }

  /// Empty where callees are not wanted, or neither side tells.
  func timeAwayRows(_ function: FunctionComparison) -> [TimeAwayRow] {
    guard context.wantsCallees else { return [] }
    let (before, after) = (function.before, function.after)
    let rows = [
      TimeAwayRow(
        title: "off the CPU", key: "off_cpu", before: .init(before.offCPU), after: .init(after.offCPU)),
      TimeAwayRow(
        title: "in interrupts", key: "irq", before: .init(before.interrupts), after: .init(after.interrupts)),
    ]
    return rows.filter { $0.before.perCall != nil || $0.after.perCall != nil }
  }

  func timeAwayColumn(_ rows: [TimeAwayRow], ascii: Bool) -> DurationColumn {
    DurationColumn(rows.flatMap { [$0.before.perCall, $0.after.perCall] }.compactMap { $0 }, ascii: ascii)
  }

  /// Parts of the duration of one call, and how many calls had any.
  func timeAwayTable(_ rows: [TimeAwayRow], ascii: Bool) -> TextTable {
    let column = timeAwayColumn(rows, ascii: ascii)
    var table = TextTable([
      ("not its own, \(column.unit) a call", .left), ("before (calls with any)", .right), ("after", .right),
    ])
    for row in rows { table.add([row.title, row.before.text(column), row.after.text(column)]) }
    return table
  }

  /// Said once, where callees are wanted and no function of either side tells.
  var timeAwayNotes: [Note] {
    guard context.wantsCallees, !comparison.functions.isEmpty,
      comparison.functions.allSatisfy({ timeAwayRows($0).isEmpty })
    else { return [] }
    return [timeAwayNote(hasSwitches: false, hasInterrupts: false)].compactMap { $0 }
  }
}
