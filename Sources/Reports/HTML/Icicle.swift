internal import Analysis
internal import Glibc

/// The callees by time: each box is a function, as wide as its time, below its caller.
///
/// Boxes are HTML, placed by rules of the page's style sheet, so that names are cut with an ellipsis at any width. With a
/// script a click makes a box as wide as the whole; without one the boxes still tell their figures.
struct Icicle {
  var tree: SidedCalleeTree
  /// Before beside after, or one side alone.
  var isComparison: Bool
  /// Begins the names of this icicle's rules.
  var prefix: String

  static let rowHeight = 23

  /// How a callee's time changed, in steps that have a colour, a sign and a pattern each.
  static func change(_ node: SidedCalleeTree.Node) -> String {
    guard let before = node.before else { return "p4" }
    guard let after = node.after else { return "m4" }
    guard before.total > 0, after.total > 0 else { return "z" }
    switch after.total / before.total {
    case ...0.25: return "m4"
    case ...0.5: return "m3"
    case ...0.8: return "m2"
    case ..<0.98: return "m1"
    case 4...: return "p4"
    case 2...: return "p3"
    case 1.25...: return "p2"
    case 1.020001...: return "p1"
    default: return "z"
    }
  }

  /// `−34%`, `+12%`, `new`, `gone`.
  static func changeText(_ node: SidedCalleeTree.Node) -> String {
    guard node.before != nil else { return "new" }
    guard node.after != nil else { return "gone" }
    guard let relative = node.relativeDifference else { return "" }
    if abs(relative) < 0.0005 { return "±0%" }
    if relative >= 9.995 { return "×\(Figures.significant(relative + 1, 2))" }
    return (relative < 0 ? "−" : "+") + Figures.percent(abs(relative))
  }

  private func own(_ node: SidedCalleeTree.Node) -> String {
    let root = tree.nodes[0].before?.total ?? tree.nodes[0].after?.total ?? 0
    let own = node.before?.selfTime ?? node.after?.selfTime ?? 0
    switch root > 0 ? own / root : 0 {
    case 0.25...: return "s4"
    case 0.1...: return "s3"
    case 0.02...: return "s2"
    case 0.005...: return "s1"
    default: return "s0"
    }
  }

  private func words(_ node: SidedCalleeTree.Node) -> String {
    func side(_ name: String, _ figures: SidedCalleeTree.Figures?, _ root: SidedCalleeTree.Figures?) -> String
    {
      guard let figures else { return "\(name): not called" }
      let column = DurationColumn([figures.total], ascii: false)
      let own = DurationColumn([figures.selfTime], ascii: false)
      var text = name.isEmpty ? "" : name + ": "
      text += column.formatWithUnit(figures.total)
      if let root, root.total > 0 { text += " (\(Figures.percent(figures.total / root.total)))" }
      text += ", \(own.formatWithUnit(figures.selfTime)) of it itself"
      return text + ", \(Figures.significant(figures.calls, 3).trimmingZeros) calls"
    }
    let root = tree.nodes[0]
    if node.rest > 0 {
      let column = DurationColumn([node.before?.total ?? 0, node.after?.total ?? 0], ascii: false)
      let sides =
        isComparison
        ? "before \(column.formatWithUnit(node.before?.total)), after \(column.formatWithUnit(node.after?.total))"
        : column.formatWithUnit(node.before?.total)
      return
        "\(counted(node.rest, "more callee")) of \(tree.nodes[node.parent].name), too short to be drawn, together: \(sides)"
    }
    let more = node.leftOut > 0 ? "; \(counted(node.leftOut, "callee")) below not shown" : ""
    guard isComparison else { return "\(node.name): \(side("", node.before, root.before))\(more)" }
    return "\(node.name) \(Self.changeText(node)). \(side("before", node.before, root.before)). "
      + side("after", node.after, root.after) + more
  }

  /// The boxes' places.
  var rules: String {
    var text = "#\(prefix){height:\(tree.levels * Self.rowHeight)px}\n"
    for (index, extent) in tree.layout(.both).enumerated() {
      func percent(_ share: Double) -> String { Figures.fixed(share * 100, 3).trimmingZeros }
      text +=
        "#\(prefix)-\(index){left:\(percent(extent.start))%;width:\(percent(extent.width))%;"
        + "top:\(tree.nodes[index].level * Self.rowHeight)px}\n"
    }
    return text
  }

  var markup: Markup {
    var boxes: Markup = ""
    let widths = tree.layout(.both)
    for (index, node) in tree.nodes.enumerated() {
      let isThin = widths[index].width < 0.012
      let style =
        (node.rest > 0 ? "rest" : isComparison ? Self.change(node) : own(node)) + (isThin ? " thin" : "")
      let share: Markup
      if isComparison {
        share = "<b>\(Self.changeText(node))</b>"
      } else {
        let root = tree.nodes[0].before?.total ?? 0
        share = root > 0 && index > 0 ? "<b>\(Figures.percent((node.before?.total ?? 0) / root))</b>" : ""
      }
      let text = words(node)
      boxes += """
        <div id="\(prefix)-\(index)" class="box \(style)" role="treeitem" aria-level="\(node.level + 1)" \
        aria-label="\(text)" title="\(text)" tabindex="\(index == 0 ? 0 : -1)" data-parent="\(node.parent)" \
        data-before="\(Figures.fixed(node.before?.total ?? 0, 1))" data-after="\(Figures.fixed(node.after?.total ?? 0, 1))">\
        \(node.name) \(share)</div>

        """
    }
    let legend: Markup =
      isComparison
      ? """
      <p class="legend"><span class="box m4">−75% or gone</span><span class="box m3">−50%</span>\
      <span class="box m2">−20%</span><span class="box m1">−2%</span><span class="box z">same</span>\
      <span class="box p1">+2%</span><span class="box p2">+25%</span><span class="box p3">+100%</span>\
      <span class="box p4">+300% or new</span></p>
      """
      : """
      <p class="legend">time in the function itself, of the whole: <span class="box s0">below 0.5%</span>\
      <span class="box s1">0.5%</span><span class="box s2">2%</span><span class="box s3">10%</span>\
      <span class="box s4">25% or more</span></p>
      """
    let basis: Markup =
      isComparison
      ? """
      <span class="choice" role="group" aria-label="Widths"><button type="button" data-basis="before">before</button>\
      <button type="button" data-basis="both" aria-pressed="true">both</button>\
      <button type="button" data-basis="after">after</button></span>
      """ : ""
    return """
      <div class="icicle" data-icicle>
      <p class="controls" hidden>Click a box to zoom, or move with the arrow keys and press Enter; Escape zooms out. \
      \(basis)<button type="button" data-reset hidden>Zoom out</button></p>
      <div class="boxes" id="\(prefix)" role="tree" aria-label="Callees by time">
      \(boxes)</div>
      <p class="detail" aria-live="polite"></p>
      \(legend)
      </div>

      """
  }
}
