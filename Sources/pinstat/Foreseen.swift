import Analysis
import Glibc
import TraceInput

/// What a command line is going to ask for, as far as that shows before it is parsed, which takes as long as reading what a
/// trace says of itself and its symbols. What is foreseen wrongly costs a little time and changes nothing.
struct Foreseen: Equatable {
  /// The first file that may be an input.
  var path: String
  /// Whether it is the only one.
  var isOnly: Bool
  /// What all functions that are looked for begin with: nothing, but that, where all are; empty where it does not show.
  var prefixes: [String]

  private static let names = ["-f", "--function"]
  /// What may be files without being inputs.
  private static let others = ["-o", "--output", "--costs"]
  /// What takes all functions, and what may take more than those that are looked for.
  private static let takeAll = ["--all-functions", "--callees"]
  private static let takeMore = ["--size", "--format"]

  /// - Parameters:
  ///   - arguments: behind the program's name.
  ///   - isFile: whether a word is a regular file's name.
  /// - Returns: nil where nothing is to be opened, or where one thread is to do all.
  init?(_ arguments: [String], isFile: (String) -> Bool) {
    guard let command = arguments.first, ["analyze", "compare", "export"].contains(command) else {
      return nil
    }
    var inputs: [String] = []
    var functions: [String] = []
    var takesAll = false
    var takesMore = false
    var rest = arguments.dropFirst()
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("-"), argument != "-" else {
        if isFile(argument) { inputs.append(argument) }
        continue
      }
      var name = argument
      var value: String?
      if let sign = argument.firstIndex(of: "=") {
        name = String(argument[..<sign])
        value = String(argument[argument.index(after: sign)...])
      }
      if Self.names.contains(name) || Self.others.contains(name) || name == "--jobs", value == nil {
        value = rest.popFirst()
      }
      if Self.names.contains(name), let value { functions.append(value) }
      if Self.takeAll.contains(name) { takesAll = true }
      if Self.takeMore.contains(name) { takesMore = true }
      if name == "--jobs", value == "1" { return nil }
    }
    guard let path = inputs.first else { return nil }
    self.path = path
    isOnly = inputs.count == 1
    let prefixes = SelectionOptions.selection(functions, all: takesAll).prefixes
    self.prefixes = takesAll || prefixes.isEmpty ? [""] : takesMore ? [] : prefixes
  }
}

extension Pinstat {
  /// The first input, if it is a trace.dat: opened on another thread as soon as this is asked for.
  static let ahead: TraceAhead? = {
    guard availableCores() > 1,
      let foreseen = Foreseen(Array(CommandLine.arguments.dropFirst()), isFile: isRegularFile)
    else { return nil }
    InputLoader.expect(inputs: foreseen.isOnly ? 1 : 2)
    return TraceAhead(path: foreseen.path, symbolsBeginning: foreseen.prefixes)
  }()

  private static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
