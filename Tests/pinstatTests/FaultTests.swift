import Foundation
import Testing

/// What may go wrong around the program, and inputs of a size or shape that nobody expects, through the whole program.
@Suite struct FaultTests {
  static let line = " 0)   1.000 us    |  vfio_pin_map_dma();\n"
  static let big = Tool.fixture("6.17-txt-trace_pipe.tracefs.txt")

  /// A text of some megabytes, long enough to be caught at work.
  private func longTrace(_ folder: TemporaryFolder, megabytes: Int = 24) throws -> String {
    try folder.file("long.txt", String(repeating: Self.line, count: (megabytes << 20) / Self.line.utf8.count))
  }

  @Test(arguments: ["truncate -s 5000", "truncate -s 0", "rm"])
  func inputChangesWhileRead(_ command: String) throws {
    let folder = try TemporaryFolder()
    let path = try longTrace(folder)
    for delay in ["0", "0.02", "0.1", "0.3"] {
      if !FileManager.default.fileExists(atPath: path) { _ = try longTrace(folder) }
      let outcome = try Tool.shell(
        "pinstat export -q -o \(folder.path)/rows.csv \(path) & job=$!; sleep \(delay); \(command) \(path); wait $job"
      )
      #expect([0, 2].contains(outcome.status), "\(delay) \(outcome.error)")
      #expect(outcome.status == 0 || outcome.error.contains("long.txt"))
    }
  }

  @Test(arguments: ["truncate -s 30000", "truncate -s 0"])
  func traceDatShrinksWhileRead(_ command: String) throws {
    let folder = try TemporaryFolder()
    for delay in ["0", "0.005", "0.02", "0.05"] {
      let path = try folder.file("shrinks.dat", try Tool.fixtureData("6.18-nest3-256m-2m.dat"))
      let outcome = try Tool.shell(
        "pinstat analyze -q --all-functions \(path) & job=$!; sleep \(delay); \(command) \(path); wait $job")
      #expect([0, 2].contains(outcome.status), "\(delay) \(outcome.error)")
    }
  }

