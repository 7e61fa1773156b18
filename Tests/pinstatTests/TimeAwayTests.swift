import Foundation
import Testing

/// Sleep and interrupts inside calls, against a program of its own over what trace-cmd prints.
@Suite struct TimeAwayTests {
  static let graph = Tool.fixture("6.18-away-graph-lost-stripped.dat")
  static let flat = Tool.fixture("6.18-away-flat-stripped.dat")

  /// The oracle's lines: `function calls known off-CPU-ns calls irq-ns calls`.
  private func expected(_ path: String) throws -> [String] {
    let outcome = try Tool.launch(
      "/bin/bash",
      [
        "-o", "pipefail", "-c",
        "trace-cmd report -t -R \"$0\" 2> /dev/null | python3 Tests/pinstatTests/Readers/time_away.py", path,
      ])
    try #require(outcome.status == 0, "\(outcome.error)")
    return outcome.output.split(separator: "\n").map(String.init).sorted()
  }

  private func functions(_ path: String, _ options: String...) throws -> [[String: Any]] {
    let outcome = try Tool.run(["analyze", "--format", "json", path] + options)
    try #require(outcome.status == 0, "\(outcome.error)")
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let traces = try #require(document["traces"] as? [[String: Any]])
    return try #require(traces.first?["functions"] as? [[String: Any]])
  }

  private func found(_ path: String) throws -> [String] {
    try functions(path, "--all-functions").map { function in
      func count(_ key: String) -> Int { (function[key] as? NSNumber)?.intValue ?? 0 }
      func nanoseconds(_ key: String) -> Int {
        Int((((function[key] as? NSNumber)?.doubleValue ?? 0) * 1_000).rounded())
      }
      return
        "\(function["function"] ?? "") \(count("complete")) \(count("off_cpu_known_calls")) "
        + "\(nanoseconds("off_cpu_us")) \(count("off_cpu_calls")) \(nanoseconds("irq_us")) \(count("irq_calls"))"
    }.sorted()
  }

  @Test(arguments: [graph, flat, Tool.fixture("6.18-fmt-events-stripped.dat")])
  func sumsAreThoseOfTheRecords(_ path: String) throws {
    let expected = try expected(path)
    #expect(try found(path) == expected)
    // The captures were made to have both.
    if path != Tool.fixture("6.18-fmt-events-stripped.dat") {
      let fields = try #require(expected.first { $0.hasPrefix("vfs_read ") }).split(separator: " ")
      #expect(try fields[2...].allSatisfy { try #require(Int($0)) > 0 })
    }
  }

  /// The same out of trace-cmd's text of the same trace, printed to the nanosecond.
  @Test(arguments: [graph, flat])
  func textTellsTheSame(_ path: String) throws {
    let report = try Tool.launch("/bin/bash", ["-c", "trace-cmd report -t \"$0\" 2> /dev/null", path])
    let folder = try TemporaryFolder()
    let text = folder.path + "/report.txt"
    try report.output.write(toFile: text, atomically: true, encoding: .utf8)
    #expect(try found(text) == expected(path))
  }

  /// Events of another instance, or none at all, say nothing of these calls.
  @Test(arguments: [
    "6.18-fmt-instance-events-stripped.dat", "6.18-fmt-instance-events-v6-stripped.dat",
    "6.18-nest3-256m-2m.dat", "6.17-txt-events.tracefs.txt",
  ])
  func whatIsNotRecordedIsNotSaid(_ name: String) throws {
    for function in try functions(Tool.fixture(name), "--all-functions", "--callees") {
      #expect(function.keys.filter { $0.hasPrefix("off_cpu") || $0.hasPrefix("irq") }.isEmpty)
    }
    let shown = try Tool.run("analyze", "--callees", Tool.fixture(name)).output
    #expect(shown.contains("interrupts and sleep inside calls: not separable"))
    #expect(!shown.contains("off-CPU ") && !shown.contains("irq us"))
    let verbose = try Tool.run("analyze", "-v", Tool.fixture(name)).output
    #expect(verbose.contains("not separable"))
    #expect(!(try Tool.run("analyze", Tool.fixture(name)).output.contains("not separable")))
  }

  @Test func reportsShowBoth() throws {
    let text = try Tool.run("analyze", "-f", "vfs_read", "--callees", Self.flat, Self.graph).output
    #expect(text.contains("off-CPU ms") && text.contains("irq ms"))
    #expect(!text.contains("not separable"))
    let markdown = try Tool.run(
      "analyze", "-f", "vfs_read", "--callees", "--format", "markdown", Self.graph
    ).output
    #expect(markdown.contains("| off-CPU ms | irq ms |"))
    let html = try Tool.run("analyze", "-f", "vfs_read", "--format", "html", Self.graph).output
    #expect(html.contains("data-key=\"off_cpu_us\"") && html.contains("data-key=\"callee.irq_us\""))
    let csv = records(
      try Tool.run("analyze", "-f", "vfs_read", "--callees", "--format", "csv", Self.graph).output)
    let own = try #require(csv.first { $0["level"] == "0" })
    let schedule = try #require(csv.first { $0["callee"] == "schedule" })
    #expect(own["off_cpu_us"] == "66814.835" && own["irq_us"] == "1676.581")
    #expect(schedule["off_cpu_us"] == "66814.835" && schedule["irq_us"] == "0.000")
  }

  /// A default report does not ask for it, and does not change.
  @Test func defaultIsAsItWas() throws {
    let text = try Tool.run("analyze", "-f", "vfs_read", Self.graph).output
    #expect(!text.contains("off-CPU") && !text.contains("irq"))
  }

  @Test func comparisonShowsBothSides() throws {
    let arguments = ["compare", "--callees", "-f", "vfs_read", Self.flat, Self.graph]
    let text = try Tool.run(arguments).output
    #expect(text.contains("off the CPU") && text.contains("(12 of 154 calls)"))
    #expect(try Tool.run(arguments + ["--format", "markdown"]).output.contains("| in interrupts | "))
    #expect(
      try Tool.run(arguments + ["--format", "html"]).output.contains("data-key=\"after.irq_us_per_call\""))
    let json = try Tool.run(arguments + ["--format", "json"]).output
    #expect(json.contains("\"off_cpu_us\":66814.835") && json.contains("\"irq_us\":12274.001"))
    // A stored analysis gives the same.
    let folder = try TemporaryFolder()
    let stored = folder.path + "/before.json"
    let made = try Tool.run(
      "analyze", "--callees", "-f", "vfs_read", "--format", "json", "-o", stored, Self.flat)
    #expect(made.status == 0)
    let again = try Tool.run("compare", "--callees", "-f", "vfs_read", stored, Self.graph).output
    #expect(again.contains("(12 of 154 calls)"))
    // One side that has no records does not make the other's up.
    let one = try Tool.run(
      "compare", "--callees", "-f", "vfio_pin_map_dma",
      Tool.fixture("6.18-fmt-events-stripped.dat"), Tool.fixture("6.18-nest3-256m-2m.dat"))
    #expect(one.output.contains("not separable"))
  }
}
