internal import Analysis
internal import FunctionGraph
internal import PinningModel

// What the model adds to a report, in the words that all formats for people share.

extension RecognizedVariant {
  /// `per-page (release: 6.17 is in v5.12 to v6.17 ...)`.
  var text: String {
    guard let variant else { return "unknown" }
    return "\(variant.rawValue) (by \(evidence.rawValue == "given" ? "--variant" : evidence.rawValue))"
  }
}

extension Headroom {
  /// `GUP 71.0%, loop 22.1%, IOMMU 6.9%`.
  var sharesText: String {
    let names: [(Operation.Part, String)] = [
      (.gup, "GUP"), (.loop, "loop"), (.iommu, "IOMMU"), (.unpin, "unpin"), (.other, "other"),
    ]
    return names.compactMap { part, name in
      shares[part].map { "\(name) \(Figures.fixed($0 * 100, 1))%" }
    }.joined(separator: ", ")
  }

  /// What the next variants would bring, the nearest first; those with the same prediction together, and without those
  /// that can map the wrong memory elsewhere.
  var stepsText: [String] {
    var lines: [(names: [String], step: Step)] = []
    for step in steps where !step.variant.canMapWrongly {
      if let last = lines.last, abs(last.step.speedup / step.speedup - 1) < 1e-3 {
        lines[lines.count - 1].names.append(step.variant.rawValue)
      } else {
        lines.append(([step.variant.rawValue], step))
      }
    }
    return lines.map {
      "\($0.names.joined(separator: ", ")): \(Figures.significant($0.step.speedup))x as fast"
    }
  }
}

extension ModelView {
  /// Lines beside one trace's figures.
  var lines: [String] {
    guard let headroom else {
      return [
        "model: cannot tell the variant (\(recognized.reasons.joined(separator: "; "))); --variant says it"
      ]
    }
    var lines = [
      "model: \(recognized.text), costs \"\(costsName)\" scaled to this duration",
      "model: where the time goes: \(headroom.sharesText)",
    ]
    let steps = headroom.stepsText
    lines.append(
      "model: " + (steps.isEmpty ? "no variant would be faster" : "would be " + steps.joined(separator: "; "))
    )
    return lines
  }
}

extension ModelMeeting {
  /// Lines beside one function's comparison.
  var lines: [String] {
    var lines = ["model: \(before.text) before, \(after.text) after"]
    guard let predictedSpeedup else { return lines }
    var text =
      "model: speedup \(Figures.significant(predictedSpeedup)) predicted by the costs \"\(costsName)\""
    if let predictedLow, let predictedHigh {
      text += " [\(Figures.significant(predictedLow)), \(Figures.significant(predictedHigh))]"
    }
    if let shareOfPredictedGain {
      text += ", \(Figures.fixed(shareOfPredictedGain * 100, 0))% of that gain measured"
    }
    lines.append(text)
    if let headroom {
      lines.append("model: where the after time goes: \(headroom.sharesText)")
      let steps = headroom.stepsText
      lines.append(
        "model: "
          + (steps.isEmpty
            ? "no variant would be faster than after" : "next, than after: " + steps.joined(separator: "; ")))
    }
    return lines
  }
}

extension HookCorrection {
  var lines: [String] {
    let column = DurationColumn([before, after], ascii: true)
    var text =
      "without hooks (\(Figures.significant(hookCost)) ns each, \(Figures.fixed(hooksBefore, 0)) before, "
      + "\(Figures.fixed(hooksAfter, 0)) after): \(column.formatWithUnit(before)) before, "
      + "\(column.formatWithUnit(after)) after, speedup \(Figures.significant(speedup, 4))"
    if let interval {
      text += " [\(Figures.significant(interval.lower, 4)), \(Figures.significant(interval.upper, 4))]"
    }
    return [text]
  }
}

/// JSON of what the model adds.
struct ModelDocument: Encodable {
  struct Step: Encodable {
    var variant: String
    var durationUs: Double
    var speedup: Double
  }

  var operation: String
  var variantBefore: String?
  var variantAfter: String?
  var evidenceBefore: String
  var evidenceAfter: String
  var reasons: [String]
  var costs: String
  var predictedSpeedup: Double?
  var predictedSpeedupLow: Double?
  var predictedSpeedupHigh: Double?
  var shareOfPredictedGain: Double?
  var floorUs: Double?
  /// Of the after time, by the model: `gup`, `loop`, `iommu`, `unpin`.
  var shares: [String: Double]
  var next: [Step]

  init(_ meeting: ModelMeeting) {
    operation = meeting.operation.rawValue
    variantBefore = meeting.before.variant?.rawValue
    variantAfter = meeting.after.variant?.rawValue
    evidenceBefore = meeting.before.evidence.rawValue
    evidenceAfter = meeting.after.evidence.rawValue
    reasons = meeting.before.reasons + meeting.after.reasons
    costs = meeting.costsName
    predictedSpeedup = meeting.predictedSpeedup
    predictedSpeedupLow = meeting.predictedLow
    predictedSpeedupHigh = meeting.predictedHigh
    shareOfPredictedGain = meeting.shareOfPredictedGain
    floorUs = meeting.floor.map { $0 / 1_000 }
    shares = ModelDocument.shares(meeting.headroom)
    next = ModelDocument.steps(meeting.headroom)
  }

  static func shares(_ headroom: Headroom?) -> [String: Double] {
    Dictionary(uniqueKeysWithValues: (headroom?.shares ?? [:]).map { ($0.rawValue, $1) })
  }

  static func steps(_ headroom: Headroom?) -> [Step] {
    (headroom?.steps ?? []).map {
      Step(variant: $0.variant.rawValue, durationUs: $0.duration.nanoseconds / 1_000, speedup: $0.speedup)
    }
  }
}

struct CorrectionDocument: Encodable {
  var hookCostNs: Double
  var hooksBefore: Double
  var hooksAfter: Double
  var beforeUs: Double
  var afterUs: Double
  var speedup: Double
  var speedupLow: Double?
  var speedupHigh: Double?

  init(_ correction: HookCorrection) {
    hookCostNs = correction.hookCost
    hooksBefore = correction.hooksBefore
    hooksAfter = correction.hooksAfter
    beforeUs = correction.before / 1_000
    afterUs = correction.after / 1_000
    speedup = correction.speedup
    speedupLow = correction.interval?.lower
    speedupHigh = correction.interval?.upper
  }
}
