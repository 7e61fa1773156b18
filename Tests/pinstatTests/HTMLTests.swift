import Foundation
import Testing

/// The pages, as a browser has them (Debian's chromium, through Browser/browse.py).
@Suite(.serialized) struct HTMLTests {
  struct Visit: Decodable {
    struct Figure: Decodable {
      var place: String?
      var key: String
      var value: String
      var text: String
    }

    enum Value: Decodable, Equatable {
      case number(Double)
      case text(String)
      case none

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
          self = .number(number)
        } else if let text = try? container.decode(String.self) {
          self = .text(text)
        } else {
          self = .none
        }
      }

      var number: Double { if case .number(let number) = self { number } else { .nan } }
    }

    var seconds: Double
    var figures: [Figure]
    var elements: Int
    var svgElements: Int
    var problems: [String]
    var requests: [String]
    var evaluated: [Value]

    /// The values of a key within a section, in the order of the page.
    func values(_ key: String, of place: String?) -> [Double] {
      figures.filter { $0.key == key && $0.place == place }.compactMap { Double($0.value) }
    }
  }

  static func visit(_ page: String, _ options: String...) throws -> Visit {
    let outcome = try Tool.launch(
      "/usr/bin/python3", [Tool.root + "/Tests/pinstatTests/Browser/browse.py", page] + options)
    try #require(outcome.status == 0, "\(outcome.error)")
    return try JSONDecoder().decode(Visit.self, from: Data(outcome.output.utf8))
  }

  static func page(_ arguments: [String], in folder: TemporaryFolder) throws -> String {
    let path = folder.path + "/page.html"
    let outcome = try Tool.run(arguments + ["--format", "html", "-o", path])
    try #require(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.isEmpty)
    return path
  }

  static func json(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try Tool.run(arguments + ["--format", "json"])
    return try #require(
      JSONDecoder().decode(JSON.self, from: Data(outcome.output.utf8)).value as? [String: Any])
  }

  /// Any JSON, with numbers to the last digit, which JSONSerialization rounds.
  private struct JSON: Decodable {
    var value: Any

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let object = try? container.decode([String: JSON].self) {
        value = object.mapValues(\.value)
      } else if let list = try? container.decode([JSON].self) {
        value = list.map(\.value)
      } else if let flag = try? container.decode(Bool.self) {
        value = flag
      } else if let whole = try? container.decode(Int.self) {
        value = whole
      } else if let number = try? container.decode(Double.self) {
        value = number
      } else if let text = try? container.decode(String.self) {
        value = text
      } else {
        value = NSNull()
      }
    }
  }

  static func number(_ object: [String: Any], _ path: String) -> Double? {
    var value: Any? = object
    for key in path.split(separator: ".") { value = (value as? [String: Any])?[String(key)] }
    return value as? Double ?? (value as? Int).map(Double.init)
  }

  static let nested = [Tool.fixture("6.17-nest3-256m-2m.dat"), Tool.fixture("6.18-nest3-256m-2m.dat")]
  static let seed = [
    Tool.fixture("6.17-seed-8g-2m.dat"), Tool.fixture("6.18-seed-8g-2m.dat"), "--size", "8G", "--page-size",
    "2M",
  ]

  // MARK: The figures are the JSON's

  @Test(arguments: [nested, seed, nested + ["--all-functions", "--metric", "mean"]], [[], ["--no-script"]])
  func comparisonFiguresAreTheJSONs(_ arguments: [String], _ options: [String]) throws {
    let folder = try TemporaryFolder()
    let page = try Self.page(["compare"] + arguments, in: folder)
    let visit = options.isEmpty ? try Self.visit(page) : try Self.visit(page, "--no-script")
    let document = try Self.json(["compare", "--callees"] + arguments)
    let functions = try #require(document["functions"] as? [[String: Any]])
    var compared = 0
    for function in functions.prefix(12) {
      let name = try #require(function["function"] as? String)
      let keys =
        ["speedup", "speedup_low", "speedup_high", "confidence", "p_value", "effect_size"]
        + ["before", "after"].flatMap { side in
          ["runs", "calls", "median_us", "min_us", "max_us", "total_us", "throughput_gib_s"].map {
            "\(side).\($0)"
          }
        }
      for key in keys {
        let shown = visit.values(key, of: name)
        guard let value = Self.number(function, key) else {
          #expect(shown.isEmpty, "\(name) \(key)")
          continue
        }
        #expect(!shown.isEmpty, "\(name) \(key)")
        #expect(shown.allSatisfy { $0 == value }, "\(name) \(key): \(shown) for \(value)")
        compared += 1
      }
      let callees = function["callees"] as? [[String: Any]] ?? []
      for key in ["before_self_us", "after_self_us", "difference_us", "share_of_change"] {
        let shown = visit.values("callee.\(key)", of: name)
        #expect(shown == callees.prefix(40).compactMap { Self.number($0, key) }, "\(name) \(key)")
        compared += shown.count
      }
      // Of several functions each page shows fewer nodes than the JSON has.
      guard functions.count == 1, let all = function["tree"] as? [[String: Any]] else { continue }
      let tree = all.filter { $0["together"] == nil }
      for key in ["before_calls", "after_calls", "before_total_us", "after_total_us"] {
        let shown = visit.values("tree.\(key)", of: name)
        #expect(shown == tree.compactMap { Self.number($0, key) }, "\(name) \(key)")
        compared += shown.count
      }
    }
    // All functions are in the table, by their metric.
    if functions.count > 1 {
      #expect(
        visit.values("before.value_us", of: nil)
          == functions.compactMap { Self.number($0, "before.value_us") })
      #expect(visit.values("speedup", of: nil) == functions.compactMap { Self.number($0, "speedup") })
    }
    #expect(compared > 12)
    #expect(visit.problems.isEmpty, "\(visit.problems)")
  }

  @Test(arguments: [[], ["--no-script"]])
  func analysisFiguresAreTheJSONs(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    let arguments = ["analyze", "-f", "vfio_*", "--size", "256M", Self.nested[1]]
    let page = try Self.page(arguments, in: folder)
    let visit = options.isEmpty ? try Self.visit(page) : try Self.visit(page, "--no-script")
    let document = try Self.json(arguments + ["--callees"])
    let trace = try #require((document["traces"] as? [[String: Any]])?.first)
    let functions = try #require(trace["functions"] as? [[String: Any]])
    #expect(functions.count > 1)
    for key in [
      "count", "min_us", "p50_us", "p90_us", "p99_us", "max_us", "mean_us", "stddev_us", "total_us",
      "throughput_gib_s",
    ] {
      let shown = visit.values(key, of: Self.nested[1])
      #expect(shown == functions.compactMap { Self.number($0, key) }, "\(key)")
      #expect(shown.count == functions.count)
    }
    for function in functions {
      let name = try #require(function["function"] as? String)
      let callees = function["callees"] as? [String: Any] ?? [:]
      let rows = callees["rows"] as? [[String: Any]] ?? []
      // The function itself comes first.
      #expect(
        visit.values("callee.total_us", of: name).dropFirst()
          == rows.prefix(60).compactMap { Self.number($0, "total_us") }[...],
        "\(name)")
      let tree = function["tree"] as? [[String: Any]] ?? []
      guard tree.count > 1, let calls = Self.number(tree[0], "calls") else { continue }
      let shown = visit.values("tree.total_us", of: name)
      #expect(shown.count > 1)
      let totals = Set(tree.compactMap { Self.number($0, "total_us").map { ($0 / calls * 1e6).rounded() } })
      #expect(shown.allSatisfy { totals.contains(($0 * 1e6).rounded()) }, "\(name)")
    }
    #expect(visit.problems.isEmpty, "\(visit.problems)")
  }

  // MARK: The page in a browser

  /// Nothing is loaded, nothing goes wrong, and nothing is wider than the window.
  @Test(arguments: [
    ["--dark"], ["--print"], ["--width", "400"], ["--width", "1400"], ["--no-script", "--width", "400"],
  ])
  func pageIsWholeInItself(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    let page = try Self.page(
      ["compare", "--all-functions", "--max-slowdown", "900%", "--undecided", "pass"] + Self.nested,
      in: folder)
    let outcome = try Tool.launch(
      "/usr/bin/python3",
      [Tool.root + "/Tests/pinstatTests/Browser/browse.py", page] + options
        + ["--evaluate", "document.documentElement.scrollWidth - innerWidth"])
    try #require(outcome.status == 0, "\(outcome.error)")
    let visit = try JSONDecoder().decode(Visit.self, from: Data(outcome.output.utf8))
    #expect(visit.problems.isEmpty, "\(visit.problems)")
    #expect(visit.requests.isEmpty, "\(visit.requests)")
    #expect(visit.evaluated[0].number <= 0)
    let text = try String(contentsOfFile: page, encoding: .utf8)
    #expect(text.contains("default-src 'none'"))
    #expect(!text.contains("http://") && !text.contains("https://") && !text.contains("style=\""))
  }

  @Test func clickZooms() throws {
    let folder = try TemporaryFolder()
    let page = try Self.page(["compare"] + Self.nested, in: folder)
    let width = "document.querySelector('#t0-2').getBoundingClientRect().width"
    let whole = "document.querySelector('#t0').getBoundingClientRect().width"
    let before = try Self.visit(page, "--evaluate", width, "--evaluate", whole)
    #expect(before.evaluated[0].number < before.evaluated[1].number * 0.9)
    let after = try Self.visit(
      page, "--click", "#t0-2", "--evaluate", width, "--evaluate", whole, "--evaluate",
      "document.querySelector('.detail').textContent", "--evaluate",
      "document.querySelector('[data-reset]').hidden ? 1 : 0")
    #expect(abs(after.evaluated[0].number - after.evaluated[1].number) < 1)
    guard case .text(let detail) = after.evaluated[2] else {
      Issue.record("no detail")
      return
    }
    #expect(detail.contains("before: ") && detail.contains("calls"))
    #expect(after.evaluated[3] == .number(0))
    #expect(after.problems.isEmpty, "\(after.problems)")
    // Of one side alone the widths are that side's: what the other has not is gone.
    let basis = try Self.visit(
      page, "--click", "[data-basis=after]", "--evaluate",
      "document.querySelector('[data-basis=after]').getAttribute('aria-pressed')", "--evaluate",
      "[...document.querySelectorAll('[data-after=\"0.0\"]')].every((box) => box.hidden) ? 1 : 0")
    #expect(basis.evaluated == [.text("true"), .number(1)])
  }

  /// Names from a trace stay text.
  @Test func namesAreEscaped() throws {
    let folder = try TemporaryFolder()
    let names = [
      "<script>throw 1</script>", "\"><img src=x onerror=throw(2)>", "'onmouseover='throw 3",
      "</style><svg onload=throw(4)>",
      "--></title>&lt;b&gt;\u{202e}x",
    ]
    var document = try Self.json(["analyze", "--callees", Self.nested[0]])
    var trace = try #require((document["traces"] as? [[String: Any]])?.first)
    let function = try #require((trace["functions"] as? [[String: Any]])?.first)
    trace["functions"] = names.map { name in
      var hostile = function
      hostile["function"] = name
      hostile["module"] = name
      hostile["tree"] = (function["tree"] as? [[String: Any]])?.map { node in
        node.merging(["function": name]) { $1 }
      }
      return hostile
    }
    for key in ["path", "kernel", "uname", "writer", "tracer"] { trace[key] = names.joined() }
    document["traces"] = [trace]
    document["filters"] = names
    let path = try folder.file("hostile.json", JSONSerialization.data(withJSONObject: document))
    for arguments in [["analyze", "--all-functions", path], ["compare", "--all-functions", path, path]] {
      let page = try Self.page(arguments, in: folder)
      let visit = try Self.visit(
        page, "--evaluate", "document.querySelectorAll('script').length", "--evaluate",
        "document.querySelectorAll('img, [onload], [onerror], [onmouseover]').length", "--evaluate",
        "[...document.querySelectorAll('[data-function]')].map((e) => e.dataset.function).join('\\n')")
      #expect(visit.problems.isEmpty, "\(visit.problems)")
      #expect(visit.requests.isEmpty, "\(visit.requests)")
      #expect(visit.evaluated[0] == .number(1))
      #expect(visit.evaluated[1] == .number(0))
      guard case .text(let shown) = visit.evaluated[2] else {
        Issue.record("no functions")
        continue
      }
      for name in names { #expect(shown.contains(name.replacing("\u{202e}", with: "\u{fffd}")), "\(name)") }
    }
  }

  /// Ten thousand calls and a thousand functions: few enough elements, a small enough file, opened at once.
  @Test func muchIsBounded() throws {
    let folder = try TemporaryFolder()
    func trace(_ scale: Double) throws -> String {
      var text = "# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n"
      var state: UInt64 = 12345
      func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 40) / Double(1 << 24)
      }
      for call in 0..<10_000 {
        text += " 0)               |  outer() {\n"
        var sum = 0.0
        for child in 0..<3 {
          let duration = (1 + next() * 8) * scale
          sum += duration
          text += String(format: " 0)   %.3f us    |    inner_%d();\n", duration, (call * 3 + child) % 1_000)
        }
        text += String(format: " 0)   %.3f us   |  }\n", sum + 1)
      }
      return text
    }
    let before = try folder.file("before.txt", try trace(1))
    let after = try folder.file("after.txt", try trace(0.5))
    for arguments in [
      ["compare", "--all-functions", before, after], ["compare", "-f", "outer", before, after],
      ["analyze", "--all-functions", before],
    ] {
      let page = try Self.page(arguments, in: folder)
      let size = try #require(
        try FileManager.default.attributesOfItem(atPath: page)[.size] as? Int)
      let visit = try Self.visit(page)
      #expect(visit.problems.isEmpty, "\(visit.problems)")
      print(
        "big page: \(arguments[0]) \(arguments[1]), \(size) bytes, \(visit.elements) elements, \(visit.svgElements) of SVG, \(visit.seconds) s"
      )
      #expect(size < 3_000_000)
      #expect(visit.elements < 40_000)
      #expect(visit.svgElements < 12_000)
      #expect(visit.seconds < 20)
      if arguments[1] == "--all-functions" {
        #expect(
          visit.figures.filter { $0.key == (arguments[0] == "compare" ? "before.value_us" : "p50_us") }.count
            == 1_001)
      }
    }
  }
}

