import Foundation
import Testing

/// Exit codes and errors of the contract, through the built program.
@Suite struct ContractTests {
  static let before = Tool.fixture("6.17-seed-8g-2m.dat")
  static let after = Tool.fixture("6.18-seed-8g-2m.dat")
  static let mail = Tool.fixture("patch-mail.txt")

  // MARK: Gates

  static let gates: [([String], Int32)] = [
    ([before, after, "--max-slowdown", "5%"], 0),
    ([before, after, "--min-speedup", "2x"], 0),
    ([after, before, "--max-slowdown", "5%"], 1),
    ([before, after, "--min-speedup", "4"], 1),
    ([before, after, "--min-speedup", "2.6x"], 3),
    ([before, after, "--min-speedup", "2.6x", "--undecided", "pass"], 0),
    ([before, after, "--min-speedup", "2.6x", "--undecided", "fail"], 1),
    ([mail, "--min-speedup", "2x"], 3),
    ([mail, "--min-speedup", "2x", "--undecided", "pass"], 0),
    ([mail], 0),
    ([after, before], 0),
    // The worst of several gates counts.
    ([before, after, "--max-slowdown", "5%", "--min-speedup", "4"], 1),
  ]

  @Test(arguments: gates)
  func gate(_ arguments: [String], _ status: Int32) throws {
    let outcome = try Tool.run(["compare"] + arguments)
    #expect(outcome.status == status, "\(outcome.output)\(outcome.error)")
  }

  /// A file that was cut, and one whose buffer ran over, decide no gate; without one they are compared.
  @Test func lostDataDecideNoGate() throws {
    let folder = try TemporaryFolder()
    let whole = try Tool.fixtureData("6.18-fmt-multicpu-stripped.dat")
    let cut = try folder.file("cut.dat", whole.prefix(whole.count - 9000))
    let path = Tool.fixture("6.18-fmt-multicpu-stripped.dat")
    #expect(try Tool.run("compare", path, path, "--max-slowdown", "900%").status == 0)
    for arguments in [[path, cut], [cut, path]] {
      let gated = try Tool.run(["compare", "--max-slowdown", "900%"] + arguments)
      #expect(gated.status == 3, "\(gated.error)")
      #expect(gated.output.contains("data were lost on the \(arguments[0] == cut ? "before" : "after") side"))
      #expect(try Tool.run(["compare"] + arguments).status == 0)
      let passed = try Tool.run(["compare", "--max-slowdown", "900%", "--undecided", "pass"] + arguments)
      #expect(passed.status == 0)
    }
  }

  /// Damage that leaves no call to be read is a failure, not an empty report.
  @Test func damageWithoutCallsFails() throws {
    let folder = try TemporaryFolder()
    var bytes = try Tool.fixtureData("6.18-fmt-v7-nocomp-stripped.dat")
    let format = try #require(bytes.firstRange(of: Data("name: funcgraph_".utf8)))
    bytes.replaceSubrange(3900..<bytes.count, with: Data(count: bytes.count - 3900))
    bytes.replaceSubrange(format, with: Data(count: format.count))
    let path = try folder.file("hollow.dat", bytes)
    for command in ["analyze", "export"] {
      let outcome = try Tool.run(command, "--all-functions", "-q", path)
      #expect(outcome.status == 2, "\(outcome.output)")
      #expect(outcome.error.contains("hollow.dat: byte "), "\(outcome.error)")
    }
  }

  // MARK: Errors of the input: 2, one sentence with the file and what to do

