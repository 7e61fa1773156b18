import Foundation
import FunctionGraph
import Testing
@_spi(Testing) import TraceText

/// The lane for strictly laid out lines and the sieve, held against the general parser.
@Suite struct StrictLaneTests {
  static let fixtures: [URL] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/traces")
    let files =
      (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "txt" }.sorted { $0.path < $1.path }
  }()

  private func holds(_ bytes: [UInt8], _ comment: Comment? = nil) throws {
    let strict = try Reading(bytes)
    let general = try Reading(bytes, generalWay: true)
    #expect(strict.lines == general.lines, comment)
    #expect(strict.diagnostics.kept == general.diagnostics.kept, comment)
    #expect(strict.diagnostics.counts == general.diagnostics.counts, comment)
    #expect(strict.description == general.description, comment)
    #expect(strict.functions.count == general.functions.count, comment)
  }

  @Test func thereAreFixtures() {
    #expect(Self.fixtures.count > 20)
  }

  @Test(arguments: fixtures)
  func readsFixturesAsTheGeneralParserDoes(_ file: URL) throws {
    let bytes = Array(try Data(contentsOf: file).prefix(400_000))
    try holds(bytes)
    var random = SeededGenerator(state: UInt64(bytes.count))
    for _ in 0..<20 {
      var part = Array(
        bytes.dropFirst(Int.random(in: 0...max(0, bytes.count - 3000), using: &random)).prefix(3000))
      part.mutate(&random)
      try holds(part)
    }
  }

  @Test func readsSnippetsAsTheGeneralParserDoes() throws {
    for snippet in Snippet.all { try holds(Array(snippet.text.utf8)) }
  }

  @Test(arguments: 0..<24)
  func readsGeneratedTextsAsTheGeneralParserDoes(_ seed: UInt64) throws {
    for layout in GeneratedText.layouts(seed) {
      let text = GeneratedText(
        seed: seed, layout, cpus: seed % 3 == 0 ? 12 : 2, lines: 400,
        oddities: seed % 2 == 0 ? 0 : 15)
      var bytes = Array(text.text.utf8)
      try holds(bytes)
      var random = SeededGenerator(state: seed)
      for _ in 0..<4 {
        bytes.mutate(&random)
        try holds(bytes)
      }
    }
  }

  /// Arguments and return values, of which those that are plain numbers are strict.
  @Test(arguments: 0..<24)
  func readsValuesAsTheGeneralParserDoes(_ seed: UInt64) throws {
    for layout in GeneratedText.layouts(seed) {
      let text = GeneratedText(
        seed: seed, layout, cpus: 2, lines: 400, oddities: seed % 2 == 0 ? 0 : 15, values: .any)
      var bytes = Array(text.text.utf8)
      try holds(bytes)
      _ = try siftingHolds(bytes, seed)
      var random = SeededGenerator(state: seed)
      for _ in 0..<4 {
        bytes.mutate(&random)
        try holds(bytes)
      }
    }
  }

  /// Calls of the wanted functions are the same whether the others are left out or not, or the sieve says that it cannot
  /// tell; on a text of plain calls it can.
  @Test(arguments: 0..<60)
  func leavesOutWhatDoesNotMatter(_ seed: UInt64) throws {
    var decided = 0
    for layout in GeneratedText.layouts(seed) {
      for oddities in [0, 12, 60] {
        let text = GeneratedText(
          seed: seed, layout, cpus: [1, 2, 12][Int(seed % 3)], lines: 600, oddities: oddities)
        var bytes = Array(text.text.utf8)
        let isComplete = try siftingHolds(bytes, seed)
        if oddities == 0 { #expect(isComplete, "\(layout)") }
        if isComplete { decided += 1 }
        var random = SeededGenerator(state: seed)
        bytes.mutate(&random)
        _ = try siftingHolds(bytes, seed)
      }
    }
    #expect(decided >= 2)
  }

  @Test(arguments: fixtures)
  func leavesOutOfFixturesWhatDoesNotMatter(_ file: URL) throws {
    let bytes = Array(try Data(contentsOf: file).prefix(400_000))
    for seed in 0..<3 as Range<UInt64> { _ = try siftingHolds(bytes, seed) }
  }

  /// - Returns: whether the sieve could tell.
  private func siftingHolds(_ bytes: [UInt8], _ seed: UInt64) throws -> Bool {
    let wanted = seed % 3 == 0 ? "vfio_pin_map_dma" : seed % 3 == 1 ? "kfree" : "_raw_spin_lock"
    let isWanted: @Sendable (String) -> Bool = { $0 == wanted || $0.hasPrefix("a_function_whose_name_is_L") }
    let plain = try Sifted(bytes, after: nil, isWanted)
    let sifted = try Sifted(bytes, after: 1000 * (seed % 4), isWanted)
    guard let leftOut = sifted.leftOut, leftOut.isComplete else { return false }
    #expect(firstDifference(sifted.ended, plain.ended) == nil)
    #expect(firstDifference(sifted.unfinished.sorted(), plain.unfinished.sorted()) == nil)
    #expect(leftOut.exits == UInt64(plain.allEnded))
    #expect(max(leftOut.deepest, sifted.deepest) == plain.deepest)
    #expect(sifted.losses == plain.losses)
    #expect(sifted.lostEvents == plain.lostEvents)
    #expect(sifted.diagnostics.kept == plain.diagnostics.kept)
    #expect(sifted.description == plain.description)
    return true
  }
}