  @Test(arguments: ["6.17-txt-default.tracefs.txt", "6.18-fmt-multicpu-stripped.dat"])
  func namedPipeIsRead(_ name: String) throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path + "/pipe"
    let outcome = try Tool.shell(
      "mkfifo \(pipe); cat \(Tool.fixture(name)) > \(pipe) & pinstat export --all-functions \(pipe)")
    let direct = try Tool.run("export", "--all-functions", Tool.fixture(name))
    #expect(outcome.status == 0, "\(outcome.error)")
    let rows = parseCSV(outcome.output).map { $0.dropFirst() }
    #expect(rows.count > 10)
    #expect(rows == parseCSV(direct.output).map { $0.dropFirst() })
  }

  /// Down to the size that is refused with a sentence; below, libraries would crash or wait. A sanitizer reserves
  /// terabytes.
  @Test(.enabled(if: !Tool.isSanitized), arguments: [big, Tool.fixture("6.18-nest3-256m-2m.dat")])
  func littleAddressSpace(_ path: String) throws {
    let enough = try Tool.shell("ulimit -v \(384 << 10); pinstat analyze -q --all-functions \(path)")
    #expect(enough.status == 0, "\(enough.error)")
    for limit in [(384 << 10) - 1, 100_000] {
      let little = try Tool.shell("ulimit -v \(limit); timeout 20 pinstat analyze -q --all-functions \(path)")
      #expect(little.status == 2)
      #expect(
        little.error.contains("ulimit -v") && little.error.split(separator: "\n").count == 1,
        "\(little.error)")
      #expect(little.output.isEmpty)
    }
  }

  @Test func interruptAtAnyTime() throws {
    let folder = try TemporaryFolder()
    let path = try longTrace(folder, megabytes: 4)
    var ends: Set<Int32> = []
    for delay in stride(from: 0, to: 0.4, by: 0.025) {
      // In the background a shell ignores SIGINT for its children; python does not.
      let script =
        "import signal, subprocess, sys, time; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        + "job = subprocess.Popen(sys.argv[2:]); time.sleep(float(sys.argv[1])); job.send_signal(signal.SIGINT); "
        + "sys.exit(job.wait() & 255)"
      let outcome = try Tool.launch(
        "/usr/bin/env",
        [
          "python3", "-c", script, String(delay), Tool.path, "export", "-q", "-o", folder.path + "/rows.csv",
          path,
        ])
      // −2 is the signal; 0 where it came too late.
      #expect([0, 254].contains(outcome.status), "\(delay): \(outcome.status) \(outcome.error)")
      ends.insert(outcome.status)
      let rest = try folder.entries.filter { $0 != "long.txt" }
      #expect(rest == (outcome.status == 0 ? ["rows.csv"] : []), "\(delay)")
      try? FileManager.default.removeItem(atPath: folder.path + "/rows.csv")
    }
    #expect(ends.contains(254))
  }

  // MARK: Shapes

  private func analyze(_ text: Data, _ arguments: String...) throws -> [[String: String]] {
    let run = try Tool.measured(
      ["analyze", "--format", "csv"] + (arguments.isEmpty ? ["--all-functions"] : arguments) + ["-"],
      input: text,
      seconds: 100)
    #expect(!run.isTimeout && !run.outcome.wasSignalled)
    #expect(run.outcome.status == 0, "\(run.outcome.error)")
    if !Tool.isSanitized { #expect(run.peakMemory < 256 << 20, "\(run.peakMemory >> 20) MiB") }
    return records(run.outcome.output)
  }

  @Test func hundredMegabyteLine() throws {
    var text = Data(Self.line.utf8)
    text.append(Data(repeating: UInt8(ascii: "x"), count: 100_000_000))
    text.append(Data(("\n" + Self.line + Self.line).utf8))
    #expect(try analyze(text).map { $0["count"] } == ["3"])
  }

  @Test func zeroBytesInText() throws {
    var text = Data(Self.line.utf8)
    text.append(Data(count: 1_000_000))
    text.append(Data("\n\0\0\(Self.line)\(Self.line.dropLast())\0\n\(Self.line)".utf8))
    let rows = try analyze(text, "-f", "vfio_pin_map_dma")
    #expect(rows.compactMap { $0["count"].flatMap(Int.init) }.reduce(0, +) >= 2)
  }

  @Test func nestedHundredThousandDeep() throws {
    let depth = 100_000
    var text = ""
    for level in 0..<depth {
      text += "  v-1 [001] 1.000001: funcgraph_entry: func=f\(level % 7) depth=\(level)\n"
    }
    for level in (0..<depth).reversed() {
      text +=
        "  v-1 [001] 1.000002: funcgraph_exit: func=f\(level % 7) overrun=0 calltime=0x1 rettime=0x\(String(level + 2, radix: 16)) depth=\(level)\n"
    }
    let rows = try analyze(Data(text.utf8), "--all-functions", "--callees")
    #expect(!rows.isEmpty)
    let flat = try analyze(Data(text.utf8))
    #expect(flat.compactMap { $0["count"].flatMap(Int.init) }.reduce(0, +) == depth)
  }

  @Test func manyDistinctNames() throws {
    let count = 300_000
    var text = ""
    text.reserveCapacity(count * 40)
    for number in 0..<count { text += " 0)   1.000 us    |  name_\(number)();\n" }
    let rows = try analyze(Data((text + Self.line).utf8), "-f", "vfio_pin_map_dma")
    #expect(rows.map { $0["count"] } == ["1"])
  }

  @Test func timestampsThatGoBack() throws {
    var text = ""
    for number in 0..<1000 {
      text += "  v-1 [001] \(2000 - number).000001: funcgraph_entry:  1.000 us |  vfio_pin_map_dma();\n"
    }
    #expect(try analyze(Data(text.utf8)).map { $0["count"] } == ["1000"])
  }
}