  static let inputErrors: [([String], [String])] = [
    (["analyze", "/nonexistent.dat"], ["/nonexistent.dat", "No such file"]),
    (["analyze", "Fixtures"], ["Fixtures", "directory"]),
    (["analyze", "Package.swift/x"], ["Package.swift/x", "Not a directory"]),
    (["analyze", "README.md", "-f", "nothing_of_this"], ["README.md", "nothing_of_this"]),
    (["analyze", "Package.swift"], ["Package.swift", "no line of it is function-graph output"]),
    (
      ["analyze", before, "-f", "vfio_pin_map_dmb"],
      ["vfio_pin_map_dmb", "nearest: vfio_pin_map_dma", "inlined"]
    ),
    (
      ["analyze", Tool.fixture("6.17-txt-function-tracer.tracefs.txt")],
      ["function-tracer", "'function'", "record with"]
    ),
    (
      ["analyze", Tool.fixture("6.17-txt-no-funcgraph-duration.tracefs.txt")],
      ["no-funcgraph-duration", "funcgraph-duration"]
    ),
    (["export", before, "-f", "vfio_pin_map_dmb"], ["nearest: vfio_pin_map_dma"]),
    (["export", "/nonexistent.dat"], ["/nonexistent.dat", "No such file"]),
    (["compare", before, "/nonexistent.dat"], ["/nonexistent.dat", "No such file"]),
    (["compare", before, Tool.fixture("6.17-txt-function-tracer.tracefs.txt")], ["function-tracer"]),
    (["compare", before, after, "-f", "vpfn_pages"], ["seed-8g-2m.dat", "vpfn_pages"]),
    (["compare", before, after, "-f", "nothing*"], ["no selected function is on both sides"]),
    (["compare", before], ["trace.dat", "one side"]),
    (["compare", Tool.fixture("6.17-txt-default.tracefs.txt")], ["Before", "After"]),
    (["compare", "Package.swift"], ["Package.swift", "function-graph"]),
    (
      ["analyze", Tool.fixture("6.18-fmt-clock-counter-stripped.dat"), "--from", "1"],
      ["counter", "--from"]
    ),
    (["analyze", before, "--cpu", "77"], ["filters leave no call"]),
  ]

