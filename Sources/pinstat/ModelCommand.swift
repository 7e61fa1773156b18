import Analysis
import ArgumentParser
import FoundationEssentials
import FunctionGraph
public import PinningModel
import Reports
import TraceInput

extension PinningModel.Variant: Choice {}
extension PinningModel.DMAOperation: Choice {}
extension PinningModel.GUP: Choice {}

/// `TRACE,size=2G,page-size=2M,variant=per-page`, and what else is known of the trace.
struct CalibrationArgument: ExpressibleByArgument, Hashable {
  var item: CalibrationItem

  init?(argument: String) {
    guard let item = Self.parse(argument) else { return nil }
    self.item = item
  }

  private static func parse(_ argument: String) -> CalibrationItem? {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    // A path may hold commas: the keys begin with the first part that is KEY=VALUE.
    guard let first = parts.firstIndex(where: { part in keys.contains { part.hasPrefix($0 + "=") } }),
      first > 0
    else {
      return nil
    }
    var values: [String: String] = [:]
    for part in parts[first...] {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard pair.count == 2, keys.contains(pair[0]), values[pair[0]] == nil else { return nil }
      values[pair[0]] = pair[1]
    }
    guard let size = values["size"].flatMap(ByteCount.init(argument:)),
      let pageBytes = values["page-size"].flatMap(ByteCount.init(argument:)),
      let page = try? FolioSize(bytes: pageBytes.bytes), size.bytes % page.rawValue == 0,
      let variant = values["variant"].flatMap(PinningModel.Variant.init(rawValue:))
    else { return nil }
    var item = CalibrationItem(
      path: parts[..<first].joined(separator: ","), size: size.bytes, pageSize: page,
      backing: .init(usualFor: page), variant: variant)
    if let text = values["backing"] {
      guard let backing = PinningModel.Backing(rawValue: text), backing.folioSizes.contains(page) else {
        return nil
      }
      item.backing = backing
    }
    if let text = values["recorded"] {
      guard let recorded = CalibrationItem.Recorded(rawValue: text) else { return nil }
      item.recorded = recorded
    }
    if let text = values["runs"] {
      guard let runs = Int(text), runs > 0 else { return nil }
      item.runs = runs
    }
    if let text = values["hooks"] {
      guard let hooks = Double(text), hooks > 0, hooks.isFinite else { return nil }
      item.hooksPerFolio = hooks
    }
    if let text = values["gup"] {
      guard let gup = GUP(rawValue: text) else { return nil }
      item.gup = gup
    }
    return item
  }

  private static let keys = ["size", "page-size", "variant", "backing", "recorded", "runs", "hooks", "gup"]
}

struct ModelCommand: ParsableCommand {
  enum Format: String, Choice {
    case text, csv, json, markdown
  }

  static let configuration = CommandConfiguration(
    commandName: "model", _superCommandName: Pinstat.superCommand,
    abstract: "The simulated pinning model: what VFIO_IOMMU_MAP_DMA does and takes, no trace needed.",
    discussion: """
      Replays the map operation by operation for each variant of the kernel's pinning loop, counts and prices the \\
      operations, and says where a variant would map the wrong memory. Costs come from the published figures, from a \\
      file, or from traces of your own machine.

      EXAMPLES
        pinstat model --size 8G --page-size 2M
        pinstat model --size 8G --page-size 2M --offset 1M --variant patch-v1
        pinstat model --size 1G --page-size 1G --format csv
        pinstat model --size 8G --page-size 2M --save-costs my.json \\
          --calibrate 'a.dat,size=2G,page-size=2M,variant=per-page'

      A --calibrate item is TRACE,size=,page-size=,variant= and, where known, backing=, recorded=graph|filter, \\
      runs= (physically contiguous runs of one map), hooks= (hooked callees a folio), gup=old|new.
      """)

  @Option(name: .long, help: ArgumentHelp("Bytes that one call maps (8G, 512M).", valueName: "bytes"))
  var size: ByteCount?

  @Option(name: .long, help: ArgumentHelp("Backing page (4K, 16K, 64K, 2M, 1G).", valueName: "bytes"))
  var pageSize: ByteCount?

  @Option(name: .long, help: "How the memory is backed. (default: from the page size)")
  var backing: Backing?

  @Option(name: .long, help: "Variant of the kernel code; repeatable. (default: all)")
  var variant: [PinningModel.Variant] = []

  @Option(name: .long, help: "What is simulated.")
  var operation = DMAOperation.map

  @Option(name: .long, help: "The longterm check of GUP: before (old) or after (new) a03db236aebf.")
  var gup = GUP.new

  @Flag(name: .long, help: "The option of vfio_iommu_type1: everything page by page.")
  var disableHugepages = false

  @Option(name: .long, help: ArgumentHelp("Where in its first folio the map starts.", valueName: "bytes"))
  var offset: ByteOffset?

  @Flag(name: .long, help: "Folios follow one another physically.")
  var adjacent = false

  @Option(name: .long, help: ArgumentHelp("RLIMIT_MEMLOCK, without CAP_IPC_LOCK.", valueName: "bytes"))
  var memlock: ByteOffset?

