import Analysis
import ArgumentParser
import PinningModel
import Reports

// Options that every run asks for have no default of their own but one in their text: to say one, the argument parser has
// the runtime search all conformances two or three times (see `Choice`).

/// Which functions and which of their calls: shared by analyze, compare and export.
struct SelectionOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Function to look at; repeatable, shell globs allowed. Matches the name without [module], .isra.N and .constprop.N. (default: vfio_pin_map_dma)",
      valueName: "name"))
  var function: [String] = []

  @Flag(name: .long, help: "Every function in the trace.")
  var allFunctions = false

  @Option(name: .long, help: ArgumentHelp("Keep these CPUs only, as in 0-3,8.", valueName: "list"))
  var cpu: NumberList?

  @Option(name: .long, help: ArgumentHelp("Keep these tasks only, by number.", valueName: "list"))
  var pid: NumberList?

  @Option(
    name: .long,
    help: ArgumentHelp("Keep tasks of this name only; repeatable, globs allowed.", valueName: "name"))
  var comm: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Keep this trace buffer only; repeatable, '' is the top one.", valueName: "name"))
  var buffer: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Keep calls that start at this trace time or later, seconds.", valueName: "time"))
  var from: TraceTime?

  @Option(
    name: .long,
    help: ArgumentHelp("Keep calls that start at this trace time or earlier, seconds.", valueName: "time"))
  var to: TraceTime?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Leave out the first calls of each function in each trace. (default: 0)", valueName: "n"))
  var skipFirst: Int?

  func validate() throws {
    if allFunctions, !function.isEmpty {
      throw ValidationError("--all-functions and -f exclude one another.")
    }
    if function.contains("") { throw ValidationError("-f needs a function's name.") }
    if let skipFirst, skipFirst < 0 {
      throw ValidationError("--skip-first takes a number of calls, 0 or more.")
    }
    if let from, let to, from.nanoseconds > to.nanoseconds {
      throw ValidationError("--from is later than --to.")
    }
  }

  var selection: FunctionSelection { Self.selection(function, all: allFunctions) }

  static func selection(_ functions: [String], all: Bool) -> FunctionSelection {
    let names = functions.isEmpty && !all ? ["vfio_pin_map_dma"] : functions
    return FunctionSelection(patterns: names.map(FunctionPattern.init), all: all)
  }

  var filter: CallFilter {
    var filter = CallFilter()
    filter.cpus = cpu?.ranges ?? []
    filter.pids = pid?.ranges ?? []
    filter.comms = comm
    filter.buffers = buffer
    filter.from = from?.nanoseconds
    filter.to = to?.nanoseconds
    filter.skipFirst = skipFirst ?? 0
    return filter
  }

  /// The filters as they were given, for the report's conditions.
  var filterTexts: [String] {
    var texts: [String] = []
    if let cpu { texts.append("--cpu \(cpu.text)") }
    if let pid { texts.append("--pid \(pid.text)") }
    texts += comm.map { "--comm \($0)" } + buffer.map { "--buffer \($0)" }
    if let from { texts.append("--from \(from.text)") }
    if let to { texts.append("--to \(to.text)") }
    if let skipFirst, skipFirst > 0 { texts.append("--skip-first \(skipFirst)") }
    return texts
  }
}

/// What one call did, which a trace does not say.
struct ConditionOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("Bytes that one call maps (8G, 512M): adds throughput.", valueName: "bytes"))
  var size: ByteCount?

  @Option(name: .long, help: ArgumentHelp("Backing page (4K, 64K, 2M, 1G).", valueName: "bytes"))
  var pageSize: ByteCount?

  @Option(name: .long, help: "How the memory is backed. (default: from the page size)")
  var backing: Backing?

  @Option(
    name: .long,
    help:
      "How the trace was taken: filter (only the function hooked, trace-cmd record -l), graph (the callees too, -g) or unknown. (default: unknown)"
  )
  var recorded: Recording?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What one hooked but unrecorded callee costs, nanoseconds: corrects traces recorded with -g.",
      valueName: "ns"))
  var hookCost: Double?

  @Option(
    name: .long,
    help: ArgumentHelp("Hooked callees a folio. (default: as counted for 2M pages)", valueName: "n"))
  var hooks: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Costs of this machine for the model, as pinstat model wrote them.", valueName: "file"),
    completion: .file())
  var costs: String?

  func validate() throws {
    if let pageSize {
      guard pageSize.bytes & (pageSize.bytes - 1) == 0, pageSize.bytes >= 4096 else {
        throw ValidationError("--page-size is a power of two of at least 4K.")
      }
      if let size, size.bytes % pageSize.bytes != 0 {
        throw ValidationError("--size is no multiple of --page-size.")
      }
    }
    if backing == .hugetlb, let pageSize, pageSize.bytes == 4096 {
      throw ValidationError("--backing hugetlb has no 4K pages.")
    }
    if let hookCost, !(hookCost >= 0 && hookCost < 1e9) {
      throw ValidationError("--hook-cost takes nanoseconds, 0 or more.")
    }
    if let hooks, !(hooks > 0 && hooks < 1e9) {
      throw ValidationError("--hooks takes a number greater than 0.")
    }
  }

  /// What is asked of the model; nil where no size and page size that it knows are given.
  func model(before: PinningModel.Variant?, after: PinningModel.Variant?) throws -> ModelRequest? {
    guard let size, let pageSize, let page = try? FolioSize(bytes: pageSize.bytes) else { return nil }
    let wanted = backing?.model ?? .init(usualFor: page)
    guard wanted.folioSizes.contains(page) else { return nil }
    return ModelRequest(
      size: size.bytes, pageSize: page, backing: wanted, costs: try costs.map(loadCosts) ?? .published,
      costsAreOfThisMachine: costs != nil, variantBefore: before, variantAfter: after, hookCost: hookCost,
      hooksPerFolio: hooks, calleesAreHooked: recorded == .graph)
  }

  func context(_ selection: SelectionOptions) -> ReportContext {
    ReportContext(
      size: size?.bytes, pageSize: pageSize?.bytes, backing: resolvedBacking?.rawValue,
      recorded: recorded ?? .unknown,
      functions: selection.allFunctions ? ["*"] : selection.selection.patterns.map(\.text),
      filters: selection.filterTexts)
  }

  /// From the page size, where it is not given: what is larger than 4K is hugetlb.
  var resolvedBacking: Backing? {
    backing ?? pageSize.map { $0.bytes == 4096 ? .pages : .hugetlb }
  }
}

/// Where output goes and what else is said.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Write there, whole or not at all, instead of to standard output.", valueName: "file"),
    completion: .file())
  var output: String?

  @Option(name: .long, help: ArgumentHelp("Worker threads. (default: cores)", valueName: "n"))
  var jobs: Int?

  @Option(name: .long, help: "Colour; NO_COLOR is honoured. (default: auto)")
  var color: When?

  @Option(name: .long, help: "Progress on standard error. (default: auto)")
  var progress: When?

  @Flag(name: .shortAndLong, help: "No remarks on standard error, errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say on standard error what is being read.")
  var verbose = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs takes a number of threads, 1 or more.") }
    if output == "" { throw ValidationError("-o needs a file's name.") }
    if quiet, verbose { throw ValidationError("-q and -v exclude one another.") }
  }
}

extension OutputOptions {
  /// For a command that has no other options of these.
  static func to(_ path: String?, quiet: Bool) -> OutputOptions {
    var options = OutputOptions()
    options.output = path
    options.quiet = quiet
    return options
  }
}
