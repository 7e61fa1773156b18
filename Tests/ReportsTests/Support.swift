@testable import Analysis
@testable import FunctionGraph
@testable import Reports

/// Names that a trace may hold and that each format has to make harmless.
let hostileNames = [
  "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+1+1", "-1+cmd", "@SUM(A1)", "a,b", "a\"b",
  "a\u{301}\"\u{301}b",
  "line\nbreak", "carriage\rreturn", "tab\there", "\u{1b}[31mred", "\u{202e}rtl", "nul\u{0}", "pipe|pipe",
  "back\\slash",
  "a\\|b", "`code`", "*bold* _it_ [l](x)", "&amp;", "]]>", "\u{fffd}bytes", "漢字", "\u{1f680}", "#hash", "",
  " lead", "|\u{301}x",
  "'", "\u{2028}", "\u{7f}\u{85}",
]

/// Fields of RFC 4180 records, read by the grammar and nothing else; nil where the text breaks it.
func parseCSV(_ text: String) -> [[String]]? {
  var records: [[String]] = []
  var record: [String] = []
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    var field: [UInt8] = []
    if bytes.first == 0x22 {
      bytes.removeFirst()
      while true {
        guard let byte = bytes.popFirst() else { return nil }
        if byte != 0x22 {
          field.append(byte)
        } else if bytes.first == 0x22 {
          field.append(byte)
          bytes.removeFirst()
        } else {
          break
        }
      }
    } else {
      while let byte = bytes.first, byte != 0x2c, byte != 0x0a {
        if byte == 0x22 || byte == 0x0d { return nil }
        field.append(byte)
        bytes.removeFirst()
      }
    }
    record.append(String(decoding: field, as: UTF8.self))
    guard let end = bytes.popFirst() else { return nil }
    if end == 0x0a {
      records.append(record)
      record = []
    } else if end != 0x2c {
      return nil
    } else if bytes.isEmpty {
      return nil
    }
  }
  return record.isEmpty ? records : nil
}

/// The columns of the contract, copied from it.
enum Contract {
  static let export =
    "trace,buffer,cpu,pid,comm,function,module,depth,timestamp,duration_us,resolution_us,status"
  static let analyze =
    "trace,buffer,function,module,count,incomplete,min_us,p50_us,p90_us,p99_us,max_us,mean_us,stddev_us,total_us,throughput_gib_s"
  static let compare =
    "function,metric,unit,before_runs,after_runs,before_calls,after_calls,before_us,after_us,speedup,speedup_low,speedup_high,confidence,p_value,effect_size,verdict,model_speedup"
}

func duration(_ symbol: String, _ values: [Int64], buffer: String = "", module: String = "")
  -> FunctionDurations
{
  var sample = DurationSample()
  for value in values { sample.add(value, resolution: 1) }
  var result = FunctionDurations(
    buffer: buffer, function: FunctionName(symbol: symbol, module: module), durations: sample)
  result.complete = values.count
  return result
}

func trace(_ path: String, _ functions: [FunctionDurations]) -> TraceAnalysis {
  TraceAnalysis(
    path: path, description: TraceDescription(format: .tracefs), functions: functions,
    quality: TraceQuality(),
    missing: [])
}

/// Runs of one value a function each, compared.
func comparison(
  _ before: [String: [Int64]], _ after: [String: [Int64]], paths: (String, String) = ("old", "new"),
  gates: Gates = Gates(), change: (inout ComparedSide) -> Void = { _ in }
) throws -> Comparison {
  func side(_ path: String, _ values: [String: [Int64]]) -> ComparedSide {
    let count = values.values.map(\.count).max() ?? 0
    return ComparedSide(
      runs: (0..<count).map { run in
        trace(
          "\(path)\(run)",
          values.sorted { $0.key < $1.key }.compactMap { name, values in
            run < values.count ? duration(name, [values[run]]) : nil
          })
      })
  }
  var request = ComparisonRequest()
  request.gates = gates
  var left = side(paths.0, before)
  change(&left)
  return try Comparator(selection: FunctionSelection(patterns: [], all: true), request: request).compare(
    left, side(paths.1, after))
}

extension [UInt8] {
  private mutating func append(_ write: (inout RowCursor) -> Void) {
    self += [UInt8](unsafeUninitializedCapacity: 4 * RowCursor.longestNumber) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      var cursor = RowCursor(at: base)
      write(&cursor)
      count = cursor.next - base
    }
  }

  mutating func append(thousandths nanoseconds: Int64) { append { $0.put(thousandths: nanoseconds) } }
  mutating func append(resolution nanoseconds: UInt32) { append { $0.put(resolution: nanoseconds) } }
  mutating func append(decimal number: UInt64) { append { $0.put(decimal: number) } }
  mutating func append(timestamp: Timestamp) { append { $0.put(timestamp: timestamp) } }
}