  @Option(
    name: .long, help: ArgumentHelp("Costs, as --save-costs wrote them.", valueName: "file"),
    completion: .file())
  var costs: String?

  @Option(name: .long, help: ArgumentHelp("Calibrate the costs from a trace; repeatable.", valueName: "item"))
  var calibrate: [CalibrationArgument] = []

  @Option(name: .long, help: ArgumentHelp("Write the costs there.", valueName: "file"), completion: .file())
  var saveCosts: String?

  @Option(name: .long, help: "How the report is written.")
  var format = Format.text

  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if size == nil || pageSize == nil {
      guard !calibrate.isEmpty, size == nil, pageSize == nil else {
        throw ValidationError("--size and --page-size say what is mapped, as in --size 8G --page-size 2M.")
      }
    } else {
      _ = try scenario()
    }
    if costs != nil, !calibrate.isEmpty {
      throw ValidationError("--costs and --calibrate exclude one another.")
    }
  }

  /// What is mapped; wrong usage where it cannot be.
  private func scenario() throws -> Scenario? {
    guard let size, let pageSize else { return nil }
    do throws(ModelError) {
      let page = try FolioSize(bytes: pageSize.bytes)
      guard size.bytes % page.rawValue == 0 else {
        throw ModelError.misaligned(what: "size", bytes: size.bytes)
      }
      return try Scenario(
        size: size.bytes, pageSize: page, backing: backing?.model, offset: offset?.bytes ?? 0,
        adjacent: adjacent,
        memlock: memlock?.bytes, gup: gup, disableHugepages: disableHugepages)
    } catch {
      if case .misaligned(let what, let bytes) = error, what == "size" {
        throw ValidationError("--size \(bytes) is no multiple of --page-size \(pageSize.bytes).")
      }
      throw ValidationError("\(error).")
    }
  }

  func run() throws {
    throw ExitCode(status())
  }

  private func status() -> Int32 {
    do {
      var profile = try costs.map(loadCosts) ?? .published
      var calibration: TraceCalibration?
      if !calibrate.isEmpty {
        let result = try calibrated()
        calibration = result
        profile = result.calibration.profile
      }
      if let saveCosts {
        let file = try Output(saveCosts)
        try file.write(Array(CostsDocument(profile).encoded()) + [UInt8(ascii: "\n")])
        try file.commit()
      }
      let variants = variant.isEmpty ? PinningModel.Variant.allCases : variant
      let predictions = try scenario().map { scenario in
        variants.map { profile.predict(scenario, $0, operation) }
      }
      let report = ModelReport(
        predictions: predictions ?? [], profile: profile, operation: operation, size: size?.bytes ?? 0,
        pageSize: pageSize?.bytes ?? 0,
        backing: backing?.rawValue
          ?? pageSize.flatMap { try? FolioSize(bytes: $0.bytes) }.map {
            PinningModel.Backing(usualFor: $0).rawValue
          } ?? "",
        conditions: conditionTexts, calibration: calibration)
      return writeReport(to: output) { () -> [UInt8] in
        switch format {
        case .text: Array(report.text(textStyle(color: output.color, toFile: output.output != nil)).utf8)
        case .csv: Array(report.csv.utf8)
        case .json: try report.json()
        case .markdown: Array(report.markdown.utf8)
        }
      }
    } catch let failure as Failure {
      say(failure.sentence)
    } catch let error as OutputError {
      say("\(error.path): cannot be written: \(systemReason(error.code)); nothing of it was left behind")
    } catch {
      say("\(error)")
    }
    return ExitStatus.inputFailed
  }

  private var conditionTexts: [String] {
    var texts: [String] = []
    if gup == .old { texts.append("--gup old") }
    if disableHugepages { texts.append("--disable-hugepages") }
    if let offset { texts.append("--offset \(offset.text)") }
    if adjacent { texts.append("--adjacent") }
    if let memlock { texts.append("--memlock \(memlock.text)") }
    return texts
  }

  private func calibrated() throws -> TraceCalibration {
    let request = AnalysisRequest(
      selection: FunctionSelection(patterns: [FunctionPattern(TraceCalibration.function)]), wantsCallees: true
    )
    let progress = Progress(output.progress, quiet: output.quiet)
    let loaded = load(calibrate.map(\.item.path), InputLoader(request: request), output, progress)
    var items: [(item: CalibrationItem, analysis: TraceAnalysis)] = []
    for (argument, input) in zip(calibrate, loaded) {
      switch input.result {
      case .success(let analyses):
        if let missing = analyses.first?.missing.first { throw Failure(missing: missing, path: input.path) }
        if let analysis = analyses.first { items.append((argument.item, analysis)) }
      case .failure(let error): throw Failure(input.path, error)
      }
    }
    do throws(CalibrationFailure) {
      return try TraceCalibration.fit(items)
    } catch {
      throw Failure(error)
    }
  }
}

/// A costs file, checked.
func loadCosts(_ path: String) throws -> CostProfile {
  do {
    let input = try SniffedInput(path: path)
    return try CostProfile(costs: Data(try input.contents(limit: 1 << 24)))
  } catch let error as TraceError {
    throw Failure(path, error)
  } catch let error as BaselineError {
    throw Failure("\(displayed(path)): it is no costs file that can be used: \(error.detail)")
  }
}
