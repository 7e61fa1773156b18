import Foundation
import Testing

/// Thousands of spoilt files through the whole program: no crash, no hang, bounded memory, an exit code of the contract,
/// and an error that names the file and the place in it.
@Suite(.serialized) struct MutationTests {
  static let traces = [
    "6.18-fmt-v6-stripped.dat", "6.18-fmt-v7-nocomp-stripped.dat", "6.17-err-enomem-d3-stripped.dat",
    "6.18-fmt-multicpu-stripped.dat", "6.18-fmt-multicpu-zlib-stripped.dat", "6.18-fmt-args-stripped.dat",
    "6.18-fmt-clock-counter-stripped.dat", "6.18-fmt-clock-x86-tsc-stripped.dat",
    "6.18-fmt-events-stripped.dat", "6.18-fmt-instance-events-stripped.dat",
    "6.18-fmt-instance-events-v6-stripped.dat",
  ]
  static let texts = [
    "6.17-txt-default.tracefs.txt", "6.17-txt-funcgraph-abstime.tracefs.txt",
    "6.17-txt-funcgraph-args.tracefs.txt", "6.17-txt-funcgraph-proc.tracefs.txt",
    "6.17-txt-funcgraph-tail.tracefs.txt", "6.17-txt-latency-format.tracefs.txt",
    "6.17-txt-marker.tracefs.txt", "6.17-txt-overrun-overwrite.tracefs.txt", "6.17-txt-events.tracefs.txt",
    "6.17-seed-8g-2m.report.txt", "6.18-fmt-clock-x86-tsc.report.txt", "patch-mail.txt",
  ]
  static let memoryLimit = 256 << 20
  /// A sanitizer makes the program several times slower, and sees more in fewer runs.
  static let share = Tool.isSanitized ? 6 : 1

  /// Files that are run through the program some at a time, and what became of them.
  struct Campaign {
    let folder: TemporaryFolder
    let arguments: [String]
    /// Follows the files.
    var tail: [String] = []
    var batch: [String] = []
    var runs = 0
    var refused = 0
    var peakMemory = 0

    init(_ arguments: [String], tail: [String] = []) throws {
      folder = try TemporaryFolder()
      self.arguments = arguments
      self.tail = tail
    }

    mutating func add(_ name: String, _ bytes: [UInt8]) throws {
      batch.append(try folder.file(name, Data(bytes)))
      if batch.count == 64 { try flush() }
    }

    mutating func flush() throws {
      if !batch.isEmpty, !(try run(batch)) {
        // Which of them it is.
        for path in batch { _ = try run([path]) }
      }
      for path in batch { try FileManager.default.removeItem(atPath: path) }
      runs += batch.count
      batch = []
    }

    /// Whether the program did what it promises.
    private mutating func run(_ paths: [String]) throws -> Bool {
      let measurement = try Tool.measured(arguments + paths + tail, seconds: 60)
      let outcome = measurement.outcome
      let what = paths.count == 1 ? keep(paths[0]) : "\(paths.count) files"
      var isGood = true
      func demand(_ holds: Bool, _ said: @autoclosure () -> String) {
        if !holds { isGood = false }
        // Of a batch the one that is to blame is told afterwards.
        if !holds { Issue.record("\(what): \(said())") }
      }
      demand(!measurement.isTimeout, "not done in a minute")
      demand(!outcome.wasSignalled, "ended by signal \(outcome.status)\n\(outcome.error.suffix(2000))")
      demand([0, 2].contains(outcome.status), "exit \(outcome.status): \(outcome.error.suffix(500))")
      if !Tool.isSanitized {
        peakMemory = max(peakMemory, measurement.peakMemory)
        demand(measurement.peakMemory < memoryLimit, "\(measurement.peakMemory >> 20) MiB")
      }
      var failed = 0
      for line in outcome.error.split(separator: "\n") {
        // "pinstat: FILE: what it says"; names of files here have no colon.
        let parts = line.components(separatedBy: ": ")
        demand(parts.count >= 3 && parts[0] == "pinstat", "no file is named: \(line)")
        guard parts.count >= 3, parts[2] != "warning", !line.hasSuffix(Self.remark) else { continue }
        failed += 1
        demand(paths.contains(parts[1]), "an error without the file: \(line)")
        demand(Self.namesPlace(parts), "an error without a place: \(line)")
      }
      demand((outcome.status == 2) == (failed > 0), "exit \(outcome.status) with \(failed) errors")
      if paths.count > 1 { refused += failed }
      return isGood
    }

    /// Of a trace without damage, and without calls.
    private static let remark = ": no call of a function that matches -f in it"

    /// A line or a byte, or a sentence about the whole of a file that is no trace, or no stored analysis, at all.
    private static func namesPlace(_ parts: [String]) -> Bool {
      let place = parts[2].split(separator: " ")
      if place.count == 2, ["byte", "line"].contains(place[0]), Int(place[1]) != nil { return true }
      return [
        "is empty", "no line of it is function-graph output", "it was taken by the tracer",
        "have no durations", "it is not a stored analysis", "which a time line",
      ].contains { parts[2].contains($0) }
    }

