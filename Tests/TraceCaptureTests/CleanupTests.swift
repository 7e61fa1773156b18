import Foundation
import Glibc
import Testing

@testable import TraceCapture

/// Whatever happens at whichever step, tracefs is afterwards as it was before: at once, or where the process was killed
/// after the next one has begun.
extension CaptureTests {
  @Suite struct Cleanup {
    /// What somebody may have left set, besides the kernel's defaults.
    enum Before: String, CaseIterable {
      case untouched, inUse
    }

    struct Situation: CustomTestStringConvertible {
      var tracesInInstances: Bool
      var hooks: CaptureRequest.Hooks
      var before: Before
      var scope = CaptureRequest.Scope.system

      var testDescription: String {
        "\(tracesInInstances ? "instance" : "top buffer"), \(hooks), \(before), \(scope)"
      }

      func state() -> TracefsState {
        let state = TracefsState(tracesInInstances: tracesInInstances)
        if before == .inUse {
          state.lists["set_ftrace_filter"] = ["vfs_write", "do_x:mod:some_module"]
          state.lists["set_ftrace_notrace"] = ["vfs_read"]
          state.lists["set_graph_function"] = ["vfs_write"]
          state.lists["set_graph_notrace"] = ["vfs_read"]
          state.lists["set_ftrace_pid"] = ["1", "17"]
          state.values["max_graph_depth"] = "3"
          state.values["tracing_thresh"] = "100"
          state.values["trace_clock"] = "global"
          state.values["tracing_on"] = "0"
          state.values["options/function-fork"] = "1"
          state.values["options/sleep-time"] = "0"
          state.values["per_cpu/cpu1/buffer_size_kb"] = "64"
        }
        return state
      }
    }

    static let situations: [Situation] = [true, false].flatMap { instances in
      Before.allCases.flatMap { before in
        [
          Situation(tracesInInstances: instances, hooks: .functions, before: before),
          Situation(
            tracesInInstances: instances, hooks: .graph(levels: 2), before: before, scope: .descendants),
        ]
      }
    }

    private struct Outcome {
      var error: CaptureError?
      /// The steps that were tried.
      var steps = 0
      var wasInterrupted = false
    }

    /// A capture, as far as it gets: of two runs where each run changes something.
    private func capture(
      _ situation: Situation, _ state: TracefsState, _ folder: Folder, _ fault: FakeKernel.Fault,
      records: Bool = true
    ) -> Outcome {
      let kernel = FakeKernel(state, root: folder.path, fault)
      var outcome = Outcome()
      do throws(CaptureError) {
        let capture = try TraceCapture(kernel, journals: folder.path, kallsyms: "/dev/null")
        try capture.start(
          CaptureRequest(
            functions: ["vfs_read"], hooks: situation.hooks, scope: situation.scope, bufferSize: 1 << 20,
            clock: "mono"))
        for _ in 0..<(records ? situation.scope == .system ? 1 : 2 : 0) where !outcome.wasInterrupted {
          let trace = try capture.record(["/bin/true"], version: "test")
          outcome.wasInterrupted = trace.interruption != nil
        }
        try capture.finish()
        outcome.wasInterrupted = outcome.wasInterrupted || capture.interruption != nil
      } catch {
        outcome.error = error
        if case .interrupted = error { outcome.wasInterrupted = true }
      }
      outcome.steps = kernel.steps
      return outcome
    }

    private func demandSame(
      _ state: TracefsState, _ before: [String: String], _ folder: Folder,
      _ comment: @autoclosure () -> String
    ) {
      let after = state.picture
      for path in Set(before.keys).union(after.keys) where before[path] != after[path] {
        Issue.record("\(comment()): \(path) was \(before[path] ?? "missing"), is \(after[path] ?? "missing")")
      }
      #expect(folder.journals.isEmpty, "\(comment())")
    }

    @Test(arguments: situations) func whenAllGoesWell(_ situation: Situation) throws {
      let folder = try Folder()
      let state = situation.state()
      let before = state.picture
      let outcome = capture(situation, state, folder, .none)
      #expect(outcome.error == nil)
      #expect(outcome.steps > 10)
      demandSame(state, before, folder, "\(situation)")
    }

    @Test(arguments: situations) func whenAStepIsRefused(_ situation: Situation) throws {
      try everyStep(situation) { .refuse($0, EBUSY) }
    }

    @Test(arguments: situations, [true, false]) func whenKilled(_ situation: Situation, behind: Bool) throws {
      try everyStep(situation) { .killed($0, behind: behind) }
    }

    @Test(arguments: situations, [SIGTERM]) func whenSignalled(
      _ situation: Situation, _ signal: Int32
    )
      throws
    {
      try everyStep(situation, isCleanAtOnce: true) { .signal($0, signal) }
    }

