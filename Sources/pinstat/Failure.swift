import Analysis
import FunctionGraph

/// The exit codes of the contract.
enum ExitStatus {
  static let done: Int32 = 0
  static let gateFails: Int32 = 1
  static let inputFailed: Int32 = 2
  static let undecided: Int32 = 3
}

/// A reason to end with `ExitStatus.inputFailed`: one sentence that names the file, the place and what to do.
struct Failure: Error {
  var sentence: String

  init(_ sentence: String) {
    self.sentence = sentence
  }

  init(_ path: String, _ error: TraceError) {
    let place: String
    switch error.place {
    case .line(let line): place = ": line \(line)"
    case .byte(let byte): place = ": byte \(byte)"
    case .whole: place = ""
    }
    let remedy: String
    switch error.code {
    case .corrupt: remedy = "; nothing of it can be trusted: copy or record it again"
    case .empty: remedy = "; record again"
    case .io, .notATrace, .unsupported: remedy = ""
    }
    sentence = "\(displayed(path))\(place): \(error.detail)\(remedy)"
  }

  init(_ path: String, _ error: AnalysisError) {
    switch error {
    case .trace(let error): sentence = Failure(path, error).sentence
    case .baseline(let error): sentence = Failure(path, error).sentence
    case .clockIsNotTime(let clock):
      sentence =
        "\(displayed(path)): its clock\(clock.isEmpty ? "" : " '\(clock)'") gives no times, which --from and --to need; "
        + "leave them out, or record with -C local or mono"
    case .noFunctionGraph(let tracer) where !tracer.isEmpty && tracer != "function_graph":
      sentence =
        "\(displayed(path)): it was taken by the tracer '\(tracer)', which has no durations; record with "
        + "`trace-cmd record -p function_graph`"
    case .noFunctionGraph:
      sentence =
        "\(displayed(path)): no line of it is function-graph output; expected a trace.dat, `trace-cmd report`, or the "
        + "text of tracefs with current_tracer function_graph"
    case .noDurations(let function):
      sentence =
        "\(displayed(path)): its calls of \(function) have no durations; record with the option funcgraph-duration on "
        + "and funcgraph-flat off (echo 1 > options/funcgraph-duration)"
    case .noSides(let found):
      let missing =
        found.isEmpty
        ? "no heading that tells before from after"
        : (found == [.before] ? "nothing under an 'After' heading" : "nothing under a 'Before' heading")
      sentence =
        "\(displayed(path)): it has \(missing); put lines like 'Before this patch:' and 'After this patch:' in, or give two files"
    }
  }

  /// A damaged input without a call that could be read.
  init(noCalls reason: Diagnostic, path: String) {
    let damage = TraceError(.corrupt, at: reason.place, "\(reason.detail), and no call can be read")
    sentence = Failure(path, damage).sentence
  }

  /// A trace of which no call can be placed in time; `buffer` is one whose clock is to blame.
  init(noTimes buffer: TraceDescription.Buffer?, path: String) {
    let reason =
      buffer.map { "its clock\($0.clock.isEmpty ? "" : " '\($0.clock)'") gives no times" }
      ?? "its lines have no times"
    let remedy =
      buffer == nil
      ? "record with the option funcgraph-abstime (echo 1 > options/funcgraph-abstime)"
      : "record with -C local or mono"
    sentence =
      "\(displayed(path)): \(reason), which a time line (--format chrome) needs; \(remedy), or use --format folded"
  }

  init(_ error: CalibrationFailure) {
    switch error {
    case .noCalls(let path):
      sentence =
        "\(displayed(path)): no call of \(TraceCalibration.function) with a known duration in it to calibrate from"
    case .hooksUnknown(let path):
      sentence =
        "\(displayed(path)): how many callees are hooked is known for pages of 2M only; give hooks=N, counted in a trace without a depth limit"
    case .model(let path, let error): sentence = "\(displayed(path)): \(error)"
    case .fit(let error): sentence = "calibration: \(error)"
    }
  }

  init(_ path: String, _ error: BaselineError) {
    sentence = "\(displayed(path)): it is not a stored analysis that can be used: \(error.detail)"
  }

  /// A function that is not in a trace, with what else is there.
  init(missing: MissingFunction, path: String, side: String = "") {
    let place = displayed(path) + (side.isEmpty ? "" : " (\(side))")
    if missing.isFilteredOut {
      sentence =
        "\(place): the filters leave no call of \(missing.name); loosen --cpu, --pid, --comm, --buffer, --from, --to or --skip-first"
      return
    }
    if missing.traceIsEmpty {
      sentence =
        "\(place): it holds no function call at all, so none of \(missing.name); record with `trace-cmd record -p function_graph`"
      return
    }
    var text = "\(place): no call of \(missing.name) in it"
    if !missing.nearest.isEmpty { text += "; nearest: \(missing.nearest.joined(separator: ", "))" }
    let family = missing.family.filter { !missing.nearest.contains($0) }
    if !family.isEmpty { text += "; of its family: \(family.joined(separator: ", "))" }
    text +=
      "; a static function may have been inlined by the compiler: trace its caller or a callee, or rebuild with noinline"
    sentence = text
  }

  init(_ error: ComparisonError) {
    switch error {
    case .missing(let missing, let path, let isBefore):
      sentence = Failure(missing: missing, path: path, side: isBefore ? "before" : "after").sentence
    case .noKnownDuration(let function, let isBefore, let incomplete):
      sentence =
        "\(isBefore ? "before" : "after"): none of the \(incomplete) calls of \(function) has a known duration; record longer, or with a larger buffer (-b)"
    case .nothingInCommon(let before, let after):
      func list(_ names: [String]) -> String {
        names.isEmpty
          ? "none"
          : names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
      }
      sentence =
        "no selected function is on both sides (before: \(list(before)); after: \(list(after))); choose others with -f"
    }
  }
}

/// A path as it may stand in a message: standard input by its name.
func displayed(_ path: String) -> String {
  path == "-" ? "standard input" : path
}
