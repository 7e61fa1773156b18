public import Analysis
internal import FunctionGraph
internal import Statistics

extension ComparisonReport {
  public static let csvHeader =
    "function,metric,unit,before_runs,after_runs,before_calls,after_calls,before_us,after_us,speedup,speedup_low,speedup_high,confidence,p_value,effect_size,verdict,model_speedup"

  public var csv: String {
    var text = Self.csvHeader + "\n"
    for function in comparison.functions {
      func number(_ value: Double?) -> String { value.map(Figures.exact) ?? "" }
      let cells = [
        Escaping.csvName(function.name), comparison.request.metric.rawValue, function.unit.rawValue,
        String(function.before.runs), String(function.after.runs), String(function.before.calls),
        String(function.after.calls), Figures.microseconds(function.before.value),
        Figures.microseconds(function.after.value), number(function.speedup),
        number(function.interval?.lower),
        number(function.interval?.upper), number(function.interval?.confidence), number(function.pValue),
        number(function.pValue == nil ? nil : function.cliffsDelta), function.verdict.rawValue,
        number(function.model?.predictedSpeedup),
      ]
      text += cells.joined(separator: ",") + "\n"
    }
    return text
  }

  /// JUnit XML, one test case a function, as CI viewers load it.
  ///
  /// - Parameters:
  ///   - undecided: what an undecided gate counts as: `holds`, `fails`, or `undecided` for skipped.
  ///   - seconds: how long the comparison took.
  public func junit(undecided: GateOutcome, seconds: Double) -> String {
    let outcomes = comparison.functions.map { function -> GateOutcome in
      let outcome = function.gate ?? .holds
      return outcome == .undecided ? undecided : outcome
    }
    func count(_ outcome: GateOutcome) -> Int { outcomes.filter { $0 == outcome }.count }
    let time = Figures.fixed(seconds, 3)
    let counts =
      "tests=\"\(outcomes.count)\" failures=\"\(count(.fails))\" errors=\"0\" skipped=\"\(count(.undecided))\" time=\"\(time)\""
    var lines = [
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
      "<testsuites name=\"pinstat\" tests=\"\(outcomes.count)\" failures=\"\(count(.fails))\" errors=\"0\" time=\"\(time)\">",
      "  <testsuite name=\"pinstat compare\" \(counts)>",
    ]
    for (function, outcome) in zip(comparison.functions, outcomes) {
      let name = Escaping.xml(function.name)
      let each = Figures.fixed(seconds / Double(max(1, outcomes.count)), 3)
      lines.append(
        "    <testcase classname=\"pinstat.\(comparison.request.metric.rawValue)\" name=\"\(name)\" time=\"\(each)\">"
      )
      let summary = Escaping.xml(junitSummary(function))
      switch outcome {
      case .fails: lines.append("      <failure type=\"gate\" message=\"\(summary)\"/>")
      case .undecided: lines.append("      <skipped message=\"\(summary)\"/>")
      case .error: lines.append("      <error type=\"input\" message=\"\(summary)\"/>")
      case .holds: break
      }
      var output = [junitSummary(function)]
      output += comparison.notes.map(\.note.text)
      output += function.notes.map { $0.note(function).text }
      lines.append(
        "      <system-out>\(output.map { Escaping.xml($0) }.joined(separator: "\n"))</system-out>")
      lines.append("    </testcase>")
    }
    lines += ["  </testsuite>", "</testsuites>"]
    return lines.joined(separator: "\n") + "\n"
  }

