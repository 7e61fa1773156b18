internal import Analysis
internal import Statistics

/// One side's calls as the charts show them: `before`, `after`, or `calls` where there is one side.
struct CallSeries {
  /// Also the class by which it is drawn.
  var name: String
  var runs: [RunCalls]

  var count: Int { runs.reduce(0) { $0 + $1.count } }
  var durations: [Double] { runs.flatMap(\.durations) }

  /// At most `most` of a run's durations, evenly spaced ranks, so that the shape and the ends stay.
  static func shown(_ durations: [Double], most: Int) -> [Double] {
    let sorted = durations.sorted()
    guard sorted.count > most, most > 1 else { return sorted }
    return (0..<most).map { sorted[$0 * (sorted.count - 1) / (most - 1)] }
  }
}

/// How much one chart may hold.
struct ChartBudget {
  /// Dots of one side.
  var dots: Int
  /// Nodes of a tree of callees.
  var nodes: Int

  /// For a page with so many functions in detail.
  init(functions: Int) {
    let share = max(1, functions)
    dots = max(1_000, 20_000 / share)
    nodes = max(60, 400 / share)
  }
}

private func duration(_ nanoseconds: Double) -> String {
  DurationColumn([nanoseconds], ascii: false).formatWithUnit(nanoseconds)
}

// MARK: Distribution

/// Every call as a dot, a lane a side and a line a run, with the median and its interval.
func distributionChart(_ series: [CallSeries], _ budget: ChartBudget) -> Markup {
  let axis = Axis(series.flatMap(\.durations))
  let lanes = series.map { lane in
    (series: lane, height: lane.runs.count > 1 ? min(150, max(60, Double(lane.runs.count) * 16)) : 64.0)
  }
  let gap = 34.0
  let height = lanes.reduce(0) { $0 + $1.height + gap }
  let words = series.map { lane in
    Spread(lane.durations).map {
      "\(lane.name): median \(duration($0.median)), from \(duration($0.minimum)) to \(duration($0.maximum))"
    } ?? lane.name
  }
  var plot = Plot(
    "Durations of the calls. " + words.joined(separator: ". "), height: height, x: axis,
    xTitle: axis.isLogarithmic ? "duration of a call, logarithmic" : "duration of a call")
  var top = gap - 6
  for (lane, laneHeight) in lanes {
    defer { top += laneHeight + gap }
    guard let spread = Spread(lane.durations) else { continue }
    let middle = top + laneHeight / 2
    func percent(_ value: Double) -> Double { axis.place(value) * 100 }
    let quartiles = (percent(spread.lowerQuartile), percent(spread.upperQuartile))
    plot.overlay += """
      <rect class="quartiles \(lane.name)" x="\(quartiles.0)%" width="\(max(0.1, quartiles.1 - quartiles.0))%" \
      y="\(top)" height="\(laneHeight)"/>

      """
    dots(lane, axis, top: top, height: laneHeight, budget).add(to: &plot, lane.name)
    if let interval = spread.interval {
      let ends = (percent(interval.lower), percent(interval.upper))
      plot.overlay += """
        <line class="interval \(lane.name)" x1="\(ends.0)%" x2="\(ends.1)%" y1="\(top - 4)" y2="\(top - 4)"/>

        """
    }
    if lane.runs.count > 1 {
      let band = laneHeight / Double(lane.runs.count)
      for (number, run) in lane.runs.enumerated() {
        plot.overlay += """
          <svg x="\(percent(run.median))%" y="\(top + band * (Double(number) + 0.5))" overflow="visible">\
          <path class="run \(lane.name)" d="M0-5L5 0 0 5-5 0z"><title>\(run.path): median \(duration(run.median)) \
          of \(counted(run.count, "call"))</title></path></svg>

          """
      }
    }
    let place = percent(spread.median)
    let anchor: Markup = place > 85 ? "end" : (place < 15 ? "start" : "middle")
    plot.overlay += """
      <line class="median \(lane.name)" x1="\(place)%" x2="\(place)%" y1="\(top - 6)" y2="\(top + laneHeight + 2)"/>
      <text class="value" x="\(place)%" y="\(top - 10)" text-anchor="\(anchor)">\(duration(spread.median))</text>
      <text class="lane" x="-8" y="\(middle)" text-anchor="end">\(lane.name)</text>

      """
  }
  return plot.markup
}

private func dots(_ lane: CallSeries, _ axis: Axis, top: Double, height: Double, _ budget: ChartBudget)
  -> Dots
{
  var result = Dots()
  let band = height / Double(max(1, lane.runs.count))
  for (number, run) in lane.runs.enumerated() {
    let values = CallSeries.shown(run.durations, most: max(100, budget.dots / max(1, lane.runs.count)))
    // Dots of about the same duration are stacked around the middle of the band: a histogram that keeps every call.
    let places = values.map(axis.place)
    let columns = values.count > 1_000 ? 500.0 : 160.0
    var counts: [Int: Int] = [:]
    for place in places { counts[Int(place * columns), default: 0] += 1 }
    let spacing = min(7, (band - 6) / Double(max(1, (counts.values.max() ?? 1) - 1)))
    var stacked: [Int: Int] = [:]
    for (value, place) in zip(values, places) {
      let column = Int(place * columns)
      let rank = stacked[column, default: 0]
      stacked[column] = rank + 1
      // 0, 1, −1, 2, −2, ...
      let step = Double((rank + 1) / 2) * (rank % 2 == 1 ? 1 : -1)
      // An even stack has its middle between two dots.
      let middle = counts[column, default: 1] % 2 == 0 ? spacing / 2 : 0
      let y = top + band * (Double(number) + 0.5) + step * spacing - middle
      result.dots.append(Dots.Dot(x: place, y: y, text: duration(value)))
    }
  }
  return result
}

