import Foundation
import Testing

@testable import Analysis
@testable import FunctionGraph
@testable import Reports

@Suite("One row a call")
struct CallRowTests {
  private func call(_ change: (inout Call) -> Void = { _ in }) -> Call {
    var call = Call(
      function: FunctionID(rawValue: 1), status: .complete, column: 0, side: nil, buffer: 0, cpu: 3,
      pid: 1_234,
      comm: StringTable.ID(rawValue: 1), depth: 0, timestamp: .nanoseconds(507_520_070_001),
      duration: 33_813_703,
      resolution: 1, selfTime: nil, path: CallPaths.root, stack: 0, sequence: 1)
    change(&call)
    return call
  }

  private func rows(
    _ calls: [Call], _ format: CallRowWriter.Format, trace: String = "t.dat",
    function: FunctionName = FunctionName(symbol: "vfio_pin_map_dma", module: "vfio_iommu_type1"),
    comm: String = "bash"
  ) -> String {
    var functions = FunctionTable()
    let functionID = functions.intern(function)
    var comms = StringTable()
    let commID = comms.intern(comm)
    var writer = CallRowWriter(format: format, trace: trace)
    let names = CallRowNames(functions: functions, comms: comms, buffers: [.init(), .init(name: "inst")])
    var out: [UInt8] = []
    for var call in calls {
      if call.function != .none { call.function = functionID }
      if call.comm != .none { call.comm = commID }
      writer.append(call, names, to: &out)
    }
    return String(decoding: out, as: UTF8.self)
  }

  @Test("The header is the contract's")
  func header() {
    #expect(CallRowWriter.csvHeader == Contract.export + "\n")
  }

  @Test("Rows by hand")
  func byHand() {
    let calls = [
      call(),
      call {
        $0.status = .unfinished
        $0.duration = nil
        $0.buffer = 1
        $0.depth = 2
      },
      call {
        $0.status = .noEntry
        $0.timestamp = .none
        $0.function = .none
        $0.pid = -1
        $0.cpu = -1
        $0.comm = .none
        $0.depth = -1
        $0.resolution = 1_000
      },
      call {
        $0.status = .lost
        $0.timestamp = .raw(42)
        $0.pid = 0
        $0.cpu = 0
        $0.duration = -5
        $0.resolution = 10
        $0.buffer = 9
      },
    ]
    #expect(
      rows(calls, .csv) == """
        t.dat,,3,1234,bash,vfio_pin_map_dma,vfio_iommu_type1,0,507.520070001,33813.703,0.001,complete
        t.dat,inst,3,1234,bash,vfio_pin_map_dma,vfio_iommu_type1,2,507.520070001,,,unfinished
        t.dat,,,,,,,,,33813.703,1,no-entry
        t.dat,,0,0,bash,vfio_pin_map_dma,vfio_iommu_type1,0,42,-0.005,0.010,lost

        """)
  }

  @Test("Names come back from the CSV, a formula with an apostrophe in front", arguments: hostileNames)
  func hostileCSV(_ name: String) throws {
    let text = rows(
      [call()], .csv, trace: name, function: FunctionName(symbol: name, module: "m"), comm: name)
    // NUL stands between symbol and module in the table of functions, which readers keep out of names.
    let records = try #require(parseCSV(text))
    #expect(records.count == 1)
    #expect(records[0].count == Contract.export.split(separator: ",").count)
    #expect(Array(records[0][0].utf8) == Array(name.utf8))
    let comm = records[0][4]
    #expect(Array(comm.utf8) == Array(name.utf8) || Array(comm.utf8) == Array(("'" + name).utf8))
    if let first = comm.utf8.first { #expect(!"=+@\t\r".utf8.contains(first)) }
    #expect(comm != "-1+cmd")
  }

  @Test("Each JSON line parses, with the CSV's figures", arguments: hostileNames)
  func json(_ name: String) throws {
    let function = FunctionName(symbol: name.filter { $0 != "\u{0}" }, module: "m")
    let text = rows([call(), call { $0.buffer = 1 }], .jsonl, trace: name, function: function, comm: name)
    let lines = text.utf8.split(separator: 0x0a)
    #expect(lines.count == 2)
    let object = try #require(JSONSerialization.jsonObject(with: Data(lines[0])) as? [String: Any])
    #expect(object["comm"] as? String == name)
    #expect(object["trace"] as? String == name)
    #expect(object["function"] as? String == function.symbol)
    #expect(object["duration_us"] as? Double == 33_813.703)
    #expect(object["resolution_us"] as? Double == 0.001)
    #expect(object["status"] as? String == "complete")
  }

  @Test("What is missing has no key in JSON")
  func missingKeys() throws {
    let text = rows(
      [
        call {
          $0.cpu = -1
          $0.pid = -1
          $0.depth = -1
          $0.duration = nil
          $0.timestamp = .none
          $0.status = .unfinished
        }
      ], .jsonl)
    let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(Set(object.keys) == ["trace", "buffer", "comm", "function", "module", "status"])
  }
}

/// Numbers as rows have them, against the standard library's.
@Suite("Numbers in rows")
struct RowCursorTests {
  @Test("Whole numbers of every length")
  func decimals() {
    var numbers: [UInt64] = [0, .max]
    var power: UInt64 = 1
    for _ in 0..<20 {
      numbers += [power, power &- 1, power &+ 1, power &* 7 / 3]
      power = power &* 10
    }
    for number in numbers {
      var bytes: [UInt8] = []
      bytes.append(decimal: number)
      #expect(String(decoding: bytes, as: UTF8.self) == String(number))
    }
  }

  @Test("Times")
  func times() {
    for nanoseconds: UInt64 in [
      0, 1, 999_999_999, 1_000_000_000, 507_520_070_001, 12_345_678_901_234_567, .max,
    ] {
      var bytes: [UInt8] = []
      bytes.append(timestamp: .nanoseconds(nanoseconds))
      let fraction = String(nanoseconds % 1_000_000_000)
      let expected =
        "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
      #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }
  }
}