  @Test(arguments: inputErrors)
  func inputFails(_ arguments: [String], _ parts: [String]) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.status == 2, "\(outcome.output)\(outcome.error)")
    #expect(!outcome.wasSignalled)
    for part in parts { #expect(outcome.error.contains(part), "\(outcome.error)") }
    #expect(outcome.error.hasPrefix("pinstat: "))
    #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
  }

  @Test func inputMadeOnTheSpotFails() throws {
    let folder = try TemporaryFolder()
    let whole = try Tool.fixtureData("6.18-fmt-multicpu-stripped.dat")
    let cases: [(String, Data, String)] = [
      ("empty", Data(), "empty"),
      ("gzip", Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "zcat"),
      ("perf.data", Data("PERFILE2........".utf8), "perf.data"),
      ("magic-only", whole.prefix(10), ""),
      ("short-magic", whole.prefix(7), "cut short"),
      ("head-only", whole.prefix(200), ""),
      ("noise", Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ $0 >> 3) }), "function-graph"),
      ("baseline.json", Data("{\"schema\":\"pinstat/analysis/2\"}".utf8), "schema"),
      ("cut.json", Data("{\"schema\":\"pinstat/analysis/1\",\"traces\":[".utf8), "JSON"),
    ]
    for (name, data, part) in cases {
      let path = try folder.file(name, data)
      for command in ["analyze", "compare"] {
        let arguments = command == "compare" ? [command, path, Self.after] : [command, path]
        let outcome = try Tool.run(arguments)
        #expect(outcome.status == 2, "\(command) \(name): \(outcome.output)\(outcome.error)")
        #expect(!outcome.wasSignalled, "\(name)")
        #expect(outcome.error.contains(name), "\(name): \(outcome.error)")
        #expect(part.isEmpty || outcome.error.contains(part), "\(name): \(outcome.error)")
      }
    }
  }

  /// Other traces are still reported when one cannot be read.
  @Test func goodTracesAreReportedBesideBadOnes() throws {
    let outcome = try Tool.run("analyze", "/nonexistent.dat", Self.before, "--format", "csv")
    #expect(outcome.status == 2)
    #expect(records(outcome.output).map { $0["trace"] } == [Self.before])
  }

  @Test func cutFileGivesWhatIsWhole() throws {
    let folder = try TemporaryFolder()
    let whole = try Tool.fixtureData("6.18-fmt-v7-nocomp-stripped.dat")
    let path = try folder.file("cut.dat", whole.prefix(whole.count - 6000))
    let all = records(
      try Tool.run("export", "--all-functions", Tool.fixture("6.18-fmt-v7-nocomp-stripped.dat")).output)
    let outcome = try Tool.run("export", "--all-functions", path)
    #expect(outcome.status == 0, "\(outcome.error)")
    let rows = records(outcome.output)
    #expect(rows.count > 0 && rows.count < all.count)
    #expect(outcome.error.contains("cut short"))
    let known = Set(all.map { "\($0["timestamp"] ?? "") \($0["function"] ?? "") \($0["duration_us"] ?? "")" })
    for row in rows where row["status"] == "complete" {
      #expect(
        known.contains("\(row["timestamp"] ?? "") \(row["function"] ?? "") \(row["duration_us"] ?? "")"))
    }
  }

  // MARK: Usage: 64

  static let wrongUses: [[String]] = [
    ["analyze"], ["compare"], ["frobnicate"], ["analyze", "--frobnicate", before],
    ["compare", before, after, before], ["compare", "--before", before],
    ["analyze", before, "--cpu", "x"], ["analyze", before, "--cpu", "3-1"],
    ["analyze", before, "--format", "xml"],
    ["analyze", before, "--size", "8Q"], ["analyze", before, "--size", "0"],
    ["analyze", before, "--page-size", "3K"],
    ["analyze", before, "--size", "3M", "--page-size", "2M"], ["compare", before, after, "--alpha", "0"],
    ["compare", before, after, "--alpha", "1.5"], ["compare", before, after, "--max-slowdown", "-5%"],
    ["compare", before, after, "--min-speedup", "0"], ["compare", "-", "-"],
    ["analyze", before, "--jobs", "0"],
    ["analyze", before, "--from", "2", "--to", "1"], ["analyze", before, "--all-functions", "-f", "x"],
    ["analyze", before, "--skip-first", "-1"], ["compare", before, after, "--undecided", "maybe"],
  ]

  @Test(arguments: wrongUses)
  func wrongUsage(_ arguments: [String]) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.status == 64, "\(outcome.output)\(outcome.error)")
    #expect(outcome.output.isEmpty)
    #expect(!outcome.error.isEmpty)
  }

  @Test func versionAndHelp() throws {
    let version = try Tool.run("--version")
    #expect(version.status == 0)
    #expect(version.output.hasPrefix("pinstat 0.1.0"))
    for command in ["analyze", "compare", "export"] {
      let help = try Tool.run(command, "--help")
      #expect(help.status == 0)
      #expect(help.output.contains("EXAMPLES"))
    }
  }

  // MARK: Standard input, baselines

  @Test(arguments: [
    "6.17-txt-default.tracefs.txt", "6.18-fmt-multicpu-stripped.dat", "6.18-fmt-v6-stripped.dat",
  ])
  func standardInputIsAFileToo(_ name: String) throws {
    let data = try Tool.fixtureData(name)
    let direct = try Tool.run("export", "--all-functions", Tool.fixture(name))
    let piped = try Tool.shell("cat \(Tool.fixture(name)) | pinstat export --all-functions -")
    let redirected = try Tool.run(["export", "--all-functions", "-"], input: data)
    let expected = parseCSV(direct.output).map { $0.dropFirst() }
    #expect(expected.count > 10)
    for outcome in [piped, redirected] {
      #expect(outcome.status == 0, "\(outcome.error)")
      #expect(parseCSV(outcome.output).map { $0.dropFirst() } == expected)
    }
  }

  @Test func filesOfAnyNameAreRead() throws {
    let folder = try TemporaryFolder()
    let script = """
      cd \(folder.path); name=$(printf 'we\\nird\\xff\\033[31m.txt'); cp \(Tool.root)/\(Tool.fixture("6.17-txt-default.tracefs.txt")) "$name"
      pinstat export -f vfio_pin_map_dma "$name"; pinstat analyze "$name.no"
      """
    let outcome = try Tool.shell(script)
    #expect(records(outcome.output).count == 2, "\(outcome.error)")
    #expect(!outcome.error.contains("\u{1b}"))
    #expect(outcome.error.split(separator: "\n").count == 1)
  }

  @Test func emptySparseFileIsNoTrace() throws {
    let folder = try TemporaryFolder()
    let outcome = try Tool.shell(
      "truncate -s 1T \(folder.path)/sparse.dat; timeout 10 pinstat analyze \(folder.path)/sparse.dat")
    #expect(outcome.status == 2)
    #expect(outcome.error.contains("zero bytes"))
  }

  @Test func baselineStandsForItsTraces() throws {
    let folder = try TemporaryFolder()
    let baseline = folder.path + "/baseline.json"
    #expect(try Tool.run("analyze", Self.before, "--format", "json", "-o", baseline).status == 0)
    let direct = try Tool.run("compare", Self.before, Self.after, "--format", "csv")
    let stored = try Tool.run("compare", baseline, Self.after, "--format", "csv")
    #expect(stored.status == 0, "\(stored.error)")
    #expect(stored.output == direct.output)
  }

  /// A baseline that holds k traces is k runs.
  @Test func baselineOfSeveralTracesIsSeveralRuns() throws {
    let folder = try TemporaryFolder()
    let baseline = folder.path + "/baseline.json"
    let runs = ["6.17-matrix-2g-2m.report.txt", "6.17-seed-8g-2m.report.txt", "6.17-matrix-4g-2m.report.txt"]
      .map(Tool.fixture)
    #expect(try Tool.run(["analyze", "--format", "json", "-o", baseline] + runs).status == 0)
    let stored = try Tool.run("compare", baseline, Self.after, "--format", "csv")
    let direct = try Tool.run(["compare", "--format", "csv", "--after", Self.after, "--before"] + runs)
    #expect(stored.output == direct.output)
    let row = try #require(records(stored.output).first)
    #expect(row["before_runs"] == "3" && row["unit"] == "run" && row["speedup_low"] == "")
  }

  // MARK: Output

  @Test(arguments: [["analyze", before], ["compare", before, after], ["export", before]])
  func fullDiskIsReported(_ arguments: [String]) throws {
    let outcome = try Tool.shell("pinstat \(arguments.joined(separator: " ")) > /dev/full")
    #expect(outcome.status == 2)
    #expect(outcome.error.contains("No space left on device"), "\(outcome.error)")
    let toDevice = try Tool.run(arguments + ["-o", "/dev/full"])
    #expect(toDevice.status == 2)
    #expect(toDevice.error.contains("/dev/full"))
  }

  @Test(arguments: [
    "--version", "--help", "help compare", "analyze --help", "--generate-completion-script bash",
  ])
  func answersNoticeAFullDisk(_ arguments: String) throws {
    let outcome = try Tool.shell("pinstat \(arguments) > /dev/full")
    #expect(outcome.status == 2)
    #expect(outcome.error.contains("No space left on device"), "\(outcome.error)")
    #expect(try Tool.shell("pinstat \(arguments)").status == 0)
  }

  /// One word alone is answered without the parser; with others the parser answers.
  @Test(arguments: ["--version", "--version --version", "analyze --version", "--version compare"])
  func everyVersionIsTheSame(_ arguments: String) throws {
    let outcome = try Tool.shell("pinstat \(arguments)")
    #expect(outcome.status == 0)
    #expect(outcome.output == "pinstat 0.1.0\n")
  }

  @Test func closedPipeEndsQuietly() throws {
    let outcome = try Tool.shell(
      "pinstat export --all-functions Fixtures/traces/6.17-txt-trace_pipe.tracefs.txt | head -1; echo ${PIPESTATUS[0]}"
    )
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first?.hasPrefix("trace,buffer,cpu") == true)
    // The rows are a megabyte, the pipe holds 64 KiB of it.
    #expect(lines.last == "141")
    #expect(!outcome.error.contains("rror"), "\(outcome.error)")
  }

  @Test func outputIsWholeOrNotThere() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/rows.csv"
    #expect(try Tool.run("export", Self.before, "-o", path).status == 0)
    let first = try String(contentsOfFile: path, encoding: .utf8)
    #expect(records(first).count == 12)
    #expect(try folder.entries == ["rows.csv"])
    // What cannot be read leaves what was there.
    #expect(try Tool.run("analyze", "/nonexistent.dat", "-o", path).status == 2)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == first)
    #expect(try folder.entries == ["rows.csv"])
    let nowhere = try Tool.run("export", Self.before, "-o", folder.path + "/no/such/folder/x")
    #expect(nowhere.status == 2)
    #expect(nowhere.error.contains("no/such/folder"))
    // A limit on the file's size stands for a disk that fills up. The thread sanitizer dies of it by itself.
    if Tool.isThreadSanitized { return }
    let limited = try Tool.shell(
      "trap '' XFSZ; ulimit -f 1; pinstat export --all-functions Fixtures/traces/6.17-txt-trace_pipe.tracefs.txt -q -o \(path)"
    )
    #expect(limited.status == 2, "\(limited.error)")
    #expect(limited.error.contains("File too large"))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == first)
    #expect(try folder.entries == ["rows.csv"])
  }

  @Test(arguments: ["INT", "TERM"])
  func interruptLeavesNothingBehind(_ signal: String) throws {
    let folder = try TemporaryFolder()
    // The input never ends, so that the signal finds the program at work.
    let script = """
      exec 2>/dev/null
      (cat Fixtures/traces/6.17-txt-trace_pipe.tracefs.txt; sleep 30) | \
      (exec pinstat export --all-functions -q -o \(folder.path)/rows.csv -) & job=$!
      for i in $(seq 100); do ls \(folder.path) | grep -q rows && break; sleep 0.05; done
      ls \(folder.path) | wc -l
      kill -\(signal) $job
      wait $job; echo $?
      ls \(folder.path) | wc -l
      """
    let outcome = try Tool.shell(script)
    let lines = outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(lines == ["1", signal == "INT" ? "130" : "143", "0"], "\(outcome.output)")
  }

  @Test func onlyTheResultGoesToStandardOutput() throws {
    let outcome = try Tool.run("compare", Self.before, Self.after, "--format", "csv")
    #expect(records(outcome.output).count == 1)
    let quiet = try Tool.run("compare", Self.before, Self.after, "--format", "csv", "-q")
    #expect(quiet.error.isEmpty)
    #expect(quiet.output == outcome.output)
  }

  @Test func jobsDoNotChangeTheResult() throws {
    let paths = ["6.17-seed-8g-2m.dat", "6.18-seed-8g-2m.dat", "6.18-fmt-multicpu-stripped.dat"].map(
      Tool.fixture)
    let one = try Tool.run(["analyze", "--format", "csv", "--jobs", "1"] + paths)
    #expect(one.status == 0)
    for jobs in ["4", "\(Int.max)"] {
      let several = try Tool.run(["analyze", "--format", "csv", "--jobs", jobs] + paths)
      #expect(several.output == one.output, "\(jobs)")
    }
  }

  // MARK: Columns

  @Test func headersAreThoseOfTheContract() throws {
    let analyze = try Tool.run("analyze", Self.before, "--format", "csv").output
    #expect(
      analyze.hasPrefix(
        "trace,buffer,function,module,count,incomplete,min_us,p50_us,p90_us,p99_us,max_us,mean_us,stddev_us,total_us,throughput_gib_s\n"
      ))
    let compare = try Tool.run("compare", Self.before, Self.after, "--format", "csv").output
    #expect(
      compare.hasPrefix(
        "function,metric,unit,before_runs,after_runs,before_calls,after_calls,before_us,after_us,speedup,speedup_low,speedup_high,confidence,p_value,effect_size,verdict,model_speedup\n"
      ))
    let export = try Tool.run("export", Self.before).output
    #expect(
      export.hasPrefix(
        "trace,buffer,cpu,pid,comm,function,module,depth,timestamp,duration_us,resolution_us,status\n"))
  }

  @Test func patchMailGivesThePublishedRatio() throws {
    let row = try #require(records(try Tool.run("compare", Self.mail, "--format", "csv").output).first)
    #expect(row["before_us"] == "33813.703" && row["after_us"] == "15635.055")
    #expect(abs((Double(row["speedup"] ?? "") ?? 0) - 33813.703 / 15635.055) < 1e-9)
    #expect(row["verdict"] == "unclear")
    for column in ["speedup_low", "speedup_high", "p_value", "confidence"] { #expect(row[column] == "") }
  }

  @Test func sectionsTakenTogetherAreSaid() throws {
    let folder = try TemporaryFolder()
    let text = ["Before:", "After:", "Before:", "After:"].map {
      "\($0)\n\n# 2000.000 us |  vfio_pin_map_dma();\n"
    }
    let mail = try folder.file("mail.txt", text.joined(separator: "\n"))
    let outcome = try Tool.run("compare", mail)
    #expect(
      outcome.output.contains("2 headings for before and 2 for after"), "\(outcome.output)\(outcome.error)")
    #expect(!(try Tool.run("compare", Self.mail)).output.contains("headings"))
  }

  @Test func commitBlockFitsTheMessage() throws {
    for arguments in [
      [Self.before, Self.after], [Self.mail],
      [Self.before, Self.after, "--size", "8G", "--max-slowdown", "5%"],
    ] {
      let outcome = try Tool.run(["compare", "--format", "commit"] + arguments)
      for line in outcome.output.split(separator: "\n") { #expect(line.count <= 72, "\(line)") }
      #expect(!outcome.output.contains("\n#"))
    }
  }

  @Test func junitTellsTheGate() throws {
    func junit(_ arguments: String...) throws -> (Tool.Outcome, XMLCounts) {
      let outcome = try Tool.run(["compare", "--format", "junit"] + arguments)
      return (outcome, try XMLCounts(outcome.output))
    }
    let (holds, holdsCounts) = try junit(Self.before, Self.after, "--max-slowdown", "5%")
    #expect(holds.status == 0 && holdsCounts == XMLCounts(cases: 1))
    let (fails, failsCounts) = try junit(Self.after, Self.before, "--max-slowdown", "5%")
    #expect(fails.status == 1 && failsCounts == XMLCounts(cases: 1, failures: 1))
    let (undecided, undecidedCounts) = try junit(Self.mail, "--min-speedup", "2x")
    #expect(undecided.status == 3 && undecidedCounts == XMLCounts(cases: 1, skipped: 1))
    let (error, errorCounts) = try junit(Self.before, "/nonexistent.dat", "--max-slowdown", "5%")
    #expect(error.status == 2 && errorCounts == XMLCounts(cases: 1, errors: 1))
  }
}

/// What a JUnit file counts, by python's XML parser.
struct XMLCounts: Equatable {
  var cases = 0
  var failures = 0
  var errors = 0
  var skipped = 0

  init(cases: Int = 0, failures: Int = 0, errors: Int = 0, skipped: Int = 0) {
    self.cases = cases
    self.failures = failures
    self.errors = errors
    self.skipped = skipped
  }

  init(_ xml: String) throws {
    let script = """
      import sys, xml.etree.ElementTree as tree
      root = tree.parse(sys.stdin).getroot()
      suite = root.find('testsuite')
      counts = [len(root.findall('.//' + name)) for name in ('testcase', 'failure', 'error', 'skipped')]
      assert [int(suite.get(name)) for name in ('tests', 'failures', 'errors', 'skipped')] == counts
      print(*counts)
      """
    let outcome = try Tool.launch("/usr/bin/env", ["python3", "-c", script], input: Data(xml.utf8))
    let numbers = outcome.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    try #require(numbers.count == 4, "\(outcome.error)")
    (cases, failures, errors, skipped) = (numbers[0], numbers[1], numbers[2], numbers[3])
  }
}
