import FunctionGraph
import Testing

@testable import TraceText

/// Task switches and interrupts among the lines of a text: read only where they were asked for, and nothing else changes.
@Suite struct TimeAwayLineTests {
  private static let softirq = InterruptSource.all.firstIndex { $0.name == "softirq" } ?? -1
  private static let timer = InterruptSource.all.firstIndex { $0.name == "local_timer" } ?? -1
  private static let handler = InterruptSource.all.firstIndex { $0.name == "irq_handler" } ?? -1

  static let lines: [(line: String, event: String?)] = [
    (
      "       trace-cmd-1545  [000]   471.897917: sched_switch:         trace-cmd:1545 [120] R ==> trace-cmd:1546 [120]",
      "switched 1545 => 1546 cpu=0 depth=-1 at=471897917000"
    ),
    (
      "       trace-cmd-1545  [001] d..2.  471.897917123: sched_switch:  a ==> b:7 [1]:12 [120] R ==> c:d [2]:13 [-1]",
      "switched 12 => 13 cpu=1 depth=-1 at=471897917123"
    ),
    (
      "       trace-cmd-1545  [000]   471.897917: sched_switch:          prev_comm=next_pid=9 prev_pid=1545 prev_prio=120 prev_state=0 next_comm=x prev_pid=3 next_pid=0 next_prio=120",
      "switched 1545 => 0 cpu=0 depth=-1 at=471897917000"
    ),
    (
      "         vfiomap-1547  [001]   471.900496: local_timer_entry:    vector=236",
      "interruptEntry \(timer) cpu=1 task=-1547 depth=-1 at=471900496000"
    ),
    (
      "inst1:   vfiomap-1547  [001]   471.900496: softirq_exit:    vec=9 [action=RCU]",
      "interruptExit \(softirq) buffer=inst1 cpu=1 task=-1547 depth=-1 at=471900496000"
    ),
    (
      "          <idle>-0     [002]   471.900496: irq_handler_entry:    irq=24 name=ahci[0000:00:1f.2]",
      "interruptEntry \(handler) cpu=2 task=-0 depth=-1 at=471900496000"
    ),
    (
      "   22.477172 |   0)               |  /* sched_switch: prev_comm=rcu_preempt prev_pid=15 prev_prio=120 prev_state=I ==> next_comm=swapper/0 next_pid=0 next_prio=120 */",
      "switched 15 => 0 cpu=0 depth=-1 at=22477172000"
    ),
    (
      "   22.480123 |   1)  dd-123       |               |  /* softirq_exit: vec=9 [action=RCU] */",
      "interruptExit \(softirq) cpu=1 task=-123 depth=-1 at=22480123000"
    ),
    (
      "   22.480123 |   1)   ==========> |",
      "interruptEntry \(InterruptSource.arrow) cpu=1 depth=-1 at=22480123000"
    ),
    (
      "   22.480123 |   1)   <========== |",
      "interruptExit \(InterruptSource.arrow) cpu=1 depth=-1 at=22480123000"
    ),
    // Without a time there is nothing to tell.
    (" 0)               |  /* local_timer_entry: vector=236 */", nil),
    (" 0)   ==========> |", nil),
    // Other events, and what only looks like these.
    ("         vfiomap-1547  [001]   471.900496: softirq_raise:    vec=9 [action=RCU]", nil),
    ("         vfiomap-1547  [001]   471.900496: sched_wakeup:     comm=sched_switch: pid=5", nil),
    ("   sched_switch:-1547  [001]   471.900496: sched_wakeup:     a:1 [120] S ==> b:2 [120]", nil),
    ("         vfiomap-1547  [001]   471.900496: my_local_timer_entry:  vector=236", nil),
    ("         vfiomap-1547  [001]   471.900496: sched_switch:  a:99999999999 [120] R ==> b:2 [120]", nil),
    ("         vfiomap-1547  [001]   471.900496: sched_switch:  ==> next_pid=", nil),
    ("   22.477172 |   0)               |  /* sched_switch: prev_pid=15 next_pid=0 */", nil),
  ]

  @Test(arguments: lines.indices)
  func lineTellsOfTimeAway(_ index: Int) throws {
    let (line, event) = Self.lines[index]
    let bytes = Array((line + "\n").utf8)
    #expect(try Reading(bytes, noticesTimeAway: true).lines == [event].compactMap { $0 })
    #expect(try Reading(bytes).lines.isEmpty)
  }

  /// Asked for or not, the calls and all else are the same.
  @Test(arguments: [
    "6.17-txt-events.tracefs.txt", "6.18-fmt-events.report.txt", "6.17-txt-multicpu-proc.tracefs.txt",
    "6.17-txt-trace_pipe.tracefs.txt", "patch-mail.txt",
  ])
  func nothingElseChanges(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    let plain = try Reading(bytes)
    let noticing = try Reading(bytes, noticesTimeAway: true)
    let others = noticing.lines.filter { !$0.hasPrefix("switched ") && !$0.hasPrefix("interrupt") }
    #expect(others == plain.lines)
    #expect(noticing.description == plain.description)
    #expect(noticing.diagnostics.counts == plain.diagnostics.counts)
    if name.hasSuffix(".report.txt") { #expect(noticing.events.count > plain.events.count + 200) }
  }
}
