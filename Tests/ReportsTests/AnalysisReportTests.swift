import Foundation
import Testing

@testable import Analysis
@testable import FunctionGraph
@testable import Reports

@Suite("The report of analyze")
struct AnalysisReportTests {
  private let traces = [
    trace(
      "a.dat",
      [duration("f", [33_813_703, 33_900_001, 34_000_000], buffer: "inst", module: "m"), duration("g", [5])]),
    trace("b,\"x\".dat", [duration("f", [1_000, 2_000])]),
  ]

  private func report(_ traces: [TraceAnalysis], size: UInt64? = 8 << 30) -> AnalysisReport {
    AnalysisReport(traces: traces, context: ReportContext(size: size, functions: ["f"]))
  }

  @Test("CSV by hand: exact figures, type 7 quantiles, empty where there is nothing")
  func csv() throws {
    #expect(AnalysisReport.csvHeader == Contract.analyze)
    let records = try #require(parseCSV(report(traces).csv))
    #expect(records.count == 4)
    #expect(records[0] == Contract.analyze.split(separator: ",").map(String.init))
    // p90 = 33900.001 + 0.8·99.999, p99 = 33900.001 + 0.98·99.999; mean 101713.704/3.
    #expect(
      records[1].prefix(12)
        == [
          "a.dat", "inst", "f", "m", "3", "0", "33813.703", "33900.001", "33980.0002", "33998.00002",
          "34000.000",
          "33904.568",
        ])
    #expect(records[1][13] == "101713.704")
    #expect(abs((Double(records[1][14]) ?? 0) - 8 / 0.033900001) < 1e-5)
    // One call has no standard deviation.
    #expect(records[2][12] == "")
    #expect(records[2][6...11] == ["0.005", "0.005", "0.005", "0.005", "0.005", "0.005"])
    #expect(records[3][0] == "b,\"x\".dat")
    #expect(abs((Double(records[3][12]) ?? 0) - 0.5.squareRoot()) < 1e-6)
  }

  @Test("Without a known duration every figure is empty")
  func empty() throws {
    var none = duration("f", [])
    none.unfinished = 2
    none.incomplete = 2
    let records = try #require(parseCSV(report([trace("t", [none])]).csv))
    #expect(records[1] == ["t", "", "f", "", "0", "2"] + [String](repeating: "", count: 9))
    let text = report([trace("t", [none])]).text(TextStyle())
    #expect(text.contains("2 calls without an exit"))
  }

  @Test("JSON has the CSV's figures")
  func json() throws {
    let bytes = try report(traces).json()
    #expect(bytes.last == 0x0a && bytes.count { $0 == 0x0a } == 1)
    let object = try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    #expect(object["schema"] as? String == "pinstat/analysis/1")
    let functions = try #require(object["traces"] as? [[String: Any]]).flatMap {
      $0["functions"] as? [[String: Any]] ?? []
    }
    let records = try #require(parseCSV(report(traces).csv))
    #expect(functions.count == records.count - 1)
    for (function, record) in zip(functions, records.dropFirst()) {
      for (column, name) in records[0].enumerated().dropFirst(4) {
        let number = function[name] as? Double
        if record[column].isEmpty {
          #expect(number == nil)
        } else {
          let value = try #require(Double(record[column]))
          #expect(abs((number ?? .nan) - value) <= 1e-6 * max(1, abs(value)))
        }
      }
    }
  }

  @Test("Every format takes every name", arguments: hostileNames)
  func hostile(_ name: String) throws {
    var hostile = trace(name, [duration(name, [1_000, 2_000], buffer: name, module: name)])
    hostile.description.kernelRelease = name
    hostile.quality.diagnostics.record(.unreadableLine, at: .line(1), name)
    hostile.functions[0].callees = CalleeTable(
      parentCalls: 1, parentTotal: 1_000, parentSelf: 10,
      rows: [.init(function: FunctionName(symbol: name), calls: 1, total: 5, selfTime: 5, level: 1)])
    let report = report([hostile])
    let plain = report.text(TextStyle())
    #expect(
      plain.unicodeScalars.allSatisfy {
        $0 == "\n" || ($0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value))
      })
    for csv in [report.csv, report.calleesCSV] {
      let records = try #require(parseCSV(csv))
      #expect(records.count == (csv == report.csv ? 2 : 3))
      #expect(records.allSatisfy { $0.count == records[0].count })
    }
    let object = try #require(JSONSerialization.jsonObject(with: Data(report.json())) as? [String: Any])
    #expect((object["traces"] as? [[String: Any]])?.first?["path"] as? String == name)
    #expect(!report.markdown.contains("<script>alert"[...]) || report.markdown.contains("`<script>alert"))
    #expect(!report.markdown.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
  }

  @Test("The deepest depth that a file can claim is printed, not overflowed")
  func depth() {
    var deep = trace("t", [duration("f", [1])])
    deep.quality.isNested = true
    deep.quality.deepest = .max
    #expect(report([deep]).text(TextStyle()).contains("2147483648 deep"))
  }

  @Test(
    "A terminal's table keeps its width where it can, with and without colours",
    arguments: [60, 80, 120, 200])
  func width(_ width: Int) {
    let traces = [trace("a.dat", [duration("vfio_pin_map_dma", [33_813_703, 33_900_001, 34_000_000])])]
    let lines = report(traces).text(TextStyle(width: width)).split(separator: "\n")
    if width >= 80 { #expect(lines.allSatisfy { displayWidth(String($0)) <= width }) }
    #expect(!lines.contains { $0.hasSuffix(" ") })
    let painted = report(traces).text(TextStyle(color: true, width: width))
    #expect(painted.contains("\u{1b}[1m"))
    let bare = painted.replacing(/\u{1b}\[[0-9;]*m/, with: "")
    #expect(bare == report(traces).text(TextStyle(width: width)))
  }

  @Test("Several threads write what one does, every table in its place")
  func severalThreads() {
    let functions = (0..<300).map { number in
      var function = duration("f\(number)", [100_000, 20_000 + Int64(number)])
      function.callees = CalleeTable(
        parentCalls: 2, parentTotal: 120_000, parentSelf: 25_000,
        rows: [
          .init(
            function: FunctionName(symbol: "g\(number)"), calls: 3, total: 75_000, selfTime: 75_000, level: 1)
        ])
      return function
    }
    var report = report([trace("t", functions)])
    report.context.wantsCallees = true
    report.context.wantsHistogram = true
    let one = report.text(TextStyle())
    #expect(one == report.text(TextStyle(), jobs: 3))
    let callees = one.split(separator: "\n").compactMap { line in
      line.firstMatch(of: #/^  (g[0-9]+) /#).map { String($0.1) }
    }
    #expect(callees == (0..<300).map { "g\($0)" })
  }

  @Test("Shares of callees are of the whole calls")
  func callees() throws {
    var function = duration("f", [100_000])
    function.callees = CalleeTable(
      parentCalls: 1, parentTotal: 100_000, parentSelf: 25_000,
      rows: [
        .init(
          function: FunctionName(symbol: "g", module: "m"), calls: 3, total: 75_000, selfTime: 75_000,
          level: 1)
      ])
    let records = try #require(parseCSV(report([trace("t", [function])]).calleesCSV))
    #expect(
      records[1] == ["t", "", "f", "f", "", "0", "1", "1", "100.000", "25.000", "1.000", "0.250", "", ""])
    #expect(
      records[2] == ["t", "", "f", "g", "m", "1", "1", "3", "75.000", "75.000", "0.750", "0.750", "", ""])
  }
}
