import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#endif

/// Writes the manual pages out of what the program says of itself:
///
///     pinstat --experimental-dump-help | manual DIRECTORY
///
/// `pinstat.1` and one page a subcommand, in man(7).
@main
enum Manual {
  static func main() {
    guard CommandLine.arguments.count == 2 else {
      fail("usage: pinstat --experimental-dump-help | manual DIRECTORY")
    }
    let folder = CommandLine.arguments[1]
    var input = Data()
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(0, &block, block.count)
      if count < 0 { fail("standard input cannot be read") }
      if count == 0 { break }
      input.append(contentsOf: block[..<count])
    }
    do {
      let tool = try JSONDecoder().decode(ToolInfo.self, from: input)
      guard tool.serializationVersion == 0 else {
        fail("the program describes itself in version \(tool.serializationVersion), and 0 is known")
      }
      for page in Page.all(of: tool.command) {
        try Data(page.text.utf8).write(to: URL(filePath: folder + "/" + page.name + ".1"))
      }
    } catch {
      fail("\(error)")
    }
  }

  static func fail(_ sentence: String) -> Never {
    Array("manual: \(sentence)\n".utf8).withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
    exit(1)
  }
}

/// What swift-argument-parser prints for `--experimental-dump-help`: ToolInfoV0.
struct ToolInfo: Decodable {
  var serializationVersion: Int
  var command: Command

  struct Command: Decodable {
    var commandName: String
    var abstract: String?
    var discussion: String?
    var shouldDisplay: Bool?
    var arguments: [Argument]?
    var subcommands: [Command]?
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String
    }
    /// `positional`, `option` or `flag`.
    var kind: String
    var shouldDisplay: Bool?
    var sectionTitle: String?
    var isOptional: Bool
    var isRepeating: Bool
    var names: [Name]?
    var valueName: String?
    var defaultValue: String?
    var allValues: [String]?
    var abstract: String?
    var discussion: String?
  }
}
