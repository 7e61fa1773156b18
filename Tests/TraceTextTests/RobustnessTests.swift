import FunctionGraph
import Testing
import TraceText

/// SplitMix64: the same mutations in every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct RobustnessTests {
  /// Bytes that mean something to one of the layouts.
  static let alphabet =
    Array("|(){};:[]<>-+!#*@$&=./ \t\n\r\u{0}09aZ_~`\"'u".utf8) + [0xC2, 0xA0, 0xE2, 0xFF]

  /// Every mutation of the snippets is read to its end, events stay within their ranges, and the block size is without
  /// influence on garbage as it is on traces.
  @Test(arguments: 0..<16)
  func mutatedTextIsRead(_ seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    for snippet in Snippet.all {
      var bytes = Array(snippet.text.utf8)
      for _ in 0..<Int.random(in: 1...12, using: &random) where !bytes.isEmpty {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(Self.alphabet.randomElement(using: &random)!, at: at)
        case 3: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...30, using: &random)))
        default:
          let from = Int.random(in: 0..<bytes.count, using: &random)
          bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + 40)], at: at)
        }
      }
      let reading = try Reading(bytes)
      for event in reading.events {
        #expect(event.depth >= -1)
        #expect(event.cpu >= -1)
        #expect(Int(event.buffer) < reading.description.buffers.count)
        #expect(Int(event.function.rawValue) < reading.functions.count)
      }
      let pieces = try Reading(bytes, blockSize: Int.random(in: 1...50, using: &random))
      #expect(pieces.lines == reading.lines)
      #expect(pieces.diagnostics.kept == reading.diagnostics.kept)
    }
  }

  @Test(arguments: Snippet.kernelLayout + Snippet.report)
  func everyPrefixIsRead(_ snippet: Snippet) throws {
    let bytes = Array(snippet.text.utf8)
    for count in bytes.indices {
      let reading = try Reading(Array(bytes[..<count]))
      // Cutting the end off changes the last event at most.
      let whole = reading.lines.dropLast()
      #expect(Array(snippet.events.prefix(whole.count)) == Array(whole))
    }
  }

  @Test(arguments: [1 << 12, 1 << 18])
  func overlongLineIsSkipped(_ blockSize: Int) throws {
    var bytes = Array(" 0)   1.000 us    |  a();\n".utf8)
    bytes.append(contentsOf: [UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20))
    bytes.append(
      contentsOf: " 0)   1.000 us    |  b();\n 0)   2.000 us    |  c();\n 0)   1.000 us    |  12 x\n".utf8)
    let reading = try Reading(bytes, blockSize: blockSize)
    #expect(reading.lines == ["leaf a cpu=0 depth=0 1000/1", "leaf c cpu=0 depth=0 2000/1"])
    #expect(reading.diagnostics.counts == [.overlongLine: 1, .unreadableLine: 1])
    #expect(reading.diagnostics.kept.map(\.place) == [.line(2), .line(4)])
  }

  @Test func aMillionBytesAreStillALine() throws {
    let padding = String(repeating: " ", count: (1 << 20) - 100)
    let reading = try Reading(" 0)   1.000 us    |  a();\(padding)\n 0)   2.000 us    |  b();\n")
    #expect(reading.lines == ["leaf a cpu=0 depth=0 1000/1", "leaf b cpu=0 depth=0 2000/1"])
    #expect(reading.diagnostics.isEmpty)
  }

  @Test func numbersBeyondEveryRange() throws {
    let reading = try Reading(
      """
       0) 99999999999999999999.123 us |  a();
       99999)   1.000 us |  b();
       999999)   1.000 us |  b();
      v-99999999999 [001] 1.000001: funcgraph_entry:        1.000 us   |  c();
      v-1 [001] 99999999999999999999.000001: funcgraph_entry:        1.000 us   |  d();
      v-1 [001] 1.000001: funcgraph_exit: func=e depth=99999999999 calltime=ffffffffffffffffff rettime=0
      v-1 [001] 1.000001: funcgraph_exit: func=f depth=1 calltime=ffffffffffffffff rettime=0
      CPU:99999999999999999999 [LOST 1 EVENTS]
      CPU:1 [LOST 99999999999999999999999 EVENTS]
      """)
    #expect(
      reading.lines == [
        "leaf b cpu=99999 depth=0 1000/1", "leaf c cpu=1 depth=0 at=1000001000 1000/1",
        "leaf d depth=0 1000/1",
        "exit e cpu=1 task=v-1 depth=-1 at=1000001000",
        "exit f cpu=1 task=v-1 depth=1 at=1000001000 -9223372036854775807/1", "lost 0 cpu=1",
      ])
  }

  @Test func buffersAreBounded() throws {
    let lines = (1...300).map { "b\($0):   v-1 [001] 1.000001: funcgraph_entry: 1.000 us |  a();\n" }
    let reading = try Reading(lines.joined() + lines.joined())
    #expect(reading.events.count == 600)
    #expect(reading.description.buffers.count == 256)
    #expect(reading.description.buffers[255].name == "b255")
    #expect(reading.events[599].buffer == 0)
    #expect(reading.events[300].buffer == 1)
    #expect(reading.diagnostics.counts == [.limitReached: 90])
  }

  @Test func readErrorsReachTheCaller() {
    var reader = TextReader { (_) throws(TraceError) -> Int in throw TraceError(.io(5), "the disk said no") }
    var batch: [Event] = []
    #expect(throws: TraceError.self) { try reader.next(&batch) }
  }

  @Test func batchesAreBounded() throws {
    let line = Array(" 0)   1.000 us    |  a();\n".utf8)
    var bytes: [UInt8] = []
    for _ in 0..<100_000 { bytes.append(contentsOf: line) }
    var offset = 0
    var reader = TextReader { (block) throws(TraceError) -> Int in
      let count = min(block.count, bytes.count - offset)
      bytes.withUnsafeBytes {
        block.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
      }
      offset += count
      return count
    }
    var batch: [Event] = []
    var total = 0
    while try reader.next(&batch) {
      #expect(batch.count <= 5000)
      total += batch.count
    }
    #expect(batch.isEmpty)
    #expect(total == 100_000)
    #expect(reader.bytesRead == UInt64(bytes.count))
  }
}