  /// JUnit XML for a comparison that could not be made: one test case that is an error.
  public static func junit(error: String, function: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="pinstat" tests="1" failures="0" errors="1" time="0.000">
      <testsuite name="pinstat compare" tests="1" failures="0" errors="1" skipped="0" time="0.000">
        <testcase classname="pinstat" name="\(Escaping.xml(function))" time="0.000">
          <error type="input" message="\(Escaping.xml(error))"/>
        </testcase>
      </testsuite>
    </testsuites>

    """
  }

  private func junitSummary(_ function: FunctionComparison) -> String {
    let column = DurationColumn([function.before.value, function.after.value], ascii: true)
    var text =
      "\(comparison.request.metric.rawValue) \(column.formatWithUnit(function.before.value)) before, "
      + "\(column.formatWithUnit(function.after.value)) after: \(function.verdict.rawValue), speedup "
      + Figures.significant(function.speedup, 4)
    if let interval = function.intervalText(function.interval), let confidence = function.confidenceText {
      text += " \(interval) at \(confidence)"
    } else {
      text += ", no interval"
    }
    if let gate = function.gate { text += "; gate \(comparison.request.gates.text): \(gate.word)" }
    return text
  }

  // MARK: Commit

  /// A block for a commit message or below its `---`: at most 72 columns, no line that git would take for a comment.
  public var commit: String {
    var lines: [String] = []
    for function in comparison.functions.prefix(12) {
      if !lines.isEmpty { lines.append("") }
      var heading = "\(function.name):"
      var conditions: [String] = []
      if let size = context.size { conditions.append(Figures.bytes(size)) }
      if let pageSize = context.pageSize { conditions.append("\(Figures.bytes(pageSize)) pages") }
      if let backing = context.backing { conditions.append(backing) }
      if !conditions.isEmpty { heading += " " + conditions.joined(separator: ", ") }
      lines += Self.limited(heading)
      lines.append("")
      lines += commitTable(function)
      lines.append("")
      var claim = "speedup \(Figures.significant(function.speedup))"
      if let interval = function.interval {
        claim +=
          " (\(Figures.percent(interval.confidence)) CI \(Figures.significant(interval.lower)) to "
          + "\(Figures.significant(interval.upper)))"
      }
      if let p = function.pValue { claim += ", \(Figures.pEquation(p))" }
      claim += ": \(function.verdict.rawValue)"
      lines += Self.limited(claim)
      for line in (function.correction?.lines ?? []) + (function.model?.lines ?? []) {
        lines += Self.limited(Escaping.terminal(line))
      }
      for note in function.notes.map({ $0.note(function) }) where note.weight == .warning {
        lines += Self.limited("(\(note.text))")
      }
    }
    if comparison.functions.count > 12 {
      lines += ["", "and \(comparison.functions.count - 12) more functions"]
    }
    lines.append("")
    for (title, side) in [("before", comparison.before), ("after", comparison.after)] {
      lines += Self.limited("\(title): \(side.summary)")
    }
    // What the lines above show needs no words.
    let unsaid = comparison.notes.filter { note in
      switch note {
      case .kernelDiffers, .clockDiffers, .cpuCountDiffers, .formatDiffers: false
      default: true
      }
    }
    for note in unsaid.map(\.note) where note.weight == .warning {
      lines += Self.limited("(\(note.text))")
    }
    let unit = comparison.functions.first?.unit ?? .run
    lines += Self.limited(
      "pinstat \(pinstatVersion), \(comparison.request.metric.rawValue) per \(unit.rawValue)")
    return lines.joined(separator: "\n") + "\n"
  }

  private func commitTable(_ function: FunctionComparison) -> [String] {
    let sides = [("before", function.before), ("after", function.after)]
    let metric = comparison.request.metric
    let value = DurationColumn(sides.map(\.1.value), ascii: true)
    let total = DurationColumn(sides.map { Double($0.1.total) }, ascii: true)
    var table = TextTable([
      ("", .left), ("runs", .right), ("calls", .right), ("\(metric.rawValue) [\(value.unit)]", .right),
      ("total [\(total.unit)]", .right),
    ])
    for (title, side) in sides {
      table.add([
        title, String(side.runs), String(side.calls), value.format(side.value),
        total.format(Double(side.total)),
      ])
    }
    return table.lines(indent: 2)
  }

  /// At most 72 columns without control characters, continued lines indented; a word longer than a line is cut into
  /// pieces, and no line begins with `#`.
  static func limited(_ text: String) -> [String] {
    let lines = wrapped(Escaping.terminal(text), width: 70, indent: "  ").flatMap { line -> [String] in
      guard displayWidth(line) > 72 else { return [line] }
      var pieces = [""]
      var width = 0
      for character in line {
        let columns = displayWidth(String(character))
        if width + columns > 70 {
          pieces.append("  ")
          width = 0
        }
        pieces[pieces.count - 1].append(character)
        width += columns
      }
      return pieces
    }
    return lines.map { $0.unicodeScalars.first == "#" ? " " + $0 : $0 }
  }
}
