internal import Analysis
internal import PinningModel

/// The measured durations beside what the model says of them and of the variants that go further, as bars.
func modelBars(_ function: FunctionComparison, _ model: ModelMeeting) -> Markup {
  var rows: [BarRow] = [
    BarRow(
      name: "before, measured", variant: model.before.text, key: "before.median_us",
      duration: function.before.median)
  ]
  if let predicted = model.predictedAfter(measuredBefore: function.before.median) {
    rows.append(
      BarRow(
        name: "after, predicted", variant: model.after.variant?.rawValue ?? "",
        key: "model.predicted_after_us",
        duration: predicted.nanoseconds, low: predicted.low, high: predicted.high, isPredicted: true))
  }
  rows.append(
    BarRow(
      name: "after, measured", variant: model.after.text, key: "after.median_us",
      duration: function.after.median,
      headroom: model.headroom))
  rows += stepRows(model.headroom)
  return barTable(
    rows, caption: "Median duration of \(function.name), measured and by the model", model.headroom)
}

/// One trace's median beside the variants that go further.
func modelBars(_ view: ModelView) -> Markup {
  guard let headroom = view.headroom else { return "" }
  let rows = [
    BarRow(
      name: "measured", variant: view.recognized.text, key: "p50_us", duration: view.measured,
      headroom: headroom)
  ]
  return barTable(rows + stepRows(headroom), caption: "Median duration, measured and by the model", headroom)
}

private struct BarRow {
  var name: String
  var variant: String
  var key: String
  /// Nanoseconds.
  var duration: Double
  var low: Double?
  var high: Double?
  var headroom: Headroom?
  var isPredicted = false
  var speedup: Double?
}

private func stepRows(_ headroom: Headroom?) -> [BarRow] {
  (headroom?.steps ?? []).filter { !$0.variant.canMapWrongly }.map {
    BarRow(
      name: "could be", variant: $0.variant.rawValue, key: "model.next_us", duration: $0.duration.nanoseconds,
      low: $0.duration.low, high: $0.duration.high, isPredicted: true, speedup: $0.speedup)
  }
}

private let parts: [(Operation.Part, String)] = [
  (.gup, "GUP"), (.loop, "loop"), (.iommu, "IOMMU"), (.unpin, "unpin"), (.other, "other"),
]

private func barTable(_ rows: [BarRow], caption: String, _ headroom: Headroom?) -> Markup {
  let longest = rows.map { max($0.duration, $0.high ?? 0) }.max() ?? 1
  let column = DurationColumn(rows.map(\.duration), ascii: false)
  func percent(_ value: Double) -> Double { longest > 0 ? value / longest * 100 : 0 }
  var body: Markup = ""
  for row in rows {
    var bar: Markup = ""
    if let headroom = row.headroom {
      var start = 0.0
      for (part, name) in parts {
        guard let share = headroom.shares[part] else { continue }
        let width = percent(row.duration * share)
        bar += """
          <rect class="\(part.rawValue)" x="\(start)%" width="\(width)%" y="2" height="16"><title>\(name) \
          \(Figures.fixed(share * 100, 1))%</title></rect>
          """
        start += width
      }
    } else {
      let style: Markup = row.isPredicted ? "predicted" : "measured"
      bar += "<rect class=\"\(style)\" x=\"0\" width=\"\(percent(row.duration))%\" y=\"2\" height=\"16\"/>"
    }
    if let low = row.low, let high = row.high {
      bar += "<line class=\"whisker\" x1=\"\(percent(low))%\" x2=\"\(percent(high))%\" y1=\"10\" y2=\"10\"/>"
    }
    let gain = row.speedup.map { "\(Figures.significant($0))× as fast" } ?? ""
    body += """
      <tr><th scope="row">\(row.name)<br><span class="soft">\(row.variant)</span></th>\
      <td class="n">\(figure(row.key, row.duration / 1_000, column.format(row.duration)))</td>\
      <td class="track"><svg height="20" aria-hidden="true">\(bar)</svg></td><td>\(gain)</td></tr>

      """
  }
  let legend = parts.compactMap { part, name -> Markup? in
    guard let share = headroom?.shares[part] else { return nil }
    return "<span class=\"swatch \(part.rawValue)\"></span>\(name) \(Figures.fixed(share * 100, 1))%"
  }
  let split: Markup =
    legend.isEmpty
    ? "" : "<p class=\"legend\">Where the measured time goes, by the model:\(Markup(joining: legend))</p>"
  return """
    <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table class="bars"><caption>\(caption)</caption>
    <thead><tr><th scope="col"></th><th scope="col" class="n">\(column.unit)</th><th scope="col"></th>\
    <th scope="col"></th></tr></thead>
    <tbody>
    \(body)</tbody></table></div>
    <p class="legend">solid: measured; dashed outline: by the model, line: its uncertainty</p>
    \(split)

    """
}
