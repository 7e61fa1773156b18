import Foundation
import Testing

/// `pinstat model`, and the model inside analyze and compare, through the built program.
@Suite struct ModelTests {
  private func model(_ arguments: String...) throws -> [[String: String]] {
    let outcome = try Tool.run(["model", "--format", "csv"] + arguments)
    try #require(outcome.status == 0, "\(outcome.error)")
    return records(outcome.output)
  }

  private func number(_ text: String?) -> Double { Double(text ?? "") ?? .nan }

  @Test func headerIsThatOfTheContract() throws {
    let output = try Tool.run("model", "--size", "8G", "--page-size", "2M", "--format", "csv").output
    #expect(
      output.hasPrefix(
        "variant,operation,size,page_size,backing,maps_correctly,refills,leaf_walks,longterm_lookups,loop_turns,reserved_tests,vpfn_lookups,pointer_compares,pointers_stored,lock_accts,iommu_maps,iova_walks,unpin_tests,unpin_atomics,predicted_us,predicted_low_us,predicted_high_us,speedup_vs_per_page,throughput_gib_s\n"
      ))
  }

  /// The four figures that the patch and its versions came with, by one profile.
  @Test(arguments: [
    ("per-page", 33813.703), ("patch-v1", 15635.055), ("folio-step", 16071.378), ("contig-pages", 18310.320),
  ])
  func publishedDurations(_ variant: String, _ published: Double) throws {
    let row = try #require(
      try model("--size", "8G", "--page-size", "2M", "--gup", "old", "--variant", variant).first)
    #expect(abs(number(row["predicted_us"]) / published - 1) < 0.02)
    #expect(number(row["predicted_low_us"]) < published && published < number(row["predicted_high_us"]))
  }

  @Test func wrongMappingsShow() throws {
    for (offset, expected) in [("1M", "false"), ("0", "true")] {
      let rows = try model("--size", "8G", "--page-size", "2M", "--offset", offset, "--variant", "patch-v1")
      #expect(rows.map { $0["maps_correctly"] } == [expected])
    }
    let text = try Tool.run(
      "model", "--size", "8G", "--page-size", "2M", "--offset", "1M", "--variant", "patch-v1")
    #expect(text.output.contains("WRONG from IOVA 0x200000"))
  }

  @Test func failingMapSaysItsError() throws {
    let outcome = try Tool.run(
      "model", "--size", "8G", "--page-size", "2M", "--memlock", "1G", "--variant", "merged")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("ENOMEM"))
  }

  // MARK: Calibration on captures

  /// Least durations of 1, 2 and 4 GiB predict those of 8 GiB, and the speedup between the kernels.
  @Test func smallMapsPredictTheLarge() throws {
    var predicted: [String: Double] = [:]
    var measured: [String: Double] = [:]
    for (kernel, variant) in [("6.17", "per-page"), ("6.18", "merged")] {
      var arguments = ["model", "--format", "csv", "--size", "8G", "--page-size", "2M", "--variant", variant]
      for size in ["1", "2", "4"] {
        arguments += [
          "--calibrate",
          "\(Tool.fixture("\(kernel)-matrix-\(size)g-2m-stripped.dat")),size=\(size)G,page-size=2M,variant=\(variant)",
        ]
      }
      let outcome = try Tool.run(arguments)
      try #require(outcome.status == 0, "\(outcome.error)")
      predicted[kernel] = number(records(outcome.output).first?["predicted_us"])
      let analysis = try Tool.run("analyze", Tool.fixture("\(kernel)-seed-8g-2m.dat"), "--format", "csv")
      measured[kernel] = number(records(analysis.output).first?["min_us"])
      let ratio = (predicted[kernel] ?? 0) / (measured[kernel] ?? 1)
      print(
        "hold-out \(kernel): 8 GiB predicted \(predicted[kernel] ?? 0) us, measured \(measured[kernel] ?? 0) us"
      )
      #expect(abs(ratio - 1) < 0.07)
    }
    let speedup = (predicted["6.17"] ?? 0) / (predicted["6.18"] ?? 1)
    let real = (measured["6.17"] ?? 0) / (measured["6.18"] ?? 1)
    print("hold-out speedup: predicted \(speedup), measured \(real)")
    #expect(abs(speedup / real - 1) < 0.07)
  }

  /// With an instruction-counting clock 256 MiB predict 512 MiB.
  @Test(arguments: [("6.17", "per-page"), ("6.18", "merged")])
  func countedClockPredictsTheDouble(_ kernel: String, _ variant: String) throws {
    let outcome = try Tool.run(
      "model", "--format", "csv", "--size", "512M", "--page-size", "2M", "--variant", variant, "--calibrate",
      "\(Tool.fixture("\(kernel)-icx-filter-256M-2m.tracefs.txt")),size=256M,page-size=2M,variant=\(variant)")
    try #require(outcome.status == 0, "\(outcome.error)")
    let analysis = try Tool.run(
      "analyze", Tool.fixture("\(kernel)-icx-filter-512M-2m.tracefs.txt"), "--format", "csv")
    let predicted = number(records(outcome.output).first?["predicted_us"])
    let measured = number(records(analysis.output).first?["min_us"])
    print("hold-out \(kernel), counted clock: predicted \(predicted) us, measured \(measured) us")
    #expect(abs(predicted / measured - 1) < 0.01)
  }

  /// The cost of a hook from one pair; 512 MiB recorded with -g, corrected, give the speedup that a trace without hooks
  /// shows (4.13).
  @Test func hooksAreCorrected() throws {
    func item(_ form: String, _ recorded: String) -> String {
      "\(Tool.fixture("6.17-icx-\(form)-256M-2m.tracefs.txt")),size=256M,page-size=2M,variant=per-page,recorded=\(recorded)"
    }
    let pair = try Tool.run(
      "model", "--format", "json", "--calibrate", item("d1", "graph"), "--calibrate", item("filter", "filter")
    )
    try #require(pair.status == 0, "\(pair.error)")
    let document = try JSONSerialization.jsonObject(with: Data(pair.output.utf8)) as? [String: Any]
    let calibration = document?["calibration"] as? [String: Any]
    let cost = try #require(calibration?["hook_cost_ns"] as? Double)
    #expect(cost > 150 && cost < 190)

    let sides = ["6.17", "6.18"].map { Tool.fixture("\($0)-icx-d1-512M-2m.tracefs.txt") }
    let common =
      sides + [
        "--size", "512M", "--page-size", "2M", "--recorded", "graph", "--variant-before", "per-page",
        "--variant-after", "merged", "--format", "json",
      ]
    let corrected = try Tool.run(["compare", "--hook-cost", "\(cost)"] + common)
    let function = try firstFunction(corrected)
    let without = try #require(function["without_hooks"] as? [String: Any])
    let speedup = try #require(without["speedup"] as? Double)
    print("without hooks: speedup \(speedup), uncorrected \(function["speedup"] ?? "")")
    let filtered = ["6.17", "6.18"].map { Tool.fixture("\($0)-icx-filter-512M-2m.tracefs.txt") }
    let real = try #require(
      try firstFunction(try Tool.run(["compare", "--format", "json"] + filtered))["speedup"] as? Double)
    #expect(abs(speedup / real - 1) < 0.03)
    #expect(abs(speedup / 4.13 - 1) < 0.03)
    #expect(without["speedup_low"] != nil)
    // Without the cost there is a warning and no correction.
    let uncorrected = try Tool.run(["compare"] + common)
    #expect(try firstFunction(uncorrected)["without_hooks"] == nil)
    #expect(uncorrected.output.contains("trace-cmd record -l"))
  }

  private func firstFunction(_ outcome: Tool.Outcome) throws -> [String: Any] {
    try #require(outcome.status == 0, "\(outcome.error)")
    let document = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    return try #require((document?["functions"] as? [[String: Any]])?.first)
  }

  @Test func nestedTraceCalibratesByItsCallees() throws {
    let outcome = try Tool.run(
      "model", "--size", "256M", "--page-size", "2M", "--calibrate",
      "\(Tool.fixture("6.17-nest3-256m-2m.dat")),size=256M,page-size=2M,variant=per-page")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains("128 contiguous runs (from the trace)"))
    for part in ["vaddr_get_pfns", "vfio_pin_pages_remote", "vfio_lock_acct", "iommu_map"] {
      #expect(outcome.output.contains("6.17-nest3-256m-2m.dat: \(part)"))
    }
  }

  // MARK: Beside the measurement

  @Test func compareSetsMeasuredBesidePredicted() throws {
    let sides = [Tool.fixture("6.17-seed-8g-2m.dat"), Tool.fixture("6.18-seed-8g-2m.dat")]
    let outcome = try Tool.run(["compare", "--size", "8G", "--page-size", "2M", "--format", "json"] + sides)
    let model = try #require(try firstFunction(outcome)["model"] as? [String: Any])
    #expect(model["variant_before"] as? String == "per-page")
    #expect(model["variant_after"] as? String == "merged")
    #expect(model["evidence_before"] as? String == "release")
    let shares = try #require(model["shares"] as? [String: Double])
    #expect(abs(shares.values.reduce(0, +) - 1) < 1e-9)
    let row = try #require(
      records(
        try Tool.run(["compare", "--size", "8G", "--page-size", "2M", "--format", "csv"] + sides).output
      ).first)
    #expect(number(row["model_speedup"]) == model["predicted_speedup"] as? Double)
    for format in ["text", "markdown", "commit"] {
      let output = try Tool.run(["compare", "--size", "8G", "--page-size", "2M", "--format", format] + sides)
        .output
      #expect(output.contains("GUP"), "\(format)")
    }
  }

  @Test func callTreeComesBeforeTheRelease() throws {
    let sides = [Tool.fixture("6.17-nest3-256m-2m.dat"), Tool.fixture("6.18-nest3-256m-2m.dat")]
    let outcome = try Tool.run(
      ["compare", "--size", "256M", "--page-size", "2M", "--format", "json"] + sides)
    let model = try #require(try firstFunction(outcome)["model"] as? [String: Any])
    #expect(model["evidence_before"] as? String == "call tree")
    #expect(model["variant_before"] as? String == "per-page" && model["variant_after"] as? String == "merged")
  }

  @Test func withoutEvidenceThereIsNoModelSpeedup() throws {
    let outcome = try Tool.run(
      "compare", "--size", "8G", "--page-size", "2M", "--format", "csv", Tool.fixture("patch-mail.txt"))
    #expect(outcome.status == 0)
    #expect(records(outcome.output).first?["model_speedup"] == "")
    let told = try Tool.run(
      "compare", "--size", "8G", "--page-size", "2M", "--format", "csv", "--variant-before", "per-page",
      "--variant-after", "patch-v1", Tool.fixture("patch-mail.txt"))
    #expect(number(records(told.output).first?["model_speedup"]) > 1)
  }

  @Test func fasterThanTheFloorIsAWarning() throws {
    let folder = try TemporaryFolder()
    let mail = try folder.file(
      "mail.txt",
      "Before:\n\n# 33813.703 us |  vfio_pin_map_dma();\n\nAfter:\n\n# 12.000 us |  vfio_pin_map_dma();\n")
    let outcome = try Tool.run(
      "compare", "--size", "8G", "--page-size", "2M", "--variant-before", "per-page", "--variant-after",
      "merged", mail)
    #expect(outcome.output.contains("faster than any variant of the model"), "\(outcome.output)")
  }

  @Test func analyzeSaysWhereTheTimeGoes() throws {
    let outcome = try Tool.run(
      "analyze", "--size", "8G", "--page-size", "2M", Tool.fixture("6.17-seed-8g-2m.dat"))
    #expect(outcome.output.contains("model: per-page (by release)"))
    #expect(outcome.output.contains("merged: "))
  }

  // MARK: Costs files, and what is refused

  @Test func costsAreWrittenAndRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/costs.json"
    let arguments = ["model", "--size", "1G", "--page-size", "2M", "--format", "csv"]
    let saved = try Tool.run(arguments + ["--save-costs", path])
    let read = try Tool.run(arguments + ["--costs", path])
    #expect(saved.status == 0 && read.status == 0, "\(read.error)")
    #expect(saved.output == read.output)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let spoilt: [(String, String)] = [
      (
        text.replacingOccurrences(of: "\"nanoseconds\" : 2", with: "\"nanoseconds\" : -2"),
        "expected 0 to 1e9"
      ),
      (text.replacingOccurrences(of: "pinstat/costs/1", with: "pinstat/costs/9"), "schema"),
      (text.replacingOccurrences(of: "\"loop_turns\"", with: "\"turns\""), "turns"),
      (String(text.prefix(200)), "JSON"), ("", "JSON"), ("[]", "wrong type"),
    ]
    for (content, part) in spoilt {
      let bad = try folder.file("bad.json", content)
      let outcome = try Tool.run(arguments + ["--costs", bad])
      #expect(outcome.status == 2, "\(content.prefix(80))")
      #expect(outcome.error.contains("bad.json") && outcome.error.contains(part), "\(outcome.error)")
    }
  }

  static let wrongUses: [[String]] = [
    ["--size", "8G"], ["--page-size", "2M"], ["--size", "3M", "--page-size", "2M"],
    ["--size", "8G", "--page-size", "8M"],
    ["--size", "8G", "--page-size", "2M", "--variant", "best"],
    ["--size", "8G", "--page-size", "2M", "--backing", "pages"],
    ["--size", "8G", "--page-size", "2M", "--operation", "copy"],
    ["--size", "8G", "--page-size", "2M", "--gup", "newest"],
    ["--size", "8G", "--page-size", "2M", "--offset", "100"],
    ["--size", "8G", "--page-size", "2M", "--calibrate", "trace.dat"],
    ["--size", "8G", "--page-size", "2M", "--calibrate", "trace.dat,size=2G,page-size=2M,variant=nobody"],
    ["--size", "8G", "--page-size", "2M", "--calibrate", "t,size=3M,page-size=2M,variant=merged"],
    [
      "--size", "8G", "--page-size", "2M", "--costs", "a", "--calibrate",
      "t,size=2G,page-size=2M,variant=merged",
    ],
  ]

  @Test(arguments: wrongUses)
  func wrongUsage(_ arguments: [String]) throws {
    let outcome = try Tool.run(["model"] + arguments)
    #expect(outcome.status == 64, "\(outcome.output)\(outcome.error)")
    #expect(outcome.output.isEmpty)
  }

  @Test func calibrationThatCannotBeIsRefused() throws {
    let missing = try Tool.run(
      "model", "--size", "8G", "--page-size", "2M", "--calibrate",
      "/nonexistent,size=2G,page-size=2M,variant=merged")
    #expect(missing.status == 2 && missing.error.contains("/nonexistent"))
    // Two variants on two page sizes leave more costs open than two equations can tell.
    let tooFew = try Tool.run(
      "model", "--calibrate", "\(Tool.fixture("6.18-seed-8g-2m.dat")),size=8G,page-size=2M,variant=merged",
      "--calibrate",
      "\(Tool.fixture("6.17-seed-8g-2m.dat")),size=8G,page-size=64K,variant=per-page")
    #expect(tooFew.status == 2)
    #expect(
      tooFew.error.contains("2 durations for") && tooFew.error.contains("expected at least"),
      "\(tooFew.error)")
    let hooks = try Tool.run(
      "model", "--calibrate",
      "\(Tool.fixture("6.18-seed-8g-2m.dat")),size=8G,page-size=1G,variant=merged,recorded=graph",
      "--calibrate",
      "\(Tool.fixture("6.17-seed-8g-2m.dat")),size=8G,page-size=1G,variant=merged,recorded=filter")
    #expect(hooks.status == 2 && hooks.error.contains("hooks=N"), "\(hooks.error)")
  }
}
