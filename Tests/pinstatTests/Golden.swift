import Foundation
import Testing

/// Outputs that are kept whole: one file a case in `Golden/`.
///
/// With `PINSTAT_RECORD=1` the files are rewritten and the run fails, so that nobody records by accident.
enum Golden {
  static let isRecording = ProcessInfo.processInfo.environment["PINSTAT_RECORD"] == "1"

  static func expect(
    _ output: String, named name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = Tool.root + "/Tests/pinstatTests/Golden/" + name
    if isRecording {
      try output.write(toFile: path, atomically: true, encoding: .utf8)
      Issue.record("recorded: \(name)", sourceLocation: sourceLocation)
      return
    }
    let expected = try String(contentsOfFile: path, encoding: .utf8)
    #expect(output == expected, sourceLocation: sourceLocation)
  }

  private static let lock = NSLock()

  static func rewrite(_ path: String, replacing old: String, with new: String) {
    lock.lock()
    defer { lock.unlock() }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    try? text.replacingOccurrences(of: old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
  }
}

@Suite struct GoldenTests {
  static let before = Tool.fixture("6.17-seed-8g-2m.dat")
  static let after = Tool.fixture("6.18-seed-8g-2m.dat")
  static let nestedBefore = Tool.fixture("6.17-nest3-256m-2m.dat")
  static let nestedAfter = Tool.fixture("6.18-nest3-256m-2m.dat")

  static let cases: [(name: String, arguments: [String])] = [
    ("analyze.txt", ["analyze", before, "--size", "8G", "--histogram"]),
    ("analyze.csv", ["analyze", before, after, "--size", "8G", "--format", "csv"]),
    ("analyze.json", ["analyze", before, "--size", "8G", "--format", "json"]),
    ("analyze.md", ["analyze", before, after, "--size", "8G", "--format", "markdown"]),
    ("analyze-callees.txt", ["analyze", nestedAfter, "--callees"]),
    ("analyze-callees.csv", ["analyze", nestedAfter, "--callees", "--format", "csv"]),
    ("analyze-all.txt", ["analyze", "--all-functions", Tool.fixture("6.17-txt-events.tracefs.txt")]),
    ("analyze-lost.txt", ["analyze", "-f", "vfio_*", Tool.fixture("6.18-fmt-lost-events-stripped.dat")]),
    ("compare.txt", ["compare", before, after, "--size", "8G", "--max-slowdown", "5%"]),
    ("compare.csv", ["compare", before, after, "--format", "csv"]),
    ("compare.json", ["compare", before, after, "--format", "json"]),
    ("compare.md", ["compare", before, after, "--format", "markdown", "--min-speedup", "1.5x"]),
    ("compare.commit", ["compare", before, after, "--format", "commit", "--size", "8G"]),
    ("compare-callees.txt", ["compare", nestedBefore, nestedAfter, "--callees"]),
    ("compare-glob.txt", ["compare", nestedBefore, nestedAfter, "-f", "v*"]),
    ("compare-glob.csv", ["compare", nestedBefore, nestedAfter, "-f", "v*", "--format", "csv"]),
    ("analyze-summary.json", ["analyze", before, "--format", "summary", "--size", "8G", "--host", "web7"]),
    ("export.csv", ["export", before, "--format", "csv"]),
    (
      "export.jsonl",
      ["export", "--all-functions", Tool.fixture("6.17-txt-marker.tracefs.txt"), "--format", "jsonl"]
    ),
    (
      "export.folded",
      ["export", "--all-functions", Tool.fixture("6.18-nest3-256m-2m.dat"), "--format", "folded"]
    ),
    ("export-chrome.json", ["export", before, "--format", "chrome"]),
    ("help.txt", ["--help"]),
    ("help-analyze.txt", ["analyze", "--help"]),
    ("help-compare.txt", ["compare", "--help"]),
    ("help-export.txt", ["export", "--help"]),
    ("help-merge.txt", ["merge", "--help"]),
    ("help-model.txt", ["model", "--help"]),
    ("help-record.txt", ["record", "--help"]),
    ("model.txt", ["model", "--size", "8G", "--page-size", "2M"]),
    ("model.csv", ["model", "--size", "8G", "--page-size", "1G", "--format", "csv"]),
    ("model.json", ["model", "--size", "8G", "--page-size", "2M", "--format", "json"]),
    (
      "model.md",
      ["model", "--size", "8G", "--page-size", "4K", "--operation", "unmap", "--format", "markdown"]
    ),
    ("compare-model.txt", ["compare", before, after, "--size", "8G", "--page-size", "2M"]),
    (
      "compare-model.md",
      ["compare", before, after, "--size", "8G", "--page-size", "2M", "--format", "markdown"]
    ),
  ]

  @Test(arguments: cases.indices)
  func outputStaysAsItIs(_ index: Int) throws {
    let (name, arguments) = Self.cases[index]
    let outcome = try Tool.run(arguments)
    #expect(outcome.status == 0, "\(outcome.error)")
    try Golden.expect(outcome.output, named: name)
  }
}