func firstDifference(_ a: [String], _ b: [String]) -> String? {
  if let place = zip(a, b).enumerated().first(where: { $1.0 != $1.1 })?.offset {
    return "\(place): \(a[place]) | \(b[place])"
  }
  return a.count == b.count ? nil : "\(a.count) of \(b.count)"
}

/// The calls of wanted functions in a text.
struct Sifted {
  var ended: [String] = []
  /// Those that are open at the end come in an order of their own.
  var unfinished: [String] = []
  var allEnded = 0
  var deepest: Int32
  var losses: Int
  var lostEvents: UInt64
  var leftOut: (exits: UInt64, deepest: Int32, isComplete: Bool)?
  var diagnostics: Diagnostics
  var description: TraceDescription
  /// It told of task switches or interrupts.
  var hasTimeAway: Bool

  /// - Parameters:
  ///   - after: bytes after which lines may be left out; nil where none may.
  ///   - ranges: how long the ranges are that are looked through at once, and on how many threads; nil for the lines one by one.
  init(
    _ bytes: [UInt8], after: UInt64?, orSumUp: Bool = false, ranges: (size: UInt64, jobs: Int)? = nil,
    noticesTimeAway: Bool = false, _ isWanted: @escaping @Sendable (String) -> Bool
  ) throws {
    var reader =
      if let ranges {
        Reading.positioned(
          bytes, blockSize: 700, rangeSize: ranges.size, jobs: ranges.jobs, isNarrow: ranges.jobs == 1)
      } else {
        Reading.reader(bytes, blockSize: 700)
      }
    if noticesTimeAway { reader.noticeTimeAway() }
    if let after {
      reader.selectFunctions(after: after, orSumUp: orSumUp, isWanted)
    } else {
      reader.readAllTheGeneralWay()
    }
    var builder = CallBuilder()
    var batch: [Event] = []
    var calls: [Call] = []
    while try reader.next(&batch) { builder.consume(batch, into: &calls) }
    builder.finish(into: &calls)
    for call in calls {
      if call.status != .unfinished { allEnded += 1 }
      let function = reader.functions[call.function]
      guard call.function != .none, isWanted(function.symbol) else { continue }
      let line =
        "\(function.symbol) \(function.module) \(call.status) \(call.cpu) \(call.pid) \(reader.comms[call.comm]) "
        + "\(call.depth) \(call.timestamp) \(call.duration ?? -1) \(call.resolution) \(call.buffer) \(call.column)"
      if call.status == .unfinished { unfinished.append(line) } else { ended.append(line) }
    }
    deepest = builder.deepest
    losses = builder.losses
    lostEvents = builder.lostEvents
    leftOut = reader.leftOut
    diagnostics = reader.diagnostics
    description = reader.description
    hasTimeAway = !builder.timeAwaySources.isEmpty
  }
}

extension [UInt8] {
  /// A few random bytes changed, added, removed or doubled.
  mutating func mutate(_ random: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...8, using: &random) where !isEmpty {
      let at = Int.random(in: 0..<count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: self[at] = UInt8.random(in: 0...255, using: &random)
      case 1: remove(at: at)
      case 2: insert(RobustnessTests.alphabet.randomElement(using: &random)!, at: at)
      case 3: removeSubrange(at..<Swift.min(count, at + Int.random(in: 1...60, using: &random)))
      default:
        let from = Int.random(in: 0..<count, using: &random)
        insert(contentsOf: self[from..<Swift.min(count, from + 120)], at: at)
      }
    }
  }
}
