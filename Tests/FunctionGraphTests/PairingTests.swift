import FunctionGraph
import Testing

/// One rule of pairing: events, and the calls that they are.
struct Pairing: Sendable, CustomTestStringConvertible {
  var rule: String
  var events: String
  var calls: String
  var buffersFollowOneAnother = false
  var testDescription: String { rule }

  static let plain: [Pairing] = [
    Pairing(
      rule: "nested calls end inside out, self time is what the callees leave",
      events: """
        c0 p1 t10 > a 0
        c0 p1 t20 > b 1
        c0 p1 t30 < b 1 10
        c0 p1 t40 = c 1 5
        c0 p1 t90 < a 0 80
        """,
      calls: """
        complete b d1 10 self=10 c0 p1 t20 path=a/b
        complete c d1 5 self=5 c0 p1 t40 path=a/c
        complete a d0 80 self=65 c0 p1 t10 path=a
        """),
    Pairing(
      rule: "an unnamed exit takes its entry's name",
      events: """
        c0 > a 0
        c0 > b 1
        c0 < - 1 10
        c0 < - 0 30
        """,
      calls: """
        complete b d1 10 self=10 c0 path=a/b
        complete a d0 30 self=20 c0 path=a
        """),
    Pairing(
      rule: "recursion pairs by depth",
      events: """
        p1 > f 0
        p1 > f 1
        p1 = f 2 1
        p1 < f 1 5
        p1 < f 0 20
        """,
      calls: """
        complete f d2 1 self=1 p1 path=f/f/f
        complete f d1 5 self=4 p1 path=f/f
        complete f d0 20 self=15 p1 path=f
        """),
    Pairing(
      rule: "a task that moves to another CPU inside a call ends it there",
      events: """
        c0 p1 > a 0
        c1 p2 > b 0
        c1 p1 = leaf 1 3
        c0 p2 < b 0 7
        c1 p1 < a 0 9
        """,
      calls: """
        complete leaf d1 3 self=3 c1 p1 path=a/leaf
        complete b d0 7 self=7 c0 p2 path=b
        complete a d0 9 self=6 c1 p1 path=a
        """),
    Pairing(
      rule: "without tasks each CPU has its own stack",
      events: """
        c0 > a 0
        c1 > b 0
        c0 < - 0 5
        c1 < - 0 7
        """,
      calls: """
        complete a d0 5 self=5 c0 path=a
        complete b d0 7 self=7 c1 path=b
        """),
    Pairing(
      rule: "the idle task is another one on every CPU",
      events: """
        c0 p0 > a 0
        c1 p0 > a 0
        c1 p0 = x 1 2
        c0 p0 < a 0 5
        c1 p0 < a 0 7
        """,
      calls: """
        complete x d1 2 self=2 c1 p0 path=a/x
        complete a d0 5 self=5 c0 p0 path=a
        complete a d0 7 self=5 c1 p0 path=a
        """),
    Pairing(
      rule: "self time may be negative as recorded",
      events: """
        p1 > short 0
        p1 = interrupt 1 900
        p1 < short 0 600
        """,
      calls: """
        complete interrupt d1 900 self=900 p1 path=short/interrupt
        complete short d0 600 self=-300 p1 path=short
        """),
    Pairing(
      rule: "without durations calls are complete, and self time is not known",
      events: """
        c0 > a 0
        c0 = b 1
        c0 < - 0 -
        """,
      calls: """
        complete b d1 - c0 path=a/b
        complete a d0 - c0 path=a
        """),
    Pairing(
      rule: "columns side by side and buffers are traces of their own",
      events: """
        c0 > a 0
        c0 k1 > a 0
        c0 b1 > a 0
        c0 k1 < - 0 2
        c0 b1 < - 0 3
        c0 < - 0 1
        """,
      calls: """
        complete a d0 2 self=2 c0 k1 path=a
        complete a d0 3 self=3 c0 b1 path=a
        complete a d0 1 self=1 c0 path=a
        """),
    Pairing(
      rule: "a heading ends what is open and names the side of what follows",
      events: """
        c0 = a 0 1
        before
        c0 = a 0 2
        c0 > b 0
        after
        c0 < - 0 9
        c0 = a 0 3
        """,
      calls: """
        complete a d0 1 self=1 c0 path=a
        complete a d0 2 self=2 c0 before path=a
        unfinished b d0 - c0 before path=b
        noEntry - d0 9 c0 after path=
        complete a d0 3 self=3 c0 after path=a
        """),
    Pairing(
      rule: "buffers that follow one another end their calls at the change",
      events: """
        c0 p1 > a 0
        c0 p1 b1 = b 0 2
        c0 p1 b1 > c 0
        """,
      calls: """
        unfinished a d0 - c0 p1 path=a
        complete b d0 2 self=2 c0 p1 b1 path=b
        unfinished c d0 - c0 p1 b1 path=c
        """,
      buffersFollowOneAnother: true),
  ]

