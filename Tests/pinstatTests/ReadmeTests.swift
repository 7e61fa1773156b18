import Foundation
import Testing

/// What README.md shows is what the program prints.
@Suite struct ReadmeTests {
  private static let readme =
    (try? String(contentsOfFile: Tool.root + "/README.md", encoding: .utf8)) ?? ""

  /// The recording mode rewrites README.md and fails the run.
  private static let isRecording = ProcessInfo.processInfo.environment["PINSTAT_RECORD"] == "1"

  struct Example: CustomTestStringConvertible, Sendable {
    var command: String
    var output: String
    var testDescription: String { command }
  }

  /// `$ pinstat ...` in console blocks, outside of the demo.
  static let examples: [Example] = {
    var examples: [Example] = []
    for block in blocks(of: readme) where block.first?.hasPrefix("$ ") == true {
      if block.count(where: { $0.hasPrefix("$ ") }) > 1 { continue }
      examples.append(
        Example(command: String(block[0].dropFirst(2)), output: block.dropFirst().joined(separator: "\n")))
    }
    return examples
  }()

  private static func blocks(of text: String) -> [[String]] {
    var blocks: [[String]] = []
    var current: [String]?
    for line in text.components(separatedBy: "\n") {
      if line == "```console" {
        current = []
      } else if line == "```", let block = current {
        blocks.append(block)
        current = nil
      } else {
        current?.append(line)
      }
    }
    return blocks
  }

  @Test func hasExamples() {
    #expect(Self.examples.count >= 5)
  }

  @Test(arguments: examples)
  func exampleRuns(_ example: Example) throws {
    let outcome = try Tool.shell(example.command)
    #expect(outcome.status == 0, "\(outcome.error)")
    let printed = outcome.output.trimmingCharacters(in: .newlines)
    if Self.isRecording {
      Golden.rewrite(
        Tool.root + "/README.md",
        replacing: "$ \(example.command)\n" + (example.output.isEmpty ? "" : example.output + "\n"),
        with: "$ \(example.command)\n\(printed)\n")
      Issue.record("recorded: \(example.command)")
      return
    }
    #expect(printed == example.output.trimmingCharacters(in: .newlines))
  }

  @Test func demoIsWhatItShows() throws {
    let outcome = try Tool.launch("/bin/bash", ["-c", "PINSTAT='\(Tool.path)' bash Fixtures/demo.sh"])
    #expect(outcome.status == 0, "\(outcome.error)")
    let start = "<!-- demo -->\n```console\n"
    let end = "```\n<!-- /demo -->"
    let head = try #require(Self.readme.range(of: start))
    let tail = try #require(Self.readme.range(of: end))
    let shown = String(Self.readme[head.upperBound..<tail.lowerBound])
    let printed = outcome.output.trimmingCharacters(in: .newlines) + "\n"
    if Self.isRecording {
      Golden.rewrite(Tool.root + "/README.md", replacing: start + shown + end, with: start + printed + end)
      Issue.record("recorded: the demo")
      return
    }
    #expect(printed == shown)
  }
}
