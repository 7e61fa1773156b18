import Analysis
import Glibc
import TraceCapture

/// Why nothing was recorded: one sentence that says what to do, and the exit code.
struct RecordFailure: Error {
  var sentence: String
  var code = RecordStatus.failed

  init(_ error: CaptureError) {
    switch error {
    case .noTraceFS(nil):
      sentence =
        "tracefs is not mounted; as root: mount -t tracefs nodev /sys/kernel/tracing, or name another place with --tracefs"
    case .noTraceFS(let path?):
      sentence =
        geteuid() == 0
        ? "\(path): no tracefs there; mount it with `mount -t tracefs nodev \(path)`, or leave --tracefs out"
        : "\(path): no tracefs there that this user can see; run pinstat record as root (sudo)"
    case .noTracer(let available):
      sentence =
        "the kernel has no tracer function_graph (it has \(available.joined(separator: ", "))); boot one with CONFIG_FUNCTION_GRAPH_TRACER"
    case .tracerInUse(let tracer):
      sentence =
        "the tracer \(tracer) is in use by somebody else; wait for it to end, or stop it with `trace-cmd reset`"
    case .eventsInUse(let count):
      sentence =
        "\(count) event\(count == 1 ? " is" : "s are") enabled in the top buffer by somebody else, and this kernel has function_graph there only; wait, or stop it with `trace-cmd reset`"
    case .noClock(let clock, let available):
      sentence = "the kernel has no trace clock \(clock); it has \(available.joined(separator: ", "))"
    case .notTaken(let path, let wanted, let found):
      sentence =
        "\(path): it holds \(found) after \(wanted) was written; something else changes the tracer, try again"
    case .file(let error):
      sentence = Self.sentence(error)
    case .temporaryFile(let number):
      sentence = "a temporary file cannot be written (set TMPDIR): \(systemReason(number))"
    case .command(let name, let number):
      sentence = "\(name): the command cannot be executed: \(systemReason(number))"
      code = number == ENOENT ? RecordStatus.notFound : RecordStatus.notExecutable
    case .interrupted(let signal):
      sentence = "interrupted; the tracer is as it was before"
      code = 128 + signal
    case .notRestored(let failures):
      sentence =
        "not everything of tracefs could be put back as it was; `trace-cmd reset` does: "
        + failures.map { "\($0.path): \(systemReason($0.code))" }.joined(separator: "; ")
    }
  }

  private static func sentence(_ error: TracingFileError) -> String {
    let reason = systemReason(error.code)
    let what = error.value.map { value in
      let shown = value.split(separator: "\n").first.map(String.init) ?? ""
      return "\(error.path): the kernel does not take \"\(shown)\": \(reason)"
    }
    switch error.code {
    case EACCES:
      return
        "\(error.path): \(reason); recording needs root (CAP_DAC_OVERRIDE for the files of tracefs): run it with sudo"
    case EPERM:
      return
        "\(error.path): \(reason), even to root: the kernel is locked down (see /sys/kernel/security/lockdown), or a container or security module forbids tracing"
    case EBUSY:
      return "\(what ?? "\(error.path): \(reason)"); another uses it: wait, or stop it with `trace-cmd reset`"
    default:
      return what ?? "\(error.path): \(reason)"
    }
  }

  /// A function that the kernel does not let be traced, with the nearest that it does.
  init(untraceable pattern: FunctionPattern, _ symbols: Set<String>, kallsyms: String) {
    if pattern.isGlob {
      sentence =
        "no function that can be traced matches \(pattern.text); available_filter_functions lists them"
      return
    }
    let isThere = Self.isSymbol(pattern.text, in: kallsyms)
    var text =
      isThere
      ? "\(pattern.text) is in the kernel and cannot be traced: it is marked notrace, or is no function"
      : "the kernel has no function \(pattern.text) that can be traced"
    let nearest = nearestNames(to: pattern.text, among: symbols)
    if !nearest.isEmpty { text += "; nearest: \(nearest.joined(separator: ", "))" }
    let family = familyNames(of: pattern.text, among: symbols).filter { !nearest.contains($0) }
    if !family.isEmpty { text += "; of its family: \(family.joined(separator: ", "))" }
    if !isThere {
      text +=
        "; a static function may have been inlined by the compiler (trace its caller or a callee, or rebuild with noinline), and a module's is there once the module is loaded"
    }
    sentence = text
  }

  private static func isSymbol(_ name: String, in kallsyms: String) -> Bool {
    guard let file = fopen(kallsyms, "re") else { return false }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) >= 0 {
      // `ffffffff81000000 T name`, then a tab and the module.
      guard let text = line, let found = strstr(text, " \(name)") else { continue }
      let end = found[1 + name.utf8.count]
      if end == 0x0a || end == 0x09 || end == 0 { return true }
    }
    return false
  }
}
