import Foundation
import Testing

/// `pinstat record` as a user runs it, on a directory that stands for tracefs and holds a real capture's pages.
@Suite struct RecordTests {
  static let capture = "6.18-fmt-v6-stripped.dat"

  @Test func keptTraceIsReadAsTheCaptureIs() throws {
    let tracefs = try FakeTracefs(Self.capture)
    let kept = tracefs.folder.path + "/kept.dat"
    let before = try tracefs.picture()
    let outcome = try Tool.run(tracefs.arguments + ["-o", kept, "--", "echo", "hello"])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output == "hello\n", "standard output is the command's")
    #expect(outcome.error.contains("vfio_pin_map_dma      2 "))
    #expect(try tracefs.picture() == before)

    // By trace-cmd: text and raw numbers.
    for flags in [[], ["-R"], ["-l", "-t"]] {
      let ours = try Tool.launch("/usr/bin/env", ["trace-cmd", "report"] + flags + [kept])
      let theirs = try Tool.launch(
        "/usr/bin/env", ["trace-cmd", "report"] + flags + [Tool.fixture(Self.capture)])
      #expect(ours.status == 0 && ours.error == theirs.error, "\(ours.error)")
      #expect(ours.output.split(separator: "\n").count > 300)
      #expect(ours.output == theirs.output)
    }
    // And by pinstat itself.
    let ours = try Tool.run("export", "--all-functions", kept)
    let theirs = try Tool.run("export", "--all-functions", Tool.fixture(Self.capture))
    #expect(parseCSV(ours.output).count > 100)
    #expect(parseCSV(ours.output).map { $0.dropFirst() } == parseCSV(theirs.output).map { $0.dropFirst() })
  }

  @Test func rowsOfSeveralRuns() throws {
    let tracefs = try FakeTracefs(Self.capture)
    let kept = tracefs.folder.path + "/kept.csv"
    let outcome = try Tool.run(tracefs.arguments + ["--runs", "3", "-q", "-o", kept, "--", "true"])
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let rows = records(try String(contentsOfFile: kept, encoding: .utf8))
    let original = records(try Tool.run("export", Tool.fixture(Self.capture)).output)
    #expect(original.count > 0 && rows.count == 3 * original.count)
    #expect(Set(rows.compactMap { $0["trace"] }) == ["run 1", "run 2", "run 3"])
    #expect(rows.prefix(original.count).map { $0["duration_us"] } == original.map { $0["duration_us"] })
  }

  @Test func twoCommandsAreInterleavedAndCompared() throws {
    let tracefs = try FakeTracefs(Self.capture)
    let kept = tracefs.folder.path + "/kept.dat"
    let outcome = try Tool.run(
      tracefs.arguments + [
        "--runs", "10", "--report", "-", "--format", "json", "-o", kept, "--", "sh", "-c", "printf A >&2",
        "--", "sh",
        "-c", "printf B >&2",
      ])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.error == String(repeating: "AB", count: 10))
    #expect(
      outcome.output.contains("\"schema\" : \"pinstat/comparison/1\"")
        || outcome.output.contains("comparison"))
    let names = try tracefs.folder.entries.filter { $0.hasPrefix("kept") }
    #expect(names.count == 20)
    #expect(names.contains("kept-before-01.dat") && names.contains("kept-after-10.dat"))
  }

  @Test(
    arguments: [
      (["sh", "-c", "exit 3"], 3), (["sh", "-c", "kill -KILL $$"], 137), (["/no/such/program"], 127),
      (["/tmp"], 126),
      (["true"], 0),
    ] as [([String], Int32)])
  func exitCode(_ command: [String], _ code: Int32) throws {
    let tracefs = try FakeTracefs(Self.capture)
    let before = try tracefs.picture()
    let outcome = try Tool.run(tracefs.arguments + ["--"] + command)
    #expect(outcome.status == code && !outcome.wasSignalled, "\(outcome.error)")
    #expect(try tracefs.picture() == before)
  }

  /// A signal to pinstat alone: the command gets it too, and nothing of the tracer is left.
  @Test(arguments: [("INT", 130), ("TERM", 143), ("HUP", 129)] as [(String, Int32)])
  func signalWhileTheCommandRuns(_ signal: String, _ code: Int32) throws {
    let tracefs = try FakeTracefs(Self.capture)
    let before = try tracefs.picture()
    // Job control, since a shell's background jobs ignore SIGINT otherwise.
    let outcome = try Tool.shell(
      """
      set -m; pinstat \(tracefs.arguments.joined(separator: " ")) -- sh -c 'echo $$ > \(tracefs.folder.path)/pid; exec sleep 60' & job=$!
      while kill -0 $job && [ ! -s \(tracefs.folder.path)/pid ]; do sleep 0.02; done; cat \(tracefs.path)/current_tracer
      kill -\(signal) $job; wait $job; echo " $?"
      """)
    #expect(outcome.output == "function_graph \(code)\n", "\(outcome.error)")
    #expect(try tracefs.picture() == before)
    let child = try String(contentsOfFile: tracefs.folder.path + "/pid", encoding: .utf8)
    let number = try #require(Int32(child.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(kill(number, 0) != 0, "the command has ended too")
  }

  @Test func killedAndCleanedUpByTheNext() throws {
    let tracefs = try FakeTracefs(Self.capture)
    try tracefs.set("set_ftrace_filter", "vfs_write\n")
    try tracefs.set("max_graph_depth", "5\n")
    let before = try tracefs.picture()
    let outcome = try Tool.shell(
      """
      pinstat \(tracefs.arguments.joined(separator: " ")) -- sh -c 'echo $$ > \(tracefs.folder.path)/pid; exec sleep 60' & job=$!
      while kill -0 $job && [ ! -s \(tracefs.folder.path)/pid ]; do sleep 0.02; done; kill -KILL $job; wait $job; echo "$?"
      kill -KILL $(cat \(tracefs.folder.path)/pid)
      """)
    #expect(outcome.output == "137\n")
    #expect(try tracefs.picture() != before, "there is something to put back")
    let next = try Tool.run(tracefs.arguments + ["-f", "vfs_raed", "--", "true"])
    #expect(next.status == 125)
    #expect(next.error.contains("put back what a recording that was killed had left"))
    #expect(next.error.contains("set_ftrace_filter"))
    #expect(try tracefs.picture() == before)
  }

  @Test(
    arguments: [
      (["-f", "vfs_raed"], "nearest: vfs_read"), (["-f", "nothing_like*"], "matches nothing_like*"),
      (["--clock", "nanny"], "no trace clock nanny; it has local, global, counter, mono"),
      (["-o", "/no/such/folder/t.dat"], "/no/such/folder/t.dat: cannot be written"),
      (["--tracefs", "/proc"], "/proc: no tracefs there"),
    ] as [([String], String)])
  func refusal(_ options: [String], _ expected: String) throws {
    let tracefs = try FakeTracefs(Self.capture)
    let before = try tracefs.picture()
    let outcome = try Tool.run(tracefs.arguments + options + ["--", "sh", "-c", "echo ran"])
    #expect(outcome.status == 125)
    #expect(outcome.output.isEmpty, "nothing was run")
    #expect(outcome.error.contains(expected), "\(outcome.error)")
    #expect(try tracefs.picture() == before)
  }

  @Test(arguments: [
    ("current_tracer", "function\n", "the tracer function is in use"),
    ("available_tracers", "blk nop\n", "no tracer function_graph (it has blk, nop)"),
    ("set_event", "sched:sched_switch\n", "1 event is enabled"),
  ]) func kernelThatCannot(_ file: String, _ text: String, _ expected: String) throws {
    let tracefs = try FakeTracefs(Self.capture)
    try tracefs.set(file, text)
    let before = try tracefs.picture()
    let outcome = try Tool.run(tracefs.arguments + ["--", "true"])
    #expect(outcome.status == 125)
    #expect(outcome.error.contains(expected), "\(outcome.error)")
    #expect(try tracefs.picture() == before)
  }

  @Test func aFunctionThatWasNotCalled() throws {
    let tracefs = try FakeTracefs(Self.capture)
    let outcome = try Tool.run(tracefs.arguments + ["-f", "vfs_write", "--", "true"])
    #expect(outcome.status == 125)
    #expect(outcome.error.contains("vfs_write was not called while the command ran"))
    #expect(try Tool.run(tracefs.arguments + ["-f", "vfs_write", "--", "sh", "-c", "exit 4"]).status == 4)
  }

  @Test(arguments: [
    [], ["--", "true", "--"], ["--", "a", "--", "b", "--", "c"], ["--pid", "--children", "--", "true"],
    ["--duration", "0", "--", "true"], ["--runs", "0", "--", "true"], ["--pid", "--duration", "1s"],
    ["--format", "commit", "--", "true"], ["--recorded", "graph", "--", "true"],
  ]) func usage(_ options: [String]) throws {
    let outcome = try Tool.run(["record"] + options)
    #expect(outcome.status == 64, "\(outcome.error)")
  }
}
