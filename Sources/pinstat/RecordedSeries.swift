import Analysis
import FunctionGraph
import Reports
import TraceCapture
import TraceInput

/// The traces of one `pinstat record`, in the order in which they were made.
struct RecordedSeries {
  struct Recorded {
    var trace: CapturedTrace
    /// What reports call it: `run 3`, `before 2`.
    var name: String
    /// What stands between a kept file's name and its extension; empty where there is one trace.
    var suffix: String
    var side: Int
  }

  let runs: Int
  let sides: Int
  private(set) var traces: [Recorded] = []
  /// The exit code that the commands make together: that of the first that failed.
  private(set) var code = ExitStatus.done

  init(runs: Int, sides: Int) {
    self.runs = runs
    self.sides = sides
  }

  mutating func append(_ trace: CapturedTrace, run: Int, side: Int) {
    // Padded, so that a shell's `before-*.dat` keeps the order.
    let digits = String(runs).count
    let number = String(repeating: "0", count: digits - String(run).count) + String(run)
    let sideName = side == 0 ? "before" : "after"
    traces.append(
      Recorded(
        trace: trace, name: sides == 2 ? "\(sideName) \(run)" : "run \(run)",
        suffix: sides == 2 ? "-\(sideName)-\(number)" : runs > 1 ? "-\(number)" : "", side: side))
    switch trace.end {
    case .command(let end): code = end.code
    case .signal(let number): code = 128 + number
    case .duration: break
    }
  }

  /// A signal came that no command has got.
  mutating func interrupt(_ signal: Int32) {
    if code == ExitStatus.done { code = 128 + signal }
  }

  /// Writes what `-o` asks for.
  ///
  /// - Returns: the files, one a trace, or the one with all rows.
  func keep(at path: String?, selection: FunctionSelection) throws -> [String] {
    guard let path else { return [] }
    if path.hasSuffix(".csv") { return [try keepRows(at: path, .csv, selection)] }
    if path.hasSuffix(".jsonl") { return [try keepRows(at: path, .jsonl, selection)] }
    return try traces.map { recorded in
      let name = Self.name(path, suffix: recorded.suffix)
      let file = try Output(name)
      try recorded.trace.read { try file.write($0) }
      try file.commit()
      return name
    }
  }

  /// `trace.dat` and `-before-1` make `trace-before-1.dat`.
  static func name(_ path: String, suffix: String) -> String {
    guard let dot = path.lastIndex(of: "."),
      dot > (path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)
    else { return path + suffix }
    return path[..<dot] + suffix + path[dot...]
  }

  /// All calls of the selected functions, as `pinstat export` has them; the column `trace` tells the runs apart.
  private func keepRows(at path: String, _ format: CallRowWriter.Format, _ selection: FunctionSelection)
    throws -> String
  {
    let file = try Output(path)
    if format == .csv { try file.write(CallRowWriter.csvHeader) }
    var calls: [Call] = []
    for recorded in traces {
      var writer = CallRowWriter(format: format, trace: recorded.name)
      do {
        var selected = try SelectedCalls(
          SniffedInput(path: recorded.trace.path), request: AnalysisRequest(selection: selection))
        while try selected.next(&calls) {
          let names = CallRowNames(
            functions: selected.functions, comms: selected.comms, buffers: selected.description.buffers)
          try file.append { writer.append(calls, names, to: &$0) }
        }
      } catch let error as TraceError {
        throw Failure(recorded.name, error)
      }
    }
    try file.commit()
    return path
  }
}