  static let missing: [Pairing] = [
    Pairing(
      rule: "a missing exit costs one call, and its caller's self time",
      events: """
        p1 > a 0
        p1 > b 1
        p1 = c 1 4
        p1 < a 0 50
        p1 = a 0 7
        """,
      calls: """
        unfinished b d1 - p1 path=a/b
        complete c d1 4 self=4 p1 path=a/c
        complete a d0 50 p1 path=a
        complete a d0 7 self=7 p1 path=a
        """),
    Pairing(
      rule: "a missing exit is noticed at the caller's",
      events: """
        p1 > a 0
        p1 > b 1
        p1 > c 2
        p1 < a 0 50
        """,
      calls: """
        unfinished c d2 - p1 path=a/b/c
        unfinished b d1 - p1 path=a/b
        complete a d0 50 p1 path=a
        """),
    Pairing(
      rule: "a missing entry costs one call; its exit's duration holds what is below",
      events: """
        p1 > a 0
        p1 = c 2 10
        p1 < b 1 20
        p1 < a 0 100
        """,
      calls: """
        complete c d2 10 self=10 p1 path=a/c
        noEntry b d1 20 p1 path=a/b
        complete a d0 100 self=80 p1 path=a
        """),
    Pairing(
      rule: "two missing entries on one another leave self time unknown",
      events: """
        p1 > a 0
        p1 = d 3 4
        p1 < c 2 10
        p1 < b 1 20
        p1 < a 0 100
        """,
      calls: """
        complete d d3 4 self=4 p1 path=a/d
        noEntry c d2 10 p1 path=a/c
        noEntry b d1 20 p1 path=a/b
        complete a d0 100 p1 path=a
        """),
    Pairing(
      rule: "depths that another instance's calls leave out are no missing records",
      events: """
        p1 > a 0
        p1 = c 2 10
        p1 = b 1 5
        p1 < a 0 100
        """,
      calls: """
        complete c d2 10 self=10 p1 path=a/c
        complete b d1 5 self=5 p1 path=a/b
        complete a d0 100 self=85 p1 path=a
        """),
    Pairing(
      rule: "an exit that names another function closes no entry of its depth",
      events: """
        p1 > a 0
        p1 < b 0 20
        p1 = c 0 1
        """,
      calls: """
        unfinished a d0 - p1 path=a
        noEntry b d0 20 p1 path=b
        complete c d0 1 self=1 p1 path=c
        """),
    Pairing(
      rule: "a trace that begins inside of calls",
      events: """
        c0 < b 1 20
        c0 < - 0 90
        c0 = c 0 1
        """,
      calls: """
        noEntry b d1 20 c0 path=b
        noEntry - d0 90 c0 path=
        complete c d0 1 self=1 c0 path=c
        """),
    Pairing(
      rule: "a threshold leaves exits only",
      events: """
        c0 p1 < inner 2 200
        c0 p1 < middle 1 300
        c0 p1 < outer 0 400
        """,
      calls: """
        noEntry inner d2 200 c0 p1 path=inner
        noEntry middle d1 300 c0 p1 path=middle
        noEntry outer d0 400 c0 p1 path=outer
        """),
    Pairing(
      rule: "a leaf at the depth of an open call ends the hope of its exit",
      events: """
        p1 > a 0
        p1 > b 1
        p1 = c 1 3
        p1 < - 1 8
        p1 < - 0 60
        """,
      calls: """
        unfinished b d1 - p1 path=a/b
        complete c d1 3 self=3 p1 path=a/c
        noEntry - d1 8 p1 path=a/
        complete a d0 60 p1 path=a
        """),
    Pairing(
      rule: "where the layout is lost an exit closes what was entered last",
      events: """
        c0 > a -1
        c0 > b -1
        c0 = c -1 2
        c0 < - -1 5
        c0 < - -1 30
        c0 < - -1 40
        """,
      calls: """
        complete c d- 2 self=2 c0 path=a/b/c
        complete b d- 5 self=3 c0 path=a/b
        complete a d- 30 self=25 c0 path=a
        noEntry - d- 40 c0 path=
        """),
  ]