// MARK: Distribution function

/// Which share of the calls took no longer than a duration, one line a side.
func distributionFunctionChart(_ series: [CallSeries]) -> Markup {
  let axis = Axis(series.flatMap(\.durations))
  let ticks = [0, 0.25, 0.5, 0.75, 1].map { Axis.Tick(place: $0, label: Figures.percent($0)) }
  var plot = Plot(
    "Empirical distribution functions: the share of calls that took no longer than a duration", height: 200,
    x: axis, xTitle: axis.isLogarithmic ? "duration of a call, logarithmic" : "duration of a call", y: ticks)
  for lane in series {
    let steps = EmpiricalDistribution(lane.durations).steps
    guard let first = steps.first else { continue }
    var path = "M\(shortCoordinate(axis.place(first.value) * 1000)) \(shortCoordinate(plot.height))"
    for step in steps {
      path +=
        "H\(shortCoordinate(axis.place(step.value) * 1000))V\(shortCoordinate((1 - step.share) * plot.height))"
    }
    plot.stretched += "<path class=\"line \(lane.name)\" d=\"\(path)H1000\"/>\n"
  }
  return plot.markup
}

// MARK: Over time

/// The calls in the order in which they began, with the median of consecutive ones: warm-up and drift show.
///
/// - Parameter scale: the durations that the vertical axis holds, shared by both sides.
func timelineChart(_ lane: CallSeries, scale: [Double], _ budget: ChartBudget) -> Markup {
  let hasTimes = lane.runs.allSatisfy(\.hasTimes)
  let runs = lane.runs.map(\.points)
  let isTime = hasTimes && lane.runs.allSatisfy(\.startsAreTime)
  let x = Axis(
    runs.joined().map(\.offset) + [0], allowsLogarithm: false, fromZero: true, isTime: isTime, most: 5)
  let y = Axis(scale, most: 5)
  let title =
    hasTimes
    ? (isTime ? "start, since the first call" : "start, ticks of the clock since the first call")
    : "number of the call"
  var plot = Plot(
    "\(lane.name): durations of the calls in the order in which they began", height: 200, x: x, xTitle: title,
    y: y.ticks)
  var dots = Dots()
  for run in runs {
    let most = max(100, budget.dots / max(1, runs.count))
    let every = max(1, (run.count + most - 1) / most)
    for index in stride(from: 0, to: run.count, by: every) {
      let point = run[index]
      dots.dots.append(
        Dots.Dot(
          x: x.place(point.offset), y: (1 - y.place(point.duration)) * plot.height,
          text: "call \(index + 1): \(duration(point.duration))"))
    }
  }
  dots.add(to: &plot, lane.name)
  for run in runs {
    let trend = CallTimeline.trend(run).map {
      (x: x.place($0.offset), y: (1 - y.place($0.duration)) * plot.height)
    }
    if trend.count > 2 { plot.stretched += polyline(trend, "trend \(lane.name)") }
  }
  return plot.markup
}

// MARK: Histogram

/// How many calls fall into each of some ranges of duration.
func histogramChart(_ durations: [Double]) -> Markup {
  let usable = durations.filter { $0 > 0 }
  guard let least = usable.min(), let greatest = usable.max() else { return "" }
  let axis = Axis(usable)
  let scale: Histogram.Scale = axis.isLogarithmic ? .logarithmic : .linear
  let histogram = Histogram(
    usable, bins: Histogram.suggestedBins(usable, scale: scale, most: 60), scale: scale)
  let most = Double(histogram.counts.max() ?? 1)
  let counts = Axis([0, most], allowsLogarithm: false, fromZero: true, isTime: false, most: 4)
  var plot = Plot(
    "Histogram: \(counted(usable.count, "call")) from \(duration(least)) to \(duration(greatest))",
    height: 200,
    x: axis, xTitle: axis.isLogarithmic ? "duration of a call, logarithmic" : "duration of a call",
    y: counts.ticks.filter { !$0.label.contains(".") })
  for (bin, count) in histogram.counts.enumerated() where count > 0 {
    let ends = (axis.place(histogram.edges[bin]), axis.place(histogram.edges[bin + 1]))
    let bar = counts.place(Double(count)) * plot.height
    // One value alone has no width.
    let width = max(0.6, (ends.1 - ends.0) * 100)
    plot.overlay += """
      <rect class="bar" x="\(ends.0 * 100)%" width="\(width)%" y="\(plot.height - bar)" height="\(bar)"><title>\
      \(duration(histogram.edges[bin])) to \(duration(histogram.edges[bin + 1])): \(counted(count, "call"))</title></rect>

      """
  }
  return plot.markup
}
