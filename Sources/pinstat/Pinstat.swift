import ArgumentParser
import Glibc
import Reports

@main
struct Pinstat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pinstat",
    abstract: "Statistics of ftrace function-graph durations.",
    discussion: """
      Reads trace.dat, `trace-cmd report`, and the text of tracefs and perf ftrace, whole or pasted into a mail.

      EXAMPLES
        pinstat analyze trace.dat
        pinstat analyze -f 'vfio_*' --format csv trace.dat > durations.csv
        pinstat compare before.dat after.dat
        pinstat compare --before old*.dat --after new*.dat --max-slowdown 5%
        pinstat compare mail.txt            # one text with "Before:" and "After:"
        pinstat export --all-functions trace.dat | head
        pinstat export --all-functions --format chrome -o trace.json trace.dat
        pinstat merge -o fleet.json hosts/*.json
        pinstat model --size 8G --page-size 2M
        sudo pinstat record -f vfs_read -- cat /etc/hostname
        ssh host sudo cat /sys/kernel/tracing/trace | pinstat analyze -

      EXIT CODES
        0   done; with a gate, it holds
        1   compare: a gate fails
        2   the input failed, or the output could not be written
        3   compare: the data cannot decide a gate
        64  wrong usage
        record ends as its command does, or with 125
      """,
    version: "pinstat \(pinstatVersion)",
    subcommands: [
      AnalyzeCommand.self, CompareCommand.self, ExportCommand.self, MergeCommand.self, ModelCommand.self,
      RecordCommand.self,
    ])

  static func main() {
    takeSignals()
    if let objection = AddressSpace.objection {
      say(objection)
      Glibc.exit(ExitStatus.inputFailed)
    }
    let arguments = Array(CommandLine.arguments.dropFirst())
    // Asked by scripts before each use: the parser takes a third of a run that does nothing else.
    if arguments == ["--version"] { answer(configuration.version) }
    _ = ahead
    do {
      var command = try subcommand(of: arguments) ?? parseAsRoot(arguments)
      try command.run()
    } catch let code as ExitCode {
      // Without a look through the commands for a message that there is not.
      Glibc.exit(code.rawValue)
    } catch {
      // Help, the version, a completion script: text that somebody asked for, and may send to a full disk.
      let text = fullMessage(for: error)
      if exitCode(for: error).isSuccess, !text.isEmpty { answer(text) }
      exit(withError: error)
    }
  }

  private static func answer(_ text: String) -> Never {
    Glibc.exit(writeReport(to: .to(nil, quiet: true)) { Array((text + "\n").utf8) })
  }

  /// The command that `arguments` ask for, parsed without all the others, which a short run would notice. Nil where they ask for something else or are wrong, of which `main` knows more to say.
  private static func subcommand(of arguments: [String]) -> (any ParsableCommand)? {
    guard let name = arguments.first,
      let type = configuration.subcommands.first(where: { $0.configuration.commandName == name }),
      let command = try? type.parseAsRoot(Array(arguments.dropFirst())), Swift.type(of: command) == type
    else { return nil }
    return command
  }

  /// The commands' `_superCommandName`, which the parser documents for `git-log` and its like: it does not look, in
  /// a parse of its own, for a request of completion scripts then (a million instructions of 37 for a small file).
  /// `Pinstat` as a whole still knows that request.
  static let superCommand = "pinstat"

  /// Whoever started this may have had signals blocked, as the threads of a thread pool have: they would end nothing here.
  private static func takeSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    sigprocmask(SIG_UNBLOCK, &signals, nil)
  }
}
