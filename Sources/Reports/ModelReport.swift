public import Analysis
internal import FoundationEssentials
public import PinningModel

/// The report of `model`: one value, and a renderer a format.
public struct ModelReport: Sendable {
  public var predictions: [Prediction]
  public var profile: CostProfile
  public var operation: DMAOperation
  public var size: UInt64
  public var pageSize: UInt64
  public var backing: String
  /// Options that describe the memory, as they were given (`--offset 1M`).
  public var conditions: [String]
  public var calibration: TraceCalibration?

  public init(
    predictions: [Prediction], profile: CostProfile, operation: DMAOperation, size: UInt64, pageSize: UInt64,
    backing: String, conditions: [String], calibration: TraceCalibration? = nil
  ) {
    self.predictions = predictions
    self.profile = profile
    self.operation = operation
    self.size = size
    self.pageSize = pageSize
    self.backing = backing
    self.conditions = conditions
    self.calibration = calibration
  }

  public static let csvHeader =
    "variant,operation,size,page_size,backing,maps_correctly,"
    + PinningModel.Operation.columns.map(\.rawValue).joined(separator: ",")
    + ",predicted_us,predicted_low_us,predicted_high_us,speedup_vs_per_page,throughput_gib_s"

  public var csv: String {
    var text = Self.csvHeader + "\n"
    for row in predictions {
      func time(_ nanoseconds: Double?) -> String { nanoseconds.map(Figures.microseconds) ?? "" }
      var cells = [
        row.variant.rawValue, operation.rawValue, String(size), String(pageSize), backing,
        row.mapsCorrectly ? "true" : "false",
      ]
      cells += PinningModel.Operation.columns.map { String(row.counts[$0]) }
      cells += [
        time(row.duration.nanoseconds), time(row.duration.low), time(row.duration.high),
        row.speedupVsPerPage.map { Figures.decimal($0, atLeast: 3) } ?? "",
        row.gibibytesPerSecond.map { Figures.decimal($0, atLeast: 3) } ?? "",
      ]
      text += cells.joined(separator: ",") + "\n"
    }
    return text
  }

  private var title: String {
    var text =
      "\(operation.rawValue) of \(Figures.bytes(size)) on \(backing), pages of \(Figures.bytes(pageSize))"
    if !conditions.isEmpty { text += " (" + conditions.joined(separator: " ") + ")" }
    return text + "; simulated, costs: \(profile.name)"
  }

  private func predictionTable(ascii: Bool) -> TextTable {
    let durations = predictions.map { $0.duration.high ?? $0.duration.nanoseconds }
    let column = DurationColumn(predictions.map(\.duration.nanoseconds), among: durations, ascii: ascii)
    var table = TextTable([
      ("variant", .left), ("predicted \(column.unit)", .right), ("interval", .right), ("vs per-page", .right),
      ("GiB/s", .right), ("maps", .left),
    ])
    for row in predictions {
      var interval: String?
      if let low = row.duration.low, let high = row.duration.high {
        interval = "[\(column.format(low)), \(column.format(high))]"
      }
      let verdict: String
      if let error = row.error {
        verdict = "fails: \(error.name)"
      } else if let iova = row.firstWrongIOVA {
        verdict = "WRONG from IOVA 0x" + String(iova, radix: 16)
      } else {
        verdict = "correctly"
      }
      table.add([
        row.variant.rawValue, column.format(row.duration.nanoseconds), interval ?? "-",
        row.speedupVsPerPage.map { Figures.significant($0) } ?? "-",
        row.gibibytesPerSecond.map { Figures.significant($0) } ?? "-", verdict,
      ])
    }
    return table
  }

  private var countTable: TextTable {
    let used = PinningModel.Operation.columns.filter { operation in
      predictions.contains { $0.counts[operation] != 0 }
    }
    var table = TextTable(
      [("operations", .left)] + predictions.map { ($0.variant.rawValue, TextTable.Alignment.right) })
    for operation in used {
      table.add([operation.rawValue] + predictions.map { String($0.counts[operation]) })
    }
    return table
  }

