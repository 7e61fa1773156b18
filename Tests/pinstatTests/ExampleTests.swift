import Foundation
import Testing

/// What the help, README.md's recipes and its Swift code show, run.
@Suite struct ExampleTests {
  private static let readme = (try? String(contentsOfFile: Tool.root + "/README.md", encoding: .utf8)) ?? ""

  // MARK: The help

  /// Commands under EXAMPLES; a backslash joins lines.
  static let examples: [String] = {
    var found: [String] = []
    for command in [[], ["analyze"], ["compare"], ["export"], ["merge"], ["model"]] {
      let help = (try? Tool.run(command + ["--help"]).output) ?? ""
      guard let start = help.range(of: "EXAMPLES\n") else {
        found.append("\(command) has no examples")
        continue
      }
      let lines = help[start.upperBound...].components(separatedBy: "\n").prefix { $0.hasPrefix("  ") }
      for line in lines.map({ $0.trimmingCharacters(in: .whitespaces) }) {
        if let last = found.last, last.hasSuffix("\\") {
          found[found.count - 1] = last.dropLast() + line
        } else {
          found.append(line)
        }
      }
    }
    return found
  }()

  @Test func thereAreExamples() {
    #expect(Self.examples.count >= 20)
  }

  /// In a folder with traces of the names that the examples use.
  @Test(arguments: examples)
  func exampleOfTheHelpRuns(_ example: String) throws {
    // Needs a kernel to trace.
    if example.contains("pinstat record") { return }
    let folder = try TemporaryFolder()
    let traces = Tool.root + "/Fixtures/traces/"
    var names = [
      "trace.dat": "6.18-nest3-256m-2m.dat", "before.dat": "6.17-seed-8g-2m.dat",
      "after.dat": "6.18-seed-8g-2m.dat", "new.dat": "6.18-seed-8g-2m.dat", "run1.dat": "6.17-seed-8g-2m.dat",
      "run2.dat": "6.18-seed-8g-2m.dat",
      "a.dat": "6.17-matrix-2g-2m-stripped.dat", "mail.txt": "patch-mail.txt",
    ]
    for run in 1...4 {
      names["old\(run).dat"] = "6.17-seed-8g-2m.dat"
      names["new\(run).dat"] = "6.18-seed-8g-2m.dat"
    }
    for (name, trace) in names {
      // By a copy: trace-cmd keeps its place beside what a link points to.
      try FileManager.default.copyItem(atPath: traces + trace, toPath: folder.path + "/" + name)
    }
    let baseline = folder.path + "/baseline.json"
    #expect(
      try Tool.run("analyze", "--format", "json", "-o", baseline, names["before.dat"].map(Tool.fixture) ?? "")
        .status == 0)
    if example.contains("merge") || example.contains("before.json") { try Self.addFleet(to: folder.path) }
    let command = example.replacingOccurrences(
      of: "ssh host sudo cat /sys/kernel/tracing/trace", with: "cat \(traces)6.17-txt-default.tracefs.txt")
    let outcome = try Tool.shell("set -o pipefail; cd \(folder.path) && \(command)")
    // 141 is a `head` that has seen enough.
    #expect([0, 141].contains(outcome.status), "\(outcome.output)\(outcome.error)")
  }

  /// Two hosts' summaries and what is merged of them.
  private static func addFleet(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder + "/hosts", withIntermediateDirectories: true)
    for (host, trace) in [
      ("web1", "6.17-matrix-1g-2m-stripped.dat"), ("web2", "6.18-matrix-1g-2m-stripped.dat"),
    ] {
      let arguments = [
        "analyze", "--format", "summary", "--host", host, "-o", "\(folder)/hosts/\(host).json",
        Tool.fixture(trace),
      ]
      #expect(try Tool.run(arguments).status == 0)
    }
    let hosts = ["web1", "web2"].map { "\(folder)/hosts/\($0).json" }
    #expect(try Tool.run(["merge", "-o", folder + "/fleet.json"] + hosts).status == 0)
    #expect(try Tool.run("merge", "-o", folder + "/before.json", hosts[0]).status == 0)
    #expect(try Tool.run("merge", "-o", folder + "/after.json", hosts[1]).status == 0)
  }

  // MARK: README.md's Swift

  @Test func exampleInSwiftIsWhatIsBuilt() throws {
    let shown = try #require(Self.blocks("swift").first)
    let source = try String(contentsOfFile: Tool.root + "/Examples/durations/main.swift", encoding: .utf8)
    #expect(shown == source)
    let program = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().path + "/durations"
    let printed = try Tool.launch(program, []).output.split(separator: "\n").map(String.init)
    let rows = records(try Tool.run("export", "--all-functions", Tool.fixture("6.18-seed-8g-2m.dat")).output)
    #expect(!rows.isEmpty)
    #expect(
      printed
        == rows.map { "\($0["function"] ?? "") \(($0["duration_us"] ?? "").replacing(".", with: "")) ns" })
  }

  // MARK: Recipes for CI

  /// The steps' commands as PyYAML finds them, job by job in the order of the file.
  private func commands(_ yaml: String) throws -> [String] {
    let script = """
      import json, sys, yaml
      document = yaml.safe_load(sys.stdin)
      jobs = document.get("jobs") or {k: v for k, v in document.items() if isinstance(v, dict) and "script" in v}
      found = []
      for job in jobs.values():
          assert job.get("script") or job["steps"], job
          found += job["script"] if "script" in job else [s["run"] for s in job["steps"] if "run" in s]
          found += job.get("after_script", [])
      assert all(isinstance(c, str) for c in found), found
      json.dump(found, sys.stdout)
      """
    let outcome = try Tool.launch("/usr/bin/env", ["python3", "-c", script], input: Data(yaml.utf8))
    #expect(outcome.status == 0, "\(outcome.error)")
    return try JSONDecoder().decode([String].self, from: Data(outcome.output.utf8))
  }

  /// What pinstat is called with, in order, on five runs a side; what records, fetches and comments is for other programs.
  @Test(arguments: [("GitHub", 2.0, Int32(0)), ("GitHub", 0.5, 1), ("GitLab", 2.0, 0), ("GitLab", 0.5, 1)])
  func recipeRuns(_ place: String, _ speedup: Double, _ status: Int32) throws {
    let recipes = Self.blocks("yaml")
    #expect(recipes.count == 2)
    let folder = try TemporaryFolder()
    for run in 1...5 {
      for (side, factor) in [("before", 1.0), ("after", 1 / speedup)] {
        let times = (0..<8).map { 30_000 * factor * (1 + 0.002 * Double(run) + 0.001 * Double($0)) }
        let lines = times.map { String(format: " 0) # %.3f us |  vfio_pin_map_dma();\n", $0) }
        _ = try folder.file("\(side)\(run).dat", lines.joined())
      }
    }
    #expect(
      try Tool.shell("cd \(folder.path) && pinstat analyze --format json -o baseline.json before*.dat").status
        == 0)
    let commands = try commands(recipes[place == "GitHub" ? 0 : 1])
    #expect(commands.contains { $0.contains("trace-cmd record") && $0.contains("-l vfio_pin_map_dma") })
    #expect(commands.contains { $0.contains("comparison.md") && !$0.hasPrefix("pinstat") })
    let ours = commands.filter { $0.hasPrefix("pinstat ") }
    #expect(ours.count >= 2)
    for command in ours {
      let outcome = try Tool.shell("cd \(folder.path) && \(command)")
      let isGate = command.contains("--max-slowdown")
      #expect(outcome.status == (isGate ? status : 0), "\(command)\n\(outcome.output)\(outcome.error)")
    }
    let comment = try String(contentsOfFile: folder.path + "/comparison.md", encoding: .utf8)
    #expect(comment.contains("vfio\\_pin\\_map\\_dma") || comment.contains("vfio_pin_map_dma"))
    let junit = try String(contentsOfFile: folder.path + "/pinstat.xml", encoding: .utf8)
    #expect(try XMLCounts(junit) == XMLCounts(cases: 1, failures: status == 0 ? 0 : 1))
  }

  private static func blocks(_ language: String) -> [String] {
    readme.components(separatedBy: "\n```\(language)\n").dropFirst().compactMap { text in
      text.range(of: "\n```\n").map { String(text[..<$0.lowerBound]) + "\n" }
    }
  }
}