    /// A file that shows a defect stays for a look at it.
    private func keep(_ path: String) -> String {
      let kept =
        FileManager.default.temporaryDirectory.path + "/pinstat-defect-"
        + URL(fileURLWithPath: path).lastPathComponent
      try? FileManager.default.removeItem(atPath: kept)
      try? FileManager.default.copyItem(atPath: path, toPath: kept)
      return kept
    }
  }
}

extension MutationTests {
  /// Every mutation of every fixture through `analyze`, which reads all there is with callees, and `export` in its formats.
  @Test func mutatedTraces() throws {
    var random = MutationGenerator(state: 0x70_696e_7374_6174)
    var analyze = try Campaign(["analyze", "--all-functions", "--callees", "--jobs", "1"])
    var export = try Campaign(["export", "--all-functions", "--format", "jsonl"])
    var folded = try Campaign(["export", "--all-functions", "--format", "folded"])
    var chrome = try Campaign(["export", "--all-functions", "--format", "chrome"])
    for (names, rounds) in [(Self.traces, 24 / Self.share), (Self.texts, 14 / Self.share)] {
      let files = try names.map { ($0, [UInt8](try Tool.fixtureData($0))) }
      for (name, bytes) in files {
        for mutation in Mutation.allCases {
          for round in 0..<rounds {
            let other = files[random.below(files.count)].1
            let spoilt = mutation.apply(to: bytes, other, &random)
            let file = "\(mutation)-\(round)-\(name)"
            switch round % 8 {
            case 3: try export.add(file, spoilt)
            case 7: try folded.add(file, spoilt)
            default: try analyze.add(file, spoilt)
            }
            if round == 0 { try chrome.add(file, spoilt) }
          }
        }
      }
    }
    try analyze.flush()
    try export.flush()
    try folded.flush()
    try chrome.flush()
    report("mutated traces", [analyze, export, folded, chrome])
    // Most of a spoilt file is still there: what refuses everything would pass what stands above.
    #expect((analyze.runs + export.runs + folded.runs + chrome.runs) * Self.share > 3000)
    #expect(analyze.refused * 2 < analyze.runs)
  }

  /// Each fixture cut at every section and page boundary, one byte before it and one behind it.
  @Test func cutAtBoundaries() throws {
    var campaign = try Campaign(["analyze", "--all-functions", "--jobs", "1"])
    for name in Self.traces {
      let bytes = [UInt8](try Tool.fixtureData(name))
      let boundaries = sectionBoundaries(bytes)
      #expect(boundaries.count >= 2)
      for size in Set(boundaries.flatMap { [$0 - 1, $0, $0 + 1] }).sorted() {
        try campaign.add("cut-\(size)-\(name)", Array(bytes.prefix(size)))
      }
    }
    try campaign.flush()
    report("cuts at boundaries", [campaign])
    #expect(campaign.runs > 150)
  }

  /// What fuzzing found once, each named by its defect.
  @Test func brokenFixtures() throws {
    let folder = Tool.root + "/Fixtures/broken"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(!names.isEmpty)
    for arguments in [
      ["analyze", "--all-functions", "--callees"], ["export", "--all-functions"],
      ["export", "--all-functions", "--format", "chrome"],
    ] {
      for name in names {
        var campaign = try Campaign(arguments)
        try campaign.add(name, [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))))
        try campaign.flush()
      }
    }
  }

  /// Spoilt stored analyses, as the before side of a comparison.
  @Test func mutatedBaselines() throws {
    var random = MutationGenerator(state: 0x6a73_6f6e)
    let folder = try TemporaryFolder()
    let traces = ["6.18-fmt-multicpu-stripped.dat", "6.17-txt-default.tracefs.txt"].map(Tool.fixture)
    let path = folder.path + "/baseline.json"
    let made = try Tool.run(
      ["analyze", "--callees", "-f", "vfio_*", "--format", "json", "-o", path] + traces)
    #expect(made.status == 0, "\(made.error)")
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var campaign = try Campaign(
      ["compare", "-f", "vfio_*", "--jobs", "1", "--before"], tail: ["--after", traces[0]])
    for mutation in Mutation.allCases {
      for round in 0..<48 / Self.share {
        try campaign.add("\(mutation)-\(round).json", mutation.apply(to: bytes, bytes, &random))
      }
    }
    try campaign.flush()
    report("mutated baselines", [campaign])
    #expect(campaign.runs == 9 * (48 / Self.share))
  }

  private func report(_ what: String, _ campaigns: [Campaign]) {
    let runs = campaigns.reduce(0) { $0 + $1.runs }
    let refused = campaigns.reduce(0) { $0 + $1.refused }
    let peak = campaigns.map(\.peakMemory).max() ?? 0
    print(
      "\(what): \(runs) files, \(runs - refused) read, \(refused) refused with file and place, no crash, no hang; "
        + "at most \(peak >> 20) MiB")
  }
}
