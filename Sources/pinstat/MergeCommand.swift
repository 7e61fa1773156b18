import Analysis
import ArgumentParser
import FunctionGraph
import Reports
import TraceInput

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", _superCommandName: Pinstat.superCommand,
    abstract: "One summary of many: what a fleet's hosts sent instead of their traces.",
    discussion: """
      Takes what `analyze --format summary`, `analyze --format json` and `merge` itself write, one object a file or one a \
      line, and writes a summary that `compare`, `analyze` and `merge` read. The order does not matter: the same traces give \
      the same summary.

      EXAMPLES
        pinstat analyze --format summary -o $(hostname).json trace.dat
        pinstat merge -o fleet.json hosts/*.json
        cat hosts/*.json | pinstat merge - -o fleet.json
        pinstat merge --kernel '6.17.*' -o before.json fleet.json
        pinstat merge --kernel '6.18.*' -o after.json fleet.json
        pinstat compare before.json after.json
      """)

  @Argument(
    help: ArgumentHelp("Summaries or stored analyses: files, or - for standard input.", valueName: "summary"))
  var summaries: [String]

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Keep this kernel release only; repeatable, shell globs allowed.", valueName: "release"))
  var kernel: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Keep at most so many rows of single traces, one a trace and one a function of it; beyond it a random sample of the traces.",
      valueName: "n"))
  var rows = TraceSummary.KeptRuns.defaultLimit

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Write there, whole or not at all, instead of to standard output.", valueName: "file"))
  var output: String?

  @Flag(name: .shortAndLong, help: "No remarks on standard error, errors only.")
  var quiet = false

  func validate() throws {
    if let problem = demandOneStandardInput(summaries) { throw ValidationError(problem) }
    if rows < 1 { throw ValidationError("--rows takes a number of rows, 1 or more.") }
    if output == "" { throw ValidationError("-o needs a file's name.") }
  }

  func run() throws {
    throw ExitCode(status())
  }

  private func status() -> Int32 {
    var status = ExitStatus.done
    var whole = TraceSummary(rowLimit: rows)
    for path in summaries {
      do throws(AnalysisError) {
        try Self.merge(path, into: &whole)
      } catch {
        say(Failure(path, error).sentence)
        status = ExitStatus.inputFailed
      }
    }
    if !kernel.isEmpty {
      let patterns = kernel.map(FunctionPattern.init)
      let found = whole
      whole = found.filtered { release in patterns.contains { $0.matches(release) } }
      if whole.runCount == 0 {
        let there = Set(found.functions.keys.map(\.kernel)).sorted().prefix(5).joined(separator: ", ")
        say("no trace is of a kernel that matches --kernel; there are: \(there.isEmpty ? "none" : there)")
        return ExitStatus.inputFailed
      }
    }
    // Of nothing there is no summary; of failed traces there is.
    guard whole.runCount > 0 || whole.failedCount > 0 else {
      if status == ExitStatus.done { say("nothing to merge: no trace is in any of the summaries") }
      return ExitStatus.inputFailed
    }
    let result = whole
    let written = writeReport(to: OutputOptions.to(output, quiet: quiet)) {
      try summaryLine(result)
    } remarks: {
      Self.remarks(result)
    }
    return max(status, written)
  }

  private static func merge(_ path: String, into whole: inout TraceSummary) throws(AnalysisError) {
    let input: SniffedInput
    do throws(TraceError) { input = try SniffedInput(path: path) } catch { throw .trace(error) }
    guard input.isJSON else {
      throw .trace(
        TraceError(
          .unsupported, "it is no summary; make one of a trace with `pinstat analyze --format summary`"))
    }
    try whole.merge(contentsOf: input)
  }

  /// What a reader of the figures has to know.
  private static func remarks(_ summary: TraceSummary) -> [String] {
    var remarks: [String] = []
    if summary.failedCount > 0 {
      let first = summary.failures.sorted.first.map { ": " + $0.error } ?? ""
      remarks.append(
        "warning: \(summary.failedCount) traces could not be read and are not in the figures\(first)")
    }
    let duplicates = summary.runs.duplicates
    if let first = duplicates.first {
      remarks.append(
        "warning: \(duplicates.count) traces are in it more than once and count so, "
          + "\(first.host.isEmpty ? first.path : "\(first.path) of \(first.host)") for one")
    }
    let kept = summary.runs.count
    if kept < summary.runCount {
      remarks.append(
        "warning: rows of \(kept) of \(summary.runCount) traces are kept, a random sample (--rows); the sums are of all"
      )
    }
    if summary.functionsCut > 0 {
      remarks.append(
        "warning: more than \(TraceSummary.functionsLimit) functions: \(summary.functionsCut) with \(summary.callsCut) calls "
          + "left out")
    }
    let mixed = summary.conditions.mixed
    if !mixed.isEmpty {
      remarks.append("warning: the traces were analyzed with different \(mixed.joined(separator: ", "))")
    }
    return remarks
  }
}

/// `pinstat/summary/1` on one line.
func summaryLine(_ summary: TraceSummary) throws -> [UInt8] {
  let document = SummaryDocument(summary, tool: .init(name: "pinstat", version: pinstatVersion))
  return try Array(document.encoded()) + [UInt8(ascii: "\n")]
}
