import Testing

@testable import FunctionGraph

/// Time off the CPU and in interrupts inside calls: what a call had of it, by hand.
@Suite struct TimeAwayTests {
  /// `name off=... irq=...` a call, in the order of their ends; `-` where it cannot be told.
  private func times(_ script: String, batch: Int = .max) -> [String] {
    let script = Script(script)
    var builder = CallBuilder(tracksPaths: true)
    return builder.calls(of: script.events, in: batch).map { call in
      let name = script.functions[call.function].symbol
      return
        "\(name) off=\(call.offCPU.map(String.init) ?? "-") irq=\(call.interrupts.map(String.init) ?? "-")"
    }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var script: String
    var expected: [String]

    init(_ name: String, _ script: String, _ expected: [String]) {
      (testDescription, self.script, self.expected) = (name, script, expected)
    }
  }

  static let cases = [
    Case(
      "sleep counts for every call around it, and for none beside it",
      """
      c0 p1 t10 > outer 0
      c0 p1 t20 > sleeps 1
      c0 t30 / 1 0
      c0 t75 / 0 1
      c0 p1 t80 < sleeps 1 60
      c0 p1 t82 > works 1
      c0 p1 t90 < works 1 8
      c0 p1 t100 < outer 0 90
      """, ["sleeps off=45 irq=0", "works off=0 irq=0", "outer off=45 irq=0"]),
    Case(
      "away on one CPU, back on another, twice",
      """
      c0 p1 t10 > a 0
      c0 t20 / 1 2
      c1 t50 / 0 1
      c1 t60 / 1 0
      c0 t61 / 2 1
      c0 p1 t70 < a 0 60
      """, ["a off=31 irq=0"]),
    Case(
      "what runs between the record of the switch and the switch is neither away nor broken",
      """
      c0 p1 t10 > a 0
      c0 t20 / 1 2
      c0 p1 t22 > after_record 1
      c0 p1 t25 < after_record 1 3
      c0 t50 / 2 1
      c0 p1 t70 < a 0 60
      """, ["after_record off=0 irq=0", "a off=30 irq=0"]),
    Case(
      "another task's sleep is not this one's",
      """
      c0 p1 t10 > a 0
      c1 p2 t11 > b 0
      c1 t20 / 2 0
      c1 t40 / 0 2
      c1 p2 t60 < b 0 49
      c0 p1 t70 < a 0 60
      """, ["b off=20 irq=0", "a off=0 irq=0"]),
    Case(
      "only the outermost interrupts inside a call count",
      """
      c0 p1 t10 > a 0
      c0 p1 t20 ( 3
      c0 p1 t24 ( 0
      c0 p1 t26 ) 0
      c0 p1 t30 ) 3
      c0 p1 t31 ( 1
      c0 p1 t36 ) 1
      c0 p1 t70 < a 0 60
      """, ["a off=0 irq=15"]),
    Case(
      "a function of an interrupt has what interrupts it, not the interrupt that it is part of",
      """
      c0 p1 t10 > a 0
      c0 p1 t20 > handler 1
      c0 p1 t21 ( 1
      c0 p1 t22 > inside 2
      c0 p1 t24 ( 3
      c0 p1 t28 ) 3
      c0 p1 t29 < inside 2 7
      c0 p1 t30 ) 1
      c0 p1 t31 < handler 1 11
      c0 p1 t70 < a 0 60
      """, ["inside off=0 irq=4", "handler off=0 irq=9", "a off=0 irq=9"]),
    Case(
      "another CPU's interrupts are not this task's, also of the idle tasks, which share a number",
      """
      c0 p0 t10 > a 0
      c1 p0 t20 ( 3
      c1 p0 t24 ) 3
      c0 p0 t70 < a 0 60
      """, ["a off=0 irq=0"]),
    Case(
      "losses inside: not known, and known again behind",
      """
      c0 p1 t10 > a 0
      c0 p1 t20 ( 3
      c0 ! 5
      c0 p1 t40 > b 1
      c0 p1 t50 ( 3
      c0 p1 t52 ) 3
      c0 p1 t60 < b 1 20
      c0 p1 t70 < a 0 60
      """, ["b off=0 irq=2", "a off=- irq=-"]),
    Case(
      "the record of a return is missing",
      """
      c0 p1 t10 > a 0
      c0 t20 / 1 0
      c0 p1 t70 < a 0 60
      c0 p1 t80 > b 0
      c0 p1 t90 < b 0 10
      """, ["a off=- irq=0", "b off=0 irq=0"]),
    Case(
      "the record of a leaving is missing",
      """
      c0 p1 t10 > a 0
      c0 t20 / 0 1
      c0 p1 t30 > b 1
      c0 p1 t40 < b 1 10
      c0 p1 t70 < a 0 60
      """, ["b off=0 irq=0", "a off=- irq=0"]),
    Case(
      "the end of an interrupt is missing",
      """
      c0 p1 t10 > a 0
      c0 p1 t20 ( 3
      c0 t30 / 1 2
      c0 t40 / 2 1
      c0 p1 t70 < a 0 60
      """, ["a off=10 irq=-"]),
    Case(
      "the beginning of an interrupt is missing",
      """
      c0 p1 t10 > a 0
      c0 p1 t20 ) 3
      c0 p1 t70 < a 0 60
      """, ["a off=0 irq=-"]),
    Case(
      "an exit closes no other interrupt's entry",
      """
      c0 p1 t10 > a 0
      c0 p1 t20 ( 3
      c0 p1 t25 ( 4
      c0 p1 t30 ) 3
      c0 p1 t70 < a 0 60
      """, ["a off=0 irq=-"]),
    Case(
      "calls that are not whole, and calls without times",
      """
      c0 p1 t70 < a 0 60
      c0 p1 > b 0
      c0 p1 < b 0 5
      c0 p1 t75 = leaf 0 5
      c0 p1 = leaf 0 5
      c0 p1 t80 > c 0
      """,
      ["a off=- irq=-", "b off=- irq=-", "leaf off=0 irq=0", "leaf off=- irq=-", "c off=- irq=-"]),
    Case(
      "text that names tasks at their switches only",
      """
      c0 t10 > a 0
      c0 t12 ( 3
      c0 t14 ) 3
      c0 t20 / 1 2
      c0 ~ 1 2
      c0 t30 / 2 1
      c0 ~ 2 1
      c0 t70 < a 0 60
      """, ["a off=10 irq=2"]),
    Case(
      "more interrupts at once than any machine has",
      "c0 p1 t10 > a 0\n" + (0..<12).map { "c0 p1 t\(20 + $0) ( \($0)\n" }.joined()
        + (0..<12).map { "c0 p1 t\(40 + $0) ) \(11 - $0)\n" }.joined() + "c0 p1 t70 < a 0 60\n",
      ["a off=0 irq=-"]),
  ]