  static let losses: [Pairing] = [
    Pairing(
      rule: "a loss marks every call that is open on that CPU, and only those",
      events: """
        c0 p1 > a 0
        c1 p2 > b 0
        c0 p1 > c 1
        c0 ! 17
        c0 p1 < c 1 5
        c0 p1 = d 1 1
        c0 p1 < a 0 50
        c1 p2 < b 0 60
        c0 p1 = a 0 7
        """,
      calls: """
        lost c d1 5 c0 p1 path=a/c
        complete d d1 1 self=1 c0 p1 path=a/d
        lost a d0 50 c0 p1 path=a
        complete b d0 60 self=60 c1 p2 path=b
        complete a d0 7 self=7 c0 p1 path=a
        """),
    Pairing(
      rule: "a loss on the CPU that a task came from counts, and one after it came does not",
      events: """
        c0 p1 > a 0
        c0 p2 > b 0
        c1 p2 = x 1 1
        c0 ! 3
        c1 p1 < a 0 50
        c1 p2 < b 0 60
        """,
      calls: """
        complete x d1 1 self=1 c1 p2 path=b/x
        lost a d0 50 c1 p1 path=a
        complete b d0 60 self=59 c1 p2 path=b
        """),
    Pairing(
      rule: "a loss before a call does not touch it",
      events: """
        c0 p1 = x 0 1
        c0 ! 3
        c0 p1 > a 0
        c0 p1 < a 0 50
        """,
      calls: """
        complete x d0 1 self=1 c0 p1 path=x
        complete a d0 50 self=50 c0 p1 path=a
        """),
    Pairing(
      rule: "after a loss a named exit of another function closes nothing",
      events: """
        c0 p1 > a 0
        c0 p1 > b 1
        c0 ! 3
        c0 p1 < c 1 8
        c0 p1 < a 0 50
        """,
      calls: """
        unfinished b d1 - c0 p1 path=a/b
        noEntry c d1 8 c0 p1 path=a/c
        lost a d0 50 c0 p1 path=a
        """),
    Pairing(
      rule: "after a loss an unnamed exit whose duration fits the times closes its entry",
      events: """
        c0 t1000000 > a 0
        c0 ! 0
        c0 t91000000 < - 0 90000000
        """,
      calls: """
        lost a d0 90000000 c0 t1000000 path=a
        """),
    Pairing(
      rule: "after a loss an unnamed exit of a much shorter call does not",
      events: """
        c0 t1000000 > a 0
        c0 ! 0
        c0 t91000000 < - 0 2000000
        """,
      calls: """
        unfinished a d0 - c0 t1000000 path=a
        noEntry - d0 2000000 c0 path=
        """),
    Pairing(
      rule: "after a loss a named exit of a much shorter call does not either, and its caller's may",
      events: """
        c0 t1000000 > a 0
        c0 t2000000 > b 1
        c0 ! 0
        c0 t91000000 < b 1 2000000
        c0 t92000000 < a 0 91000000
        """,
      calls: """
        unfinished b d1 - c0 t2000000 path=a/b
        noEntry b d1 2000000 c0 path=a/b
        lost a d0 91000000 c0 t1000000 path=a
        """),
    Pairing(
      rule: "without a loss durations are believed",
      events: """
        c0 t1000000 > a 0
        c0 t91000000 < a 0 2000000
        """,
      calls: """
        complete a d0 2000000 self=2000000 c0 t1000000 path=a
        """),
    Pairing(
      rule: "a loss without a CPU may have been anyone's",
      events: """
        c0 p1 > a 0
        c1 p2 > b 0
        ! 1
        c0 p1 < a 0 1
        c1 p2 < b 0 2
        """,
      calls: """
        lost a d0 1 c0 p1 path=a
        lost b d0 2 c1 p2 path=b
        """),
  ]