    private func everyStep(
      _ situation: Situation, isCleanAtOnce: Bool = false, _ fault: (Int) -> FakeKernel.Fault
    ) throws {
      let count = capture(situation, situation.state(), try Folder(), .none).steps
      var failures = 0
      for step in 1...count {
        let folder = try Folder()
        let state = situation.state()
        let before = state.picture
        let outcome = capture(situation, state, folder, fault(step))
        if outcome.error != nil { failures += 1 }
        let comment = "step \(step) of \(count), \(outcome.error.map { "\($0)" } ?? "no error")"
        if isCleanAtOnce { #expect(outcome.wasInterrupted, "\(comment)") }
        if case .killed = fault(step) {} else { demandSame(state, before, folder, comment) }
        // The next one, which finds what is left, and goes about its own work.
        // A program that another test starts at this moment holds the journal's lock, too, until it has become itself.
        var next = capture(situation, state, folder, .none, records: false)
        for _ in 0..<100 where !folder.journals.isEmpty {
          usleep(20_000)
          next = capture(situation, state, folder, .none, records: false)
        }
        #expect(next.error == nil, "step \(step) of \(count)")
        demandSame(state, before, folder, "after the one that follows step \(step) of \(count)")
      }
      // A test that goes through steps at which nothing happens tests nothing.
      if !isCleanAtOnce { #expect(failures > 5) }
    }

    @Test(arguments: situations) func whenItCannotBePutBack(_ situation: Situation) throws {
      let folder = try Folder()
      let state = situation.state()
      let before = state.picture
      // Taken when it is set, which is early, and refused when it is to be put back.
      let name = situation.tracesInInstances ? "pinstat.\(getpid())" : "buffer_size_kb"
      let outcome = capture(situation, state, folder, .refuseAll(name, after: 10))
      guard case .notRestored(let failures) = outcome.error else {
        Issue.record("\(outcome.error.map { "\($0)" } ?? "no error")")
        return
      }
      #expect(!failures.isEmpty && failures.allSatisfy { $0.code == EIO })
      #expect(state.picture != before)
      #expect(folder.journals.count == 1)
      #expect(capture(situation, state, folder, .none, records: false).error == nil)
      demandSame(state, before, folder, "by the next")
    }

    @Test func aLivingCaptureIsLeftAlone() throws {
      let folder = try Folder()
      let state = TracefsState(tracesInInstances: true)
      // A journal that somebody holds.
      let path = "\(folder.path)/record.1"
      try "pinstat journal 1\t\(folder.path)\nvalue\tmax_graph_depth\t7\n".write(
        toFile: path, atomically: false, encoding: .utf8)
      let descriptor = open(path, O_RDONLY)
      defer { close(descriptor) }
      #expect(flock(descriptor, LOCK_EX) == 0)
      _ = try TraceCapture(FakeKernel(state, root: folder.path), journals: folder.path, kallsyms: "/dev/null")
      #expect(state.values["max_graph_depth"] == "0")
      #expect(folder.journals == ["record.1"])
      flock(descriptor, LOCK_UN)
      let second = try TraceCapture(
        FakeKernel(state, root: folder.path), journals: folder.path, kallsyms: "/dev/null")
      #expect(second.recovered == ["max_graph_depth"])
      #expect(state.values["max_graph_depth"] == "7")
      #expect(folder.journals.isEmpty)
    }

    @Test func journalsOfOtherTreesAndCutLinesAreLeftAlone() throws {
      let folder = try Folder()
      let state = TracefsState(tracesInInstances: true)
      let other = "pinstat journal 1\t/proc\nvalue\tmax_graph_depth\t7\n"
      try other.write(toFile: "\(folder.path)/record.1", atomically: false, encoding: .utf8)
      let cut =
        "pinstat journal 1\t\(folder.path)\nvalue\t/etc/passwd\t7\nvalue\t../x\t7\nvalue\tmax_graph_depth\t7"
      try cut.write(toFile: "\(folder.path)/record.2", atomically: false, encoding: .utf8)
      let capture = try TraceCapture(
        FakeKernel(state, root: folder.path), journals: folder.path, kallsyms: "/dev/null")
      #expect(capture.recovered.isEmpty)
      #expect(state.values["max_graph_depth"] == "0")
      #expect(folder.journals == ["record.1"])
    }

    @Test func anInstanceWithoutAJournalIsRemovedWhenItsProcessIsGone() throws {
      let folder = try Folder()
      let state = TracefsState(tracesInInstances: true)
      let kernel = FakeKernel(state, root: folder.path)
      // Above the largest number that the kernel gives (PID_MAX_LIMIT).
      for name in ["pinstat.4194305", "pinstat.1", "mine", "pinstat.x"] { try kernel.makeInstance(name) }
      let capture = try TraceCapture(kernel, journals: folder.path, kallsyms: "/dev/null")
      #expect(capture.recovered == ["instances/pinstat.4194305"])
      #expect(state.instances == ["pinstat.1", "mine", "pinstat.x"])
    }
  }
}

/// A temporary folder, for journals.
final class Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "pinstat-capture-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var journals: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasPrefix("record.") }
      .sorted()
  }
}
