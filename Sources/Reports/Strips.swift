internal import Analysis
internal import Glibc

// Small drawings of a terminal's characters, with plain ones where the locale has no others.

/// Where each side's calls lie on one axis: a line a side, heights by their number, and the ends below.
func distributionStrip(
  _ sides: [(name: String, durations: [Double], paint: (String) -> String)], _ style: TextStyle, indent: Int
) -> [String] {
  let names = sides.map { displayWidth($0.name) }.max() ?? 0
  let room = min(style.width, 110) - indent - names - 2
  guard room >= 16, sides.allSatisfy({ $0.durations.count >= 4 }),
    let histogram = SharedHistogram(sides.map(\.durations), bins: room)
  else { return [] }
  let margin = String(repeating: " ", count: indent)
  let levels = Array(style.unicode ? "▁▂▃▄▅▆▇█" : ".:|#")
  var lines: [String] = []
  for (side, counts) in zip(sides, histogram.counts) {
    let most = Double(max(1, counts.max() ?? 1))
    var text = ""
    for count in counts {
      let level = Int((Double(count) / most * Double(levels.count)).rounded(.up))
      text.append(count > 0 ? levels[max(0, min(levels.count, level) - 1)] : " ")
    }
    while text.last == " " { text.removeLast() }
    let padding = String(repeating: " ", count: names - displayWidth(side.name) + 2)
    lines.append(margin + side.name + padding + side.paint(text))
  }
  let column = DurationColumn([histogram.low, histogram.high], ascii: !style.unicode)
  let (corner, end) = style.unicode ? ("└ ", " ┘") : ("| ", " |")
  let left = corner + column.formatWithUnit(histogram.low)
  let right = column.formatWithUnit(histogram.high) + end
  let middle = histogram.isLogarithmic ? "logarithmic" : ""
  let free = room - displayWidth(left) - displayWidth(right)
  if free >= displayWidth(middle) + 2 {
    let before = (free - middle.count) / 2
    lines.append(
      margin + String(repeating: " ", count: names + 2)
        + style.dim(
          left + String(repeating: " ", count: before) + middle
            + String(repeating: " ", count: free - before - middle.count) + right))
  }
  return lines
}

/// Speedups with their intervals on one logarithmic axis, a text a function: `|  --o--`.
struct RatioStrip {
  /// Farther from 1 than this nothing is drawn to scale.
  private static let widest = 16.0

  private let width: Int
  private let reach: Double
  private let marks: (none: Character, estimate: Character, interval: Character, one: Character)

  init(_ functions: [FunctionComparison], width: Int, unicode: Bool) {
    self.width = width
    marks = unicode ? (" ", "●", "─", "│") : (" ", "o", "-", "|")
    let ends = functions.flatMap { [$0.speedup, $0.interval?.lower, $0.interval?.upper].compactMap { $0 } }
    let farthest = ends.filter { $0 > 0 && $0.isFinite }.map { max($0, 1 / $0) }.max() ?? 2
    reach = log(min(Self.widest, max(1.1, farthest)))
  }

  /// `0.5x ... 2x`, as the heading.
  var title: String {
    let left = Figures.significant(exp(-reach), 2) + "x"
    let right = Figures.significant(exp(reach), 2) + "x"
    let free = max(1, width - left.count - right.count)
    return left + String(repeating: " ", count: free) + right
  }

  private func column(_ ratio: Double) -> Int {
    guard ratio > 0 else { return 0 }
    let place = (log(ratio) / reach + 1) / 2
    return max(0, min(width - 1, Int((max(-1, min(2, place)) * Double(width - 1)).rounded())))
  }

  func text(_ function: FunctionComparison) -> String {
    var cells = [Character](repeating: marks.none, count: width)
    cells[column(1)] = marks.one
    if let interval = function.interval {
      for index in column(interval.lower)...max(column(interval.lower), column(interval.upper)) {
        cells[index] = marks.interval
      }
    }
    cells[column(function.speedup)] = marks.estimate
    return String(cells)
  }
}
