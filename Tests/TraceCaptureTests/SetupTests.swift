import Foundation
import Glibc
import Testing

@testable import TraceCapture

/// What is set up in tracefs, and what is refused.
extension CaptureTests {
  @Suite struct Setup {
    private func start(
      _ state: TracefsState, _ request: CaptureRequest, _ body: (TraceCapture) throws -> Void
    ) throws {
      let folder = try Folder()
      let capture = try TraceCapture(
        FakeKernel(state, root: folder.path), journals: folder.path, kallsyms: "/dev/null")
      try capture.start(request)
      try body(capture)
      try capture.finish()
    }

    @Test func filterInAnInstance() throws {
      let state = TracefsState(tracesInInstances: true)
      try start(
        state, CaptureRequest(functions: ["vfs_read", "vfs_write"], bufferSize: 3 << 20, clock: "mono")
      ) { capture in
        let prefix = "instances/pinstat.\(getpid())/"
        #expect(capture.instance == "pinstat.\(getpid())")
        #expect(state.values[prefix + "current_tracer"] == "function_graph")
        #expect(state.values[prefix + "tracing_on"] == "0")
        #expect(state.values[prefix + "trace_clock"] == "mono")
        #expect(state.values[prefix + "buffer_size_kb"] == "3072")
        #expect(state.lists[prefix + "set_ftrace_filter"] == ["vfs_read", "vfs_write"])
        // Its own reading of the trace is kept out.
        #expect(state.lists[prefix + "set_ftrace_notrace_pid"]?.contains("\(getpid())") == true)
        // The top buffer is nobody's business.
        #expect(state.values["current_tracer"] == "nop")
        #expect(state.values["tracing_on"] == "1")
        #expect(state.lists["set_ftrace_filter"] == [])
      }
    }

    @Test func graphInTheTopBuffer() throws {
      let state = TracefsState(tracesInInstances: false)
      try start(state, CaptureRequest(functions: ["vfs_read"], hooks: .graph(levels: 3), scope: .descendants))
      {
        capture in
        #expect(capture.instance == "")
        #expect(state.instances.isEmpty)
        #expect(state.values["current_tracer"] == "function_graph")
        #expect(state.lists["set_ftrace_filter"] == [])
        #expect(state.lists["set_graph_function"] == ["vfs_read"])
        #expect(state.values["max_graph_depth"] == "3")
        #expect(state.values["options/function-fork"] == "1")
        #expect(state.lists["set_ftrace_notrace_pid"] == [])
      }
    }

    @Test func recordsOnlyWhileTheCommandRuns() throws {
      let state = TracefsState(tracesInInstances: true)
      try start(state, CaptureRequest(functions: ["vfs_read"], scope: .process)) { capture in
        let prefix = "instances/pinstat.\(getpid())/"
        let trace = try capture.record(["/bin/sh", "-c", "exit 7"], version: "test")
        #expect(trace.end == .command(.exited(7)))
        #expect(state.values[prefix + "tracing_on"] == "0")
        let first = state.lists[prefix + "set_ftrace_pid"]
        #expect(first?.count == 1)
        let second = try capture.record(["/bin/sh", "-c", "kill -KILL $$"], version: "test")
        #expect(second.end == .command(.signalled(SIGKILL)))
        #expect(state.lists[prefix + "set_ftrace_pid"]?.count == 1)
        #expect(state.lists[prefix + "set_ftrace_pid"] != first)
      }
    }

    @Test func durationEndsTheCommand() throws {
      let state = TracefsState(tracesInInstances: true)
      try start(state, CaptureRequest(functions: ["vfs_read"], duration: 0.2)) { capture in
        let begin = Date()
        let first = try capture.record(["/bin/sleep", "60"], version: "test")
        #expect(first.end == .duration)
        let second = try capture.record(nil, version: "test")
        #expect(second.end == .duration)
        #expect(Date().timeIntervalSince(begin) < 20)
      }
    }

    @Test func aCommandThatIsNotThere() throws {
      let state = TracefsState(tracesInInstances: true)
      try start(state, CaptureRequest(functions: ["vfs_read"])) { capture in
        #expect(throws: CaptureError.command("/no/such/program", ENOENT)) {
          try capture.record(["/no/such/program"], version: "test")
        }
        #expect(throws: CaptureError.command("/tmp", EACCES)) {
          try capture.record(["/tmp"], version: "test")
        }
      }
      #expect(state.instances.isEmpty)
    }

    @Test(arguments: [
      ("current_tracer", "function", CaptureError.tracerInUse(tracer: "function")),
      ("available_tracers", "function nop", CaptureError.noTracer(available: ["function", "nop"])),
    ]) func refusals(_ path: String, _ value: String, _ expected: CaptureError) throws {
      let state = TracefsState(tracesInInstances: false)
      state.values[path] = value
      let before = state.picture
      #expect(throws: expected) { try start(state, CaptureRequest(functions: ["vfs_read"])) { _ in } }
      #expect(state.picture == before)
    }

    @Test func refusesWhatOthersUse() throws {
      let state = TracefsState(tracesInInstances: false)
      state.lists["set_event"] = ["sched:sched_switch"]
      #expect(throws: CaptureError.eventsInUse(count: 1)) {
        try start(state, CaptureRequest(functions: ["vfs_read"])) { _ in }
      }
      #expect(throws: CaptureError.noClock("nanny", available: ["local", "global", "mono"])) {
        try start(state, CaptureRequest(functions: ["vfs_read"], clock: "nanny")) { _ in }
      }
      // In an instance of its own it would still change what the top buffer's tracer is to show.
      let shared = TracefsState(tracesInInstances: true)
      shared.values["current_tracer"] = "function_graph"
      #expect(throws: CaptureError.tracerInUse(tracer: "function_graph")) {
        try start(shared, CaptureRequest(functions: ["vfs_read"])) { _ in }
      }
      #expect(shared.instances.isEmpty)
    }

    @Test func traceableSymbols() {
      let list =
        "vfs_read\nvfio_pin_map_dma [vfio_iommu_type1]\n__ftrace_invalid_address___64\nfoo.isra.0\tx\n\n"
      #expect(
        TraceableFunctions(list: Array(list.utf8)).symbols == ["vfs_read", "vfio_pin_map_dma", "foo.isra.0"])
    }

    @Test(arguments: [
      Change("instances/pinstat.5", .noInstance), Change("a/b", .value("x\ty\\n\nz")),
      Change("a", .value("")),
      Change("set_ftrace_filter", .list([])), Change("set_ftrace_filter", .list(["a:mod:b", "c"])),
    ]) func journalLines(_ change: Change) {
      #expect(!change.line.contains("\n"))
      #expect(Change(line: change.line[...]) == change)
    }
  }
}