/// JUnit's XML against what CI servers demand of it.
@Suite struct JUnitSchemaTests {
  static let before = Tool.fixture("6.17-seed-8g-2m.dat")
  static let after = Tool.fixture("6.18-seed-8g-2m.dat")

  static func validate(_ text: String) throws -> Tool.Outcome {
    let folder = try TemporaryFolder()
    let path = try folder.file("report.xml", text)
    return try Tool.launch(
      "/usr/bin/xmllint",
      ["--noout", "--nonet", "--schema", Tool.root + "/Tests/pinstatTests/Schemas/junit.xsd", path])
  }

  @Test(arguments: [
    [before, after], [before, after, "--max-slowdown", "5%"], [after, before, "--max-slowdown", "5%"],
    [before, after, "--min-speedup", "2.6x"], [before, after, "-f", "no_such_function"],
    ["/nonexistent", after],
    [HTMLTests.nested[0], HTMLTests.nested[1], "--all-functions", "--max-slowdown", "5%"],
  ])
  func reportsAreValid(_ arguments: [String]) throws {
    let report = try Tool.run(["compare", "--format", "junit"] + arguments)
    let outcome = try Self.validate(report.output)
    #expect(outcome.status == 0, "\(outcome.error)\(report.output)")
  }

  @Test func schemaRefusesWhatIsNotJUnit() throws {
    let report = try Tool.run("compare", "--format", "junit", Self.before, Self.after).output
    for (old, new) in [
      ("<testcase ", "<case "), ("tests=\"1\"", "tests=\"one\""), (" classname=", " class="),
      ("</testsuites>", ""),
    ] {
      let spoilt = report.replacing(old, with: new).replacing(
        new == "<case " ? "</testcase>" : "\u{0}", with: "</case>")
      #expect(spoilt != report)
      #expect(try Self.validate(spoilt).status != 0, "\(old)")
    }
  }
}
