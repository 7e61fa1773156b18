/// A frame with two axes that fills whatever width there is: places along it are shares of the width, heights are pixels,
/// so that marks and letters keep their size on any screen and on paper, without a script.
struct Plot {
  /// What it shows, for those who do not see it.
  var label: String
  /// Pixels, without the axis below.
  var height: Double
  var x: Axis
  var xTitle: String
  /// Nil for lanes that have names instead of a scale.
  var y: [Axis.Tick]
  /// Lines and dots in `stretched` coordinates: x in thousandths of the width, y in pixels from the top.
  var stretched: Markup = ""
  /// Marks placed by percent.
  var overlay: Markup = ""

  init(_ label: String, height: Double, x: Axis, xTitle: String, y: [Axis.Tick] = []) {
    self.label = label
    self.height = height
    self.x = x
    self.xTitle = xTitle
    self.y = y
  }

  var markup: Markup {
    var grid: Markup = ""
    for (index, tick) in x.ticks.enumerated() {
      let odd: Markup = index % 2 == 1 ? " class=\"odd\"" : ""
      grid += """
        <g\(odd)><line class="grid" x1="\(tick.place * 100)%" x2="\(tick.place * 100)%" y1="0" y2="\(height)"/>\
        <text class="tick" x="\(tick.place * 100)%" y="\(height + 16)" text-anchor="middle">\(tick.label)</text></g>

        """
    }
    for tick in y {
      let place = (1 - tick.place) * height
      grid += """
        <line class="grid" x1="0" x2="100%" y1="\(place)" y2="\(place)"/>\
        <text class="tick" x="-8" y="\(place + 4)" text-anchor="end">\(tick.label)</text>

        """
    }
    return """
      <svg class="plot" role="img" aria-label="\(label)" height="\(height + 38)">
      \(grid)<line class="axis" x1="0" x2="100%" y1="\(height)" y2="\(height)"/>
      <svg width="100%" height="\(height)" viewBox="0 0 1000 \(height)" preserveAspectRatio="none" overflow="visible">\
      \(stretched)</svg>
      \(overlay)<text class="title" x="100%" y="\(height + 34)" text-anchor="end">\(xTitle)</text>
      </svg>

      """
  }
}

/// Dots of one series.
struct Dots {
  struct Dot {
    /// A share of the width.
    var x: Double
    /// Pixels.
    var y: Double
    var text: String
  }

  /// Up to so many dots are elements of their own that tell their value; more are one path.
  static let mostElements = 120

  var dots: [Dot] = []

  /// Either elements for the overlay, or a path for the stretched part, without dots on top of one another.
  func add(to plot: inout Plot, _ style: String) {
    if dots.count <= Self.mostElements {
      plot.overlay += Markup(
        joining: dots.map {
          "<circle class=\"dot \(style)\" cx=\"\($0.x * 100)%\" cy=\"\($0.y)\" r=\"3.5\"><title>\($0.text)</title></circle>\n"
        })
      return
    }
    var seen: Set<Int> = []
    var path = ""
    for dot in dots {
      let (x, y) = (Int((dot.x * 1000).rounded()), Int((dot.y * 2).rounded()))
      guard seen.insert(x << 20 | y & 0xfffff).inserted else { continue }
      path += "M\(x) \(shortCoordinate(Double(y) / 2))h0"
    }
    let size: Markup = dots.count > 2_000 ? " many" : ""
    plot.stretched += "<path class=\"dots \(style)\(size)\" d=\"\(path)\"/>\n"
  }
}

/// A line through points: x a share of the width, y pixels.
func polyline(_ points: [(x: Double, y: Double)], _ style: String) -> Markup {
  guard let first = points.first else { return "" }
  var path = "M\(shortCoordinate(first.x * 1000)) \(shortCoordinate(first.y))"
  for point in points.dropFirst() {
    path += "L\(shortCoordinate(point.x * 1000)) \(shortCoordinate(point.y))"
  }
  return "<path class=\"\(style)\" d=\"\(path)\"/>\n"
}
