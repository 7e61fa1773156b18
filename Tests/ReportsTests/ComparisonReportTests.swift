import Foundation
import Testing

@testable import Analysis
@testable import FunctionGraph
@testable import Reports

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("The report of compare")
struct ComparisonReportTests {
  private func report(_ comparison: Comparison, size: UInt64? = nil) -> ComparisonReport {
    ComparisonReport(
      comparison: comparison, context: ReportContext(size: size, pageSize: 2 << 20, backing: "hugetlb"))
  }

  @Test("CSV by hand: two pasted lines")
  func pastedLines() throws {
    #expect(ComparisonReport.csvHeader == Contract.compare)
    let records = try #require(
      parseCSV(
        report(try comparison(["vfio_pin_map_dma": [73_036_000]], ["vfio_pin_map_dma": [33_813_703]])).csv))
    #expect(records.count == 2)
    #expect(records[0] == Contract.compare.split(separator: ",").map(String.init))
    #expect(
      records[1].prefix(9) == [
        "vfio_pin_map_dma", "median", "call", "1", "1", "1", "1", "73036.000", "33813.703",
      ])
    #expect(abs((Double(records[1][9]) ?? 0) - 2.16) < 0.001)
    #expect(records[1][10...] == ["", "", "", "", "", "unclear", ""])
  }

  @Test("CSV by hand: four runs a side")
  func runs() throws {
    let records = try #require(
      parseCSV(report(try comparison(["f": [200, 210, 220, 230]], ["f": [100, 101, 102, 103]])).csv))
    let row = Dictionary(uniqueKeysWithValues: zip(records[0], records[1]))
    #expect((row["unit"], row["before_runs"], row["after_calls"]) == ("run", "4", "4"))
    // Medians of the runs: 215 and 101.5 ns.
    #expect((row["before_us"], row["after_us"]) == ("0.215", "0.1015"))
    func number(_ name: String) -> Double { row[name].flatMap { Double($0) } ?? .nan }
    #expect(abs(number("speedup_low") - 200.0 / 103) < 1e-12)
    #expect(abs(number("speedup_high") - 2.3) < 1e-12)
    #expect(abs(number("confidence") - (1 - 2.0 / 70)) < 1e-12)
    #expect(abs(number("p_value") - 2.0 / 70) < 1e-12)
    #expect((row["effect_size"], row["verdict"], row["model_speedup"]) == ("1", "faster", ""))
  }

  @Test("JSON has the CSV's figures")
  func json() throws {
    let report = report(
      try comparison(
        ["f": [200, 210, 220, 230], "g": [5, 5, 5, 5]], ["f": [100, 101, 102, 103], "g": [5, 6, 5, 7]]),
      size: 1 << 30)
    let records = try #require(parseCSV(report.csv))
    let object = try #require(JSONSerialization.jsonObject(with: Data(report.json())) as? [String: Any])
    #expect(object["schema"] as? String == "pinstat/comparison/1")
    let functions = try #require(object["functions"] as? [[String: Any]])
    #expect(functions.count == records.count - 1)
    for (function, record) in zip(functions, records.dropFirst()) {
      let row = Dictionary(uniqueKeysWithValues: zip(records[0], record))
      #expect(function["function"] as? String == row["function"])
      #expect(function["verdict"] as? String == row["verdict"])
      for name in ["speedup", "speedup_low", "speedup_high", "confidence", "p_value", "effect_size"] {
        let value = row[name].flatMap { Double($0) }
        let number = function[name] as? Double
        #expect((number == nil) == (value == nil))
        #expect(abs((number ?? 0) - (value ?? 0)) <= 1e-15 * abs(value ?? 0))
      }
      for side in ["before", "after"] {
        let values = try #require(function[side] as? [String: Any])
        #expect(abs((values["value_us"] as? Double ?? .nan) - (Double(row["\(side)_us"] ?? "") ?? 0)) < 1e-6)
        #expect(values["calls"] as? Int == row["\(side)_calls"].flatMap { Int($0) })
        #expect(values["runs"] as? Int == row["\(side)_runs"].flatMap { Int($0) })
      }
    }
  }

  // MARK: JUnit

  private func counts(_ junit: String) throws -> (tests: Int, failures: Int, errors: Int, skipped: Int) {
    let document = try XMLDocument(xmlString: junit, options: [])
    let suite = try #require(document.rootElement()?.elements(forName: "testsuite").first)
    func number(_ name: String) -> Int {
      suite.attribute(forName: name)?.stringValue.flatMap { Int($0) } ?? -1
    }
    let cases = suite.elements(forName: "testcase")
    func elements(_ name: String) -> Int { cases.reduce(0) { $0 + $1.elements(forName: name).count } }
    // What the suite says is what it holds.
    #expect(number("tests") == cases.count)
    #expect(number("failures") == elements("failure"))
    #expect(number("errors") == elements("error"))
    #expect(number("skipped") == elements("skipped"))
    return (number("tests"), number("failures"), number("errors"), number("skipped"))
  }

  private func threeOutcomes() throws -> Comparison {
    try comparison(
      [
        "slow": [100, 100, 100, 100, 100], "fast": [200, 200, 200, 200, 200],
        "open": [100, 200, 300, 100, 200],
      ],
      [
        "slow": [200, 200, 200, 200, 200], "fast": [100, 100, 100, 100, 100],
        "open": [100, 200, 300, 200, 100],
      ],
      gates: Gates(maxSlowdown: 0.05))
  }

  @Test(
    "JUnit counts failures, and skips what is undecided, or as the policy says",
    arguments: [(GateOutcome.undecided, 1, 1), (.fails, 2, 0), (.holds, 1, 0)])
  func junit(_ policy: GateOutcome, _ failures: Int, _ skipped: Int) throws {
    let comparison = try threeOutcomes()
    #expect(comparison.gate == .fails)
    let found = try counts(report(comparison).junit(undecided: policy, seconds: 1.5))
    #expect(found == (3, failures, 0, skipped))
  }

  @Test("Without a gate nothing fails")
  func junitWithoutGate() throws {
    let found = try counts(
      report(try comparison(["f": [1]], ["f": [2]])).junit(undecided: .undecided, seconds: 0))
    #expect(found == (1, 0, 0, 0))
  }

  @Test("A failed input is an error, whatever its name", arguments: hostileNames)
  func junitError(_ name: String) throws {
    #expect(try counts(ComparisonReport.junit(error: name, function: name)) == (1, 0, 1, 0))
  }

  // MARK: Commit

  @Test(
    "A commit block has at most 72 columns, and no line that git drops",
    arguments: hostileNames + [
      String(repeating: "long_name_", count: 30), String(repeating: "漢", count: 100),
      String(repeating: "a b ", count: 60),
      String(repeating: "漢字 ", count: 60), "# comment", String(repeating: "#", count: 200),
    ])
  func commit(_ name: String) throws {
    var comparison = try comparison([name: [200, 210]], [name: [100, 101]], paths: (name, name))
    comparison.before.runs[0].description.kernelRelease = name
    comparison.notes.append(.kernelDiffers(before: [name], after: [name]))
    comparison.notes.append(.sameInput(name))
    let lines = report(comparison, size: 8 << 30).commit.split(
      separator: "\n", omittingEmptySubsequences: false)
    for line in lines {
      #expect(displayWidth(String(line)) <= 72)
      #expect(line.unicodeScalars.first != "#")
      #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
    #expect(lines.last == "")
  }

  @Test("A commit block by its parts")
  func commitParts() throws {
    let text = report(
      try comparison(
        ["f": [200_000, 210_000, 220_000, 230_000]], ["f": [100_000, 101_000, 102_000, 103_000]]),
      size: 8 << 30
    ).commit
    #expect(text.hasPrefix("f: 8 GiB, 2 MiB pages, hugetlb\n"))
    #expect(text.contains("(97.1% CI 1.94 to 2.30), p = 0.029: faster"))
    #expect(text.contains("  before     4      4"))
  }

  // MARK: Every format

  @Test("Every format takes every name", arguments: hostileNames)
  func hostile(_ name: String) throws {
    var comparison = try comparison(
      [name: [200, 210, 220, 230, 240], "f": [1, 1, 1, 1, 1]],
      [name: [100, 101, 102, 103, 104], "f": [1, 1, 1, 1, 1]],
      paths: (name, name), gates: Gates(minSpeedup: 9))
    comparison.onlyBefore = [name]
    comparison.notes.append(.kernelDiffers(before: [name], after: [name]))
    let report = report(comparison)
    let text = report.text(TextStyle())
    #expect(
      text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value)) }
    )
    let records = try #require(parseCSV(report.csv))
    #expect(records.count == 3 && records.allSatisfy { $0.count == 17 })
    _ = try #require(JSONSerialization.jsonObject(with: Data(report.json())) as? [String: Any])
    #expect(try counts(report.junit(undecided: .undecided, seconds: 1)).failures == 2)
    // Each line of a table has the columns of its header.
    let rows = report.markdown.split(separator: "\n").filter { $0.hasPrefix("| ") }
    let pipes = rows.map { row in
      row.unicodeScalars.reduce((0, false)) { state, scalar in
        state.1 ? (state.0, false) : (state.0 + (scalar == "|" ? 1 : 0), scalar == "\\")
      }.0
    }
    #expect(pipes.count == 4 && Set(pipes).count == 1)
  }

  @Test("Slow and fast are said the right way round")
  func words() throws {
    let text = report(try threeOutcomes()).text(TextStyle(width: 120))
    #expect(text.contains("fast: faster, 2.00 times as fast"))
    #expect(text.contains("slow: slower, 2.00 times as slow"))
    #expect(text.contains("open: unclear\n"))
    #expect(text.contains("gate --max-slowdown 5%: fails"))
  }

  @Test("The difference of a call is attributed to self times, which add up to it")
  func callees() throws {
    func table(_ calls: Int, _ total: Int64, _ rows: [(String, Int64)]) -> CalleeTable {
      CalleeTable(
        parentCalls: calls, parentTotal: total, parentSelf: total - rows.reduce(0) { $0 + $1.1 },
        rows: rows.map {
          .init(function: FunctionName(symbol: $0.0), calls: calls, total: $0.1, selfTime: $0.1, level: 1)
        })
    }
    var comparison = try comparison(["f": [1_000]], ["f": [400]])
    comparison.functions[0].before.callees = table(2, 2_000, [("g.isra.0", 1_400), ("h", 200)])
    comparison.functions[0].after.callees = table(1, 400, [("g", 100), ("i", 50)])
    #expect(report(comparison).calleeRows(comparison.functions[0]).isEmpty)
    var asked = report(comparison)
    asked.context.wantsCallees = true
    let rows = asked.calleeRows(comparison.functions[0])
    // Per call: self 200 → 250, g 700 → 100, h 100 → none, i none → 50.
    #expect(rows.map(\.name) == ["g", "h", "(f itself)", "i"])
    #expect(rows.map(\.difference) == [-600, -100, 50, 50])
    #expect(rows.map(\.before) == [700, 100, 200, nil])
    #expect(rows.map(\.after) == [100, nil, 250, 50])
    #expect(abs(rows.compactMap(\.share).reduce(0, +) - 1) < 1e-12)
  }
}