  /// For a terminal.
  public func text(_ style: TextStyle) -> String {
    var lines: [String] = []
    if !predictions.isEmpty {
      lines += wrapped(title, width: style.width) + [""]
      lines += predictionTable(ascii: !style.unicode).lines(style: style.bold) + [""]
      lines += countLines(style)
    }
    lines += (lines.isEmpty ? [] : [""]) + costTable.lines(style: style.bold)
    if let calibration { lines += (lines.isEmpty ? [] : [""]) + calibrationLines(calibration, style) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What an operation costs, and how that is known; the sources are in the JSON and in a saved costs file.
  private var costTable: TextTable {
    var table = TextTable([("cost", .left), ("ns", .right), ("+-", .right), ("from", .left)])
    for cost in profile.coefficients {
      var origin = cost.kind.rawValue
      if let sum = cost.sum { origin += " of the sum \"\(sum)\", its division a prior" }
      table.add([
        cost.operation.rawValue, Figures.significant(cost.nanoseconds),
        cost.uncertainty.map { Figures.significant($0) } ?? "?",
        Escaping.terminal(origin),
      ])
    }
    return table
  }

  /// The counts, in as many tables side by side as the width asks for.
  private func countLines(_ style: TextStyle) -> [String] {
    let whole = countTable.lines(style: style.bold)
    if (whole.dropFirst().map(displayWidth).max() ?? 0) <= style.width { return whole }
    var lines: [String] = []
    for start in stride(from: 0, to: predictions.count, by: 3) {
      var part = self
      part.predictions = Array(predictions[start..<min(start + 3, predictions.count)])
      lines += (lines.isEmpty ? [] : [""]) + part.countTable.lines(style: style.bold)
    }
    return lines
  }

  private func calibrationLines(_ result: TraceCalibration, _ style: TextStyle) -> [String] {
    let fit = result.calibration
    var lines = [style.bold("calibrated from \(counted(result.sources.count, "trace"))")]
    for source in result.sources {
      let column = DurationColumn([source.least], ascii: !style.unicode)
      var text =
        "\(source.item.path): \(Figures.bytes(source.item.size)), \(source.item.variant.rawValue), least of "
        + "\(counted(source.calls, "call")) \(column.formatWithUnit(source.least)), "
      text +=
        source.isNested
        ? "nested, " : (source.item.recorded == .unknown ? "" : "recorded=\(source.item.recorded.rawValue), ")
      if let runs = source.runs {
        text += "\(counted(runs, "contiguous run"))\(source.runsAreFromTrace ? " (from the trace)" : "")"
      } else {
        text += "number of contiguous runs unknown, every folio counts as one"
      }
      lines += wrapped("  " + text, width: style.width, indent: "    ")
    }
    lines.append("")
    for term in fit.terms {
      let error = term.uncertainty.map { " +- " + Figures.significant($0) } ?? ", standard error unknown"
      lines += wrapped(
        "  \(Figures.significant(term.nanoseconds, 4)) ns\(error): \(term.name)", width: style.width,
        indent: "    ")
    }
    lines.append("")
    var residuals = TextTable([
      ("equation", .left), ("measured us", .right), ("fitted us", .right), ("off", .right),
    ])
    for residual in fit.residuals {
      residuals.add([
        Escaping.terminal(residual.label), Figures.fixed(residual.measured / 1_000, 3),
        Figures.fixed(residual.fitted / 1_000, 3), Figures.fixed(residual.relative * 100, 2) + "%",
      ])
    }
    lines += residuals.lines(style: style.bold)
    for note in calibrationNotes(result) {
      lines += wrapped("note: " + note, width: style.width, indent: "      ")
    }
    return lines
  }

  /// What has to be said of a calibration.
  func calibrationNotes(_ result: TraceCalibration) -> [String] {
    let fit = result.calibration
    var notes = [
      "condition number \(fit.conditionNumber.isFinite ? Figures.significant(fit.conditionNumber) : "infinite"), "
        + "\(counted(fit.degreesOfFreedom, "degree")) of freedom"
    ]
    for group in fit.indistinguishable {
      notes.append("these data cannot tell apart: \(group.joined(separator: ", ")); only their sum is known")
    }
    for group in fit.mixed {
      notes.append(
        "these data leave a combination open: \(group.joined(separator: ", ")); one solution of many is shown"
      )
    }
    if !result.held.isEmpty {
      notes.append(
        "too few equations for \(result.held.map(\.rawValue).joined(separator: ", ")): held at the published figures"
      )
    }
    if let cost = result.hookCost {
      notes.append(
        "a hooked but unrecorded callee costs \(Figures.significant(cost, 4)) ns: --hook-cost \(Figures.significant(cost, 4))"
      )
    } else if result.sources.contains(where: { $0.item.recorded == .graph }) {
      notes.append("what a hook costs needs a pair, recorded=graph and recorded=filter")
    }
    for (path, ratio) in result.nestedSlowdowns {
      notes.append("\(path) records callees and takes \(Figures.significant(ratio)) times as long as without")
    }
    return notes
  }

  public var markdown: String {
    var lines =
      ["### " + Escaping.markdown(title), ""] + predictionTable(ascii: false).markdown + [""]
      + countTable.markdown
    if let calibration {
      lines += [""] + calibrationNotes(calibration).map { "- " + Escaping.markdown($0) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: JSON

  private struct Document: Encodable {
    struct Row: Encodable {
      var variant: String
      var mapsCorrectly: Bool
      var firstWrongIova: UInt64?
      var error: String?
      var counts: [String: Int]
      var predictedUs: Double
      var predictedLowUs: Double?
      var predictedHighUs: Double?
      var speedupVsPerPage: Double?
      var throughputGibS: Double?
    }
    struct Cost: Encodable {
      var operation: String
      var nanoseconds: Double
      var uncertainty: Double?
      var kind: String
      var source: String
      var sum: String?
    }
    struct Residual: Encodable {
      var equation: String
      var measuredUs: Double
      var fittedUs: Double
      var relative: Double
    }
    struct Calibration: Encodable {
      var residuals: [Residual]
      var conditionNumber: Double?
      var degreesOfFreedom: Int
      var indistinguishable: [[String]]
      var hookCostNs: Double?
      var notes: [String]
    }
    var schema = "pinstat/model/1"
    var tool: AnalysisDocument.Tool
    var operation: String
    var size: UInt64
    var pageSize: UInt64
    var backing: String
    var conditions: [String]
    var costsName: String
    var costs: [Cost]
    var variants: [Row]
    var calibration: Calibration?
  }

  /// One JSON object on one line, `pinstat/model/1`.
  public func json() throws -> [UInt8] {
    let document = Document(
      tool: .init(name: "pinstat", version: pinstatVersion), operation: operation.rawValue, size: size,
      pageSize: pageSize, backing: backing, conditions: conditions, costsName: profile.name,
      costs: profile.coefficients.map {
        .init(
          operation: $0.operation.rawValue, nanoseconds: $0.nanoseconds, uncertainty: $0.uncertainty,
          kind: $0.kind.rawValue, source: $0.source, sum: $0.sum)
      },
      variants: predictions.map { row in
        .init(
          variant: row.variant.rawValue, mapsCorrectly: row.mapsCorrectly, firstWrongIova: row.firstWrongIOVA,
          error: row.error?.name,
          counts: Dictionary(
            uniqueKeysWithValues: PinningModel.Operation.columns.map { ($0.rawValue, row.counts[$0]) }),
          predictedUs: row.duration.nanoseconds / 1_000, predictedLowUs: row.duration.low.map { $0 / 1_000 },
          predictedHighUs: row.duration.high.map { $0 / 1_000 }, speedupVsPerPage: row.speedupVsPerPage,
          throughputGibS: row.gibibytesPerSecond)
      },
      calibration: calibration.map { result in
        .init(
          residuals: result.calibration.residuals.map {
            .init(
              equation: $0.label, measuredUs: $0.measured / 1_000, fittedUs: $0.fitted / 1_000,
              relative: $0.relative)
          },
          conditionNumber: result.calibration.conditionNumber.isFinite
            ? result.calibration.conditionNumber : nil,
          degreesOfFreedom: result.calibration.degreesOfFreedom,
          indistinguishable: result.calibration.indistinguishable, hookCostNs: result.hookCost,
          notes: calibrationNotes(result))
      })
    return try Array(encodedJSON(document)) + [UInt8(ascii: "\n")]
  }
}
