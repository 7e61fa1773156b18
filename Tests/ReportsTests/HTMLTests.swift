import Testing

@testable import Analysis
@testable import Reports

@Suite("The parts of a page")
struct HTMLPartTests {
  @Test(
    "SHA-256, against Python's hashlib",
    arguments: [
      ("", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
      ("abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
      (String(repeating: "a", count: 55), "n0OQ+NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg="),
      (String(repeating: "a", count: 56), "s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o="),
      (String(repeating: "a", count: 1_000), "Qe3s5C1j6Nm/UVqbppMuHCDLyfWl0TRkWttdsblzfqM="),
    ])
  func hash(_ text: String, _ base64: String) {
    #expect(SHA256.base64(text) == base64)
  }

  @Test("Values are text, whatever they hold", arguments: hostileNames)
  func escaping(_ name: String) {
    let markup: Markup = "<a title=\"\(name)\">\(name)</a>"
    let inside = markup.html.dropFirst("<a title=\"".count).dropLast("</a>".count)
    let signs = inside.unicodeScalars.filter { ["<", ">", "\""].contains($0) }
    #expect(signs.map(String.init) == ["\"", ">"])
    #expect(!inside.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) })
    // By scalars: with a combining mark behind it a sign is another `Character`, and still the sign to a browser.
    let scalars = Array(inside.unicodeScalars)
    for index in scalars.indices where scalars[index] == "&" {
      let rest = String(String.UnicodeScalarView(scalars[index...].prefix(6)))
      #expect(
        ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].contains { rest.utf8.starts(with: $0.utf8) }, "\(rest)")
    }
  }

  @Test(
    "Coordinates have two decimals at most",
    arguments: [
      (0, "0"), (1, "1"), (0.5, "0.5"), (12.345, "12.35"), (-0.004, "0"), (-1.25, "-1.25"), (.nan, "0"),
      (99.999, "100"),
    ])
  func coordinates(_ value: Double, _ text: String) {
    #expect(shortCoordinate(value) == text)
  }

  static let axes: [[Double]] = [
    [48.59e6, 177.27e6], [1, 1], [0, 0], [999, 1_000], [1, 1e12], [0.5, 3], [0, 5e9], [1e3, 19e3],
    [1e3, 21e3], [],
    [127e6, 127.0001e6],
  ]

  @Test("An axis holds its values, with a few marks in order and all different", arguments: axes)
  func axis(_ values: [Double]) {
    let axis = Axis(values)
    #expect(values.allSatisfy { (0...1).contains(axis.place($0)) })
    #expect(axis.low < axis.high)
    #expect((1...12).contains(axis.ticks.count), "\(axis.ticks)")
    #expect(zip(axis.ticks, axis.ticks.dropFirst()).allSatisfy { $0.place < $1.place })
    #expect(Set(axis.ticks.map(\.label)).count == axis.ticks.count, "\(axis.ticks.map(\.label))")
    if let low = values.min(), let high = values.max(), low < high {
      #expect(axis.place(low) < axis.place(high))
    }
  }

  @Test("Arguments as a shell takes them back")
  func quoting() {
    #expect(
      ["a b", "it's", "-f", "vfio_*", "", "$HOME"].map(shellQuoted) == [
        "'a b'", "'it'\\''s'", "-f", "'vfio_*'", "''", "'$HOME'",
      ])
  }
}

@Suite("A terminal's width")
struct TerminalWidthTests {
  private func report() throws -> ComparisonReport {
    let long = "a_function_with_quite_a_long_name_as_kernels_have_them_indeed"
    let values: [Int64] = [8_914_626, 8_700_000, 9_100_000, 8_800_000, 8_950_000, 7_000_000]
    var report = ComparisonReport(
      comparison: try comparison(
        [
          long: values, "\u{6f22}\u{5b57}\u{306e}\u{95a2}\u{6570}": values.map { $0 / 1_000 },
          "short": [3, 4, 5, 6, 7, 9],
        ],
        [
          long: values.map { $0 / 2 }, "\u{6f22}\u{5b57}\u{306e}\u{95a2}\u{6570}": values.map { $0 / 900 },
          "short": [3, 4, 5, 6, 7, 8],
        ]),
      context: ReportContext(size: 8 << 30, pageSize: 2 << 20))
    report.context.wantsCallees = true
    return report
  }

  @Test(
    "Nothing is wider, from forty columns on", arguments: [40, 50, 60, 72, 80, 100, 120, 160], [true, false])
  func fits(_ width: Int, _ unicode: Bool) throws {
    let report = try report()
    let lines = report.text(TextStyle(unicode: unicode, width: width)).split(separator: "\n")
    #expect(lines.count > 10)
    for line in lines {
      // A word alone may be longer: the name in a heading.
      let isOneWord = line.contains("a_function_with_quite_a_long_name_as_kernels_have_them_indeed")
      #expect(displayWidth(String(line)) <= width || isOneWord, "\(line)")
      #expect(line.last != " ")
    }
    if !unicode {
      #expect(lines.allSatisfy { $0.unicodeScalars.allSatisfy { $0.isASCII || $0.value > 0x3000 } })
    }
    let painted = report.text(TextStyle(color: true, unicode: unicode, width: width))
    #expect(painted.contains("\u{1b}[32m"))
    #expect(
      painted.replacing(/\u{1b}\[[0-9;]*m/, with: "")
        == report.text(TextStyle(unicode: unicode, width: width)))
  }

  @Test("A wide terminal shows the intervals drawn, a narrow one drops columns before names")
  func columns() throws {
    let report = try comparisonReport()
    func heading(_ width: Int) throws -> String {
      String(
        try #require(
          report.text(TextStyle(width: width)).split(separator: "\n").first { $0.hasPrefix("function") }))
    }
    #expect(try heading(120).contains("x  "))
    #expect(try heading(80).contains("interval") && heading(80).contains("verdict"))
    #expect(try !heading(40).contains("interval") && heading(40).contains("verdict"))
  }

  private func comparisonReport() throws -> ComparisonReport {
    ComparisonReport(
      comparison: try comparison(
        ["f": [200, 210, 220, 230], "g": [5, 5, 5, 5]], ["f": [100, 101, 102, 103], "g": [5, 6, 5, 7]]),
      context: ReportContext())
  }

  @Test("Cutting counts columns, not characters")
  func cutting() {
    #expect(cut("abcdef", to: 6) == "abcdef")
    #expect(cut("abcdefg", to: 6) == "abcde…")
    #expect(cut("漢字漢字", to: 5) == "漢字…")
    #expect(cut("漢字漢字", to: 4) == "漢…")
    #expect(cut("abcdefg", to: 6, "~") == "abcde~")
  }
}