  @Test(arguments: cases, [1, 3, .max])
  func callsKnowWhatLayInside(_ test: Case, batch: Int) {
    #expect(times(test.script, batch: batch) == test.expected)
  }

  /// Totals against intervals: every call held against every interval of its task, over random traces.
  @Test(arguments: 0..<40)
  func totalsAreSumsOverIntervals(_ seed: UInt64) throws {
    var random = TestGenerator(state: seed)
    var script = ""
    var time: UInt64 = 1_000
    // One task on one CPU, away now and then; interrupts nest.
    var calls: [(name: Int, entry: UInt64)] = []
    var interrupts: [(source: Int, start: UInt64, calls: Int)] = []
    var away: [(UInt64, UInt64)] = []
    var interrupted: [(UInt64, UInt64)] = []
    var expected: [String] = []
    func end(_ call: (name: Int, entry: UInt64), at exit: UInt64) {
      let off = away.filter { call.entry <= $0.0 && $0.1 <= exit }.reduce(0) { $0 + $1.1 - $1.0 }
      let inside = interrupted.filter { call.entry <= $0.0 && $0.1 <= exit }
      let outermost = inside.filter { one in
        !inside.contains { $0 != one && $0.0 <= one.0 && one.1 <= $0.1 }
      }
      expected.append("f\(call.name) off=\(off) irq=\(outermost.reduce(0) { $0 + $1.1 - $1.0 })")
    }
    var name = 0
    for step in 0..<400 {
      time += UInt64(1 + random.roll(50))
      let isLast = step > 380
      switch random.roll(5) {
      case 0,
        1 where !isLast && calls.count < 10:
        script += "c0 p1 t\(time) > f\(name) \(calls.count)\n"
        calls.append((name, time))
        name += 1
      case 2 where !isLast && interrupts.count < 5:
        let source = random.roll(3)
        script += "c0 p1 t\(time) ( \(source)\n"
        interrupts.append((source, time, calls.count))
      case 3 where !isLast && interrupts.isEmpty:
        script += "c0 t\(time) / 1 0\n"
        let start = time
        time += UInt64(1 + random.roll(500))
        script += "c0 t\(time) / 0 1\n"
        away.append((start, time))
      default:
        if let interrupt = interrupts.last, interrupt.calls == calls.count {
          script += "c0 p1 t\(time) ) \(interrupt.source)\n"
          // Where no call was open at its beginning nobody remembers it, and nobody needs it.
          interrupted.append((interrupt.start, time))
          interrupts.removeLast()
        } else if let call = calls.popLast() {
          script += "c0 p1 t\(time) < f\(call.name) \(calls.count) \(time - call.entry)\n"
          end(call, at: time)
        }
      }
    }
    let found = times(script).prefix(expected.count)
    #expect(Array(found) == expected)
    #expect(expected.count > 50)
  }

  /// Nothing of a trace is known to be 0 that the trace has no records of.
  @Test func sourcesAreThoseOfTheBuffer() {
    let script = Script(
      """
      c0 p1 t10 > a 0
      c0 p1 t20 < a 0 10
      b1 c0 t30 / 1 2
      b2 c0 p1 t40 ( 3
      b3 c0 p1 t50 ( 3
      b3 c0 p1 t51 ) 3
      b4 c0 / 1 2
      """)
    var builder = CallBuilder()
    _ = builder.calls(of: script.events)
    let sources = builder.timeAwaySources
    #expect(sources[0] == nil)
    #expect(sources[1]?.hasSwitches == true && sources[1]?.hasInterrupts == false)
    #expect(sources[2]?.hasSwitches == false && sources[2]?.hasInterrupts == false)
    #expect(sources[3]?.hasInterrupts == true)
    #expect(sources[4] == nil)
  }
}
