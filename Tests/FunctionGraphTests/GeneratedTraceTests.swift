import FunctionGraph
import Testing

@Suite("Random traces of which the truth is known")
struct GeneratedTraceTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    var tasks: GeneratedTrace.Tasks
    var namesExits: Bool
    var testDescription: String { "\(tasks), exits \(namesExits ? "named" : "unnamed")" }

    static let all = [
      Setting(tasks: .named, namesExits: true), Setting(tasks: .named, namesExits: false),
      Setting(tasks: .bySwitches, namesExits: true), Setting(tasks: .bySwitches, namesExits: false),
    ]
  }

  private func built(_ events: [Event], in batch: Int = .max) -> (calls: [Call], paths: CallPaths) {
    var builder = CallBuilder(tracksPaths: true)
    let calls = builder.calls(of: events, in: batch)
    return (calls, builder.paths)
  }

  @Test("Whole traces come out as they are", arguments: Setting.all, UInt64(1)...6)
  func whole(_ setting: Setting, seed: UInt64) {
    let trace = GeneratedTrace(seed: seed, tasks: setting.tasks, namesExits: setting.namesExits)
    let (calls, paths) = built(trace.events, in: 1 + Int(seed) * 7)
    #expect(trace.calls.count > 1_000)
    #expect(trace.calls.contains { $0.depth > 4 })
    #expect(calls.allSatisfy { $0.status == .complete })
    let found = calls.map { call in
      GeneratedTrace.TrueCall(
        entry: call.timestamp.value, duration: call.duration ?? -1, selfTime: call.selfTime ?? .min,
        depth: call.depth, pid: call.pid, cpu: call.cpu, path: paths.functions(call.path))
    }
    #expect(found == trace.calls)
  }

  @Test("Moves between CPUs inside calls do happen in these traces")
  func moves() {
    let trace = GeneratedTrace(seed: 1, tasks: .named, namesExits: true)
    var cpuOfEntry: [UInt64: Int32] = [:]
    for (event, owner) in zip(trace.events, trace.owners) where event.kind == .entry {
      cpuOfEntry[owner] = event.cpu
    }
    #expect(
      trace.calls.filter { cpuOfEntry[$0.entry].map { [cpu = $0.cpu] in $0 != cpu } ?? false }.count > 100)
  }

  @Test(
    "With records missing, every call that has both of its own is complete with its own duration",
    arguments: Setting.all, UInt64(1)...6)
  func withoutSomeRecords(_ setting: Setting, seed: UInt64) {
    let trace = GeneratedTrace(seed: seed, tasks: setting.tasks, namesExits: setting.namesExits)
    var random = TestGenerator(state: seed &* 77)
    var kept: [Event] = []
    var isTouched: Set<UInt64> = []
    for (event, owner) in zip(trace.events, trace.owners) {
      if event.kind != .taskSwitch, random.chance(12) { isTouched.insert(owner) } else { kept.append(event) }
    }
    let whole = trace.calls.filter { !isTouched.contains($0.entry) }
    #expect(whole.count > 700)
    #expect(isTouched.count > 200)
    let calls = built(kept).calls
    let byEntry = Dictionary(
      calls.filter { $0.timestamp.unit != .none }.map { ($0.timestamp.value, $0) },
      uniquingKeysWith: { a, _ in a })
    for truth in whole {
      let call = byEntry[truth.entry]
      #expect(call?.status == .complete)
      #expect(call?.duration == truth.duration)
      #expect(call?.depth == truth.depth)
      #expect(call?.pid == truth.pid)
      #expect(call?.function == truth.path.last)
    }
    // No duration is made up or given twice.
    let exits = kept.filter { $0.kind != .entry && $0.kind != .taskSwitch }.compactMap(\.duration)
    #expect(calls.compactMap(\.duration).sorted() == exits.sorted())
    // And no entry is.
    let entries = kept.filter { $0.kind == .entry || $0.kind == .leaf }.map(\.timestamp.value)
    #expect(calls.filter { $0.timestamp.unit != .none }.map(\.timestamp.value).sorted() == entries.sorted())
  }

  @Test("With entries missing, self time is right or not given", arguments: [true, false], UInt64(1)...6)
  func selfTimeWithoutSomeEntries(namesExits: Bool, seed: UInt64) {
    let trace = GeneratedTrace(seed: seed, tasks: .named, namesExits: namesExits)
    var random = TestGenerator(state: seed &* 131)
    var kept: [Event] = []
    for event in trace.events where event.kind != .entry || !random.chance(10) { kept.append(event) }
    let truths = Dictionary(uniqueKeysWithValues: trace.calls.map { ($0.entry, $0) })
    let calls = built(kept).calls.filter { $0.status == .complete }
    var given = 0
    for call in calls {
      guard let selfTime = call.selfTime else { continue }
      given += 1
      #expect(selfTime == truths[call.timestamp.value]?.selfTime)
    }
    // Most are given: one missing entry leaves its caller's self time known.
    #expect(Double(given) > 0.9 * Double(calls.count))
  }
}
