import Foundation
import Testing

/// `trace-cmd report` reads the same files: the same calls, from the binary by its raw numbers to the nanosecond, and from
/// its text to what it prints.
@Suite struct OracleTests {
  static let traces =
    ((try? FileManager.default.contentsOfDirectory(atPath: Tool.root + "/Fixtures/traces")) ?? [])
    .filter { $0.hasSuffix(".dat") && !$0.contains("zlib") }.sorted()

  /// Debian's trace-cmd is built without zlib: there the same trace compressed otherwise is the oracle.
  @Test func compressionDoesNotChangeTheCalls() throws {
    let zlib = try Tool.run("export", "--all-functions", Tool.fixture("6.18-fmt-multicpu-zlib-stripped.dat"))
    let zstd = try Tool.run("export", "--all-functions", Tool.fixture("6.18-fmt-multicpu-stripped.dat"))
    #expect(zlib.status == 0 && parseCSV(zlib.output).count > 1000)
    #expect(parseCSV(zlib.output).map { $0.dropFirst() } == parseCSV(zstd.output).map { $0.dropFirst() })
  }

  @Test func hasTraces() {
    #expect(Self.traces.count >= 10)
  }

  /// Exits by `trace-cmd report -R`: buffer, cpu, pid, function, depth and nanoseconds, counted.
  private func rawExits(_ path: String) throws -> [String: Int] {
    let outcome = try Tool.launch("/usr/bin/env", ["trace-cmd", "report", "-R", path])
    try #require(outcome.status == 0, "\(outcome.error)")
    var exits: [String: Int] = [:]
    for line in outcome.output.split(separator: "\n") where line.contains(" funcgraph_exit: ") {
      let halves = line.components(separatedBy: "funcgraph_exit:")
      guard halves.count == 2 else { continue }
      var fields: [String: String] = [:]
      for word in halves[1].split(separator: " ") {
        let pair = word.split(separator: "=", maxSplits: 1)
        if pair.count == 2 { fields[String(pair[0])] = String(pair[1]) }
      }
      let cpuStart = try #require(halves[0].lastIndex(of: "["))
      let cpuEnd = try #require(halves[0].lastIndex(of: "]"))
      let cpu = try #require(Int(halves[0][halves[0].index(after: cpuStart)..<cpuEnd]))
      let task = halves[0][..<cpuStart].trimmingCharacters(in: .whitespaces)
      let pid = task[task.index(after: try #require(task.lastIndex(of: "-")))...]
      let call = try #require(UInt64(fields["calltime"] ?? "", radix: 16))
      let end = try #require(UInt64(fields["rettime"] ?? "", radix: 16))
      let function = fields["func"] ?? ""
      exits["\(cpu) \(pid) \(function) \(fields["depth"] ?? "") \(end - call)", default: 0] += 1
    }
    return exits
  }

  @Test(arguments: traces)
  func everyExitIsThereToTheNanosecond(_ name: String) throws {
    let path = Tool.fixture(name)
    let expected = try rawExits(path)
    let outcome = try Tool.run("export", "--all-functions", "-q", path)
    #expect(outcome.status == 0, "\(outcome.error)")
    var found: [String: Int] = [:]
    for row in records(outcome.output) where row["status"] != "unfinished" {
      let duration = try #require(row["duration_us"])
      let nanoseconds = duration.replacingOccurrences(of: ".", with: "")
      let key =
        "\(row["cpu"] ?? "") \(row["pid"] ?? "") \(row["function"] ?? "") \(row["depth"] ?? "") \(Int(nanoseconds) ?? -1)"
      found[key, default: 0] += 1
    }
    #expect(!expected.isEmpty)
    #expect(differences(found, expected).isEmpty)
  }

  /// The text that trace-cmd makes of the trace, through our text reader.
  @Test(arguments: traces)
  func textGivesTheSameCalls(_ name: String) throws {
    let path = Tool.fixture(name)
    let folder = try TemporaryFolder()
    let report = try Tool.launch("/usr/bin/env", ["trace-cmd", "report", path])
    let text = try folder.file("report.txt", report.output)
    func calls(_ path: String) throws -> [String: Int] {
      var counts: [String: Int] = [:]
      for row in records(try Tool.run("export", "--all-functions", "-q", path).output) {
        guard let duration = row["duration_us"], !duration.isEmpty, row["function"] != "" else { continue }
        counts[
          "\(row["pid"] ?? "") \(row["function"] ?? "") \(row["depth"] ?? "") \(printed(duration))",
          default: 0] += 1
      }
      return counts
    }
    let fromText = try calls(text)
    let fromBinary = try calls(path)
    // An exit whose entry was lost has no name in the text.
    if name.contains("lost") {
      var named = 0
      for (call, count) in fromText {
        #expect(fromBinary[call, default: 0] >= count, "\(call)")
        named += count
      }
      #expect(named > 1000)
    } else {
      #expect(!fromBinary.isEmpty)
      #expect(differences(fromText, fromBinary).isEmpty)
    }
  }

  /// The first few entries in which two counts differ.
  private func differences(_ a: [String: Int], _ b: [String: Int]) -> [String] {
    Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted().prefix(5)
      .map { "\($0): \(a[$0, default: 0]) and \(b[$0, default: 0])" }
  }

  /// trace-cmd prints whole microseconds from a second on.
  private func printed(_ duration: String) -> String {
    guard let value = Double(duration), value >= 1_000_000 else { return duration }
    return String(duration.prefix { $0 != "." })
  }
}