  static let switches: [Pairing] = [
    Pairing(
      rule: "a task switch changes the stack of a CPU and back",
      events: """
        c0 > a 0
        c0 ~ 1 2
        c0 > b 0
        c0 ~ 2 1
        c0 < - 0 50
        c0 ~ 1 2
        c0 < - 0 60
        """,
      calls: """
        complete a d0 50 self=50 c0 p1 path=a
        complete b d0 60 self=60 c0 p2 path=b
        """),
    Pairing(
      rule: "a switched-out task ends its call on another CPU",
      events: """
        c0 > a 0
        c0 ~ 1 2
        c1 ~ 3 1
        c1 = x 1 4
        c1 < - 0 50
        """,
      calls: """
        complete x d1 4 self=4 c1 p1 path=a/x
        complete a d0 50 self=46 c1 p1 path=a
        """),
    Pairing(
      rule: "a named exit finds its entry on a CPU whose task was not known",
      events: """
        c0 > a 0
        c0 = x 1 4
        c1 ~ 3 1
        c1 < a 0 50
        c0 = y 0 1
        """,
      calls: """
        complete x d1 4 self=4 c0 path=a/x
        complete a d0 50 self=46 c1 p1 path=a
        complete y d0 1 self=1 c0 path=y
        """),
    Pairing(
      rule: "of two candidates a named exit takes none",
      events: """
        c0 > a 0
        c2 > a 0
        c1 ~ 3 1
        c1 < a 0 50
        """,
      calls: """
        noEntry a d0 50 c1 p1 path=a
        unfinished a d0 - c0 path=a
        unfinished a d0 - c2 path=a
        """),
    Pairing(
      rule: "what a CPU did before its first switch is the task's, though that was seen elsewhere",
      events: """
        c0 ~ 9 5
        c0 = x 0 1
        c0 ~ 5 9
        c1 > a 0
        c1 ~ 5 7
        c0 ~ 9 5
        c0 < - 0 50
        """,
      calls: """
        complete x d0 1 self=1 c0 p5 path=x
        complete a d0 50 self=50 c0 p5 path=a
        """),
  ]
}

@Suite("Pairing entries with exits")
struct PairingTests {
  @Test(
    "Rules", arguments: [Pairing.plain, Pairing.missing, Pairing.losses, Pairing.switches].flatMap { $0 },
    [1, 3, Int.max])
  func rule(_ pairing: Pairing, batch: Int) {
    let found = Script(pairing.events).calls(
      buffersFollowOneAnother: pairing.buffersFollowOneAnother, in: batch)
    let expected = pairing.calls.split(separator: "\n").map(String.init)
    #expect(found == expected)
  }

  @Test("A call keeps the number of the stack on which its callees ended, wherever it is found")
  func stackNumbers() {
    let script = Script(
      """
      c0 > a 0
      c0 = x 1 4
      c1 ~ 3 1
      c1 < a 0 50
      c0 > b 0
      c0 = x 1 4
      c0 < - 0 9
      """)
    var builder = CallBuilder()
    let calls = builder.calls(of: script.events)
    #expect(calls.map(\.duration) == [4, 50, 4, 9])
    #expect(calls[0].stack == calls[1].stack)
    #expect(calls[2].stack == calls[3].stack)
    #expect(calls[1].stack != calls[3].stack)
  }

  @Test("Losses are counted as far as their numbers are known")
  func counters() {
    let script = Script(
      """
      c0 p1 > a 0
      c0 ! 17
      c1 ! 0
      c0 ! 18446744073709551615
      c0 p1 = b 3 1
      """)
    var builder = CallBuilder()
    _ = builder.calls(of: script.events)
    #expect(builder.losses == 3)
    // Wraps rather than traps: a file may claim anything.
    #expect(builder.lostEvents == 16)
    #expect(builder.deepest == 3)
    let isNested = builder.isNested
    #expect(isNested)
  }

  @Test("Sequence numbers follow the entries")
  func sequence() {
    let script = Script("p1 > a 0\np1 > b 1\np1 < b 1 5\np1 < c 1 6\np1 < a 0 20")
    var builder = CallBuilder()
    #expect(builder.calls(of: script.events).map(\.sequence) == [2, 4, 1])
  }

  @Test("The greatest depth that a file can claim is only a number")
  func extremeDepth() {
    let script = Script("p1 > a 2147483647\np1 < a 2147483647 5\np1 < b 2147483647 6\np1 > c 0")
    #expect(
      script.calls() == [
        "complete a d2147483647 5 self=5 p1 path=a", "noEntry b d2147483647 6 p1 path=b",
        "unfinished c d0 - p1 path=c",
      ])
  }

  @Test("Sums of durations wrap, they do not trap")
  func extremeDurations() {
    let script = Script(
      "p1 > a 0\np1 = b 1 9223372036854775807\np1 = b 1 9223372036854775807\np1 < a 0 -9223372036854775808")
    #expect(script.calls().count == 3)
  }
}
