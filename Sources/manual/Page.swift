import FoundationEssentials

/// A page in man(7).
struct Page {
  var name: String
  var text: String

  static func all(of tool: ToolInfo.Command) -> [Page] {
    let commands = (tool.subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false }
    let overview = Discussion(tool.discussion ?? "")
    let names = commands.map { tool.commandName + "-" + $0.commandName }
    var pages = [Page(tool, named: tool.commandName, commands: commands, status: overview, others: names)]
    for command in commands {
      let name = tool.commandName + "-" + command.commandName
      pages.append(
        Page(
          command, named: name, commands: [], status: overview,
          others: [tool.commandName] + names.filter { $0 != name }))
    }
    return pages
  }

  /// - Parameter status: where the exit status is told, if the command itself does not.
  private init(
    _ command: ToolInfo.Command, named name: String, commands: [ToolInfo.Command], status: Discussion,
    others: [String]
  ) {
    self.name = name
    text = ""
    let discussion = Discussion(command.discussion ?? "")
    let arguments = (command.arguments ?? []).filter { $0.shouldDisplay != false }
    text += ".TH \(Self.text(name.uppercased())) 1 \(Self.date) pinstat \"User Commands\"\n"
    section("NAME")
    line("\(name) - \(Self.withoutStop(command.abstract ?? ""))")

    section("SYNOPSIS")
    text += ".nh\n"
    let call = name.split(separator: "-").map { "\\fB\($0)\\fR" }.joined(separator: " ")
    if commands.isEmpty {
      var parts = [call, "[\\fIoptions\\fR]"]
      for argument in arguments where argument.kind == "positional" {
        let value = "\\fI\(Self.text((argument.valueName ?? "").uppercased()))\\fR"
        let one = argument.isRepeating ? value + " ..." : value
        parts.append(argument.isOptional ? "[\(one)]" : one)
      }
      text += parts.joined(separator: " ") + "\n"
    } else {
      text +=
        "\(call) \\fIcommand\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]\n.br\n\(call) \\fB\\-\\-version\\fR\n"
    }
    text += ".hy\n"

    section("DESCRIPTION")
    if discussion.paragraphs.isEmpty { line(command.abstract ?? "") }
    for (number, paragraph) in discussion.paragraphs.enumerated() {
      if number > 0 { text += ".PP\n" }
      line(paragraph)
    }
    if !commands.isEmpty {
      section("COMMANDS")
      for command in commands {
        item("\\fB\(Self.text(name))\\-\(Self.text(command.commandName))\\fR(1)", command.abstract ?? "")
      }
    }
    options(arguments)
    for (heading, lines) in discussion.sections where heading != "EXAMPLES" && heading != "EXIT CODES" {
      section(heading)
      items(lines)
    }
    section("EXIT STATUS")
    items(discussion.lines(of: "EXIT CODES") ?? status.lines(of: "EXIT CODES") ?? [])
    if let examples = discussion.lines(of: "EXAMPLES") {
      section("EXAMPLES")
      text += ".nf\n"
      for example in examples { text += Self.text(example) + "\n" }
      text += ".fi\n"
    }
    section("SEE ALSO")
    let pages =
      others.map { ($0, 1) } + [("trace-cmd-record", 1), ("trace-cmd-report", 1), ("perf-ftrace", 1)]
    text += pages.map { "\\fB\(Self.text($0.0))\\fR(\($0.1))" }.joined(separator: ",\n") + "\n"
  }

  // MARK: Pieces

  private mutating func options(_ arguments: [ToolInfo.Argument]) {
    var titles: [String] = []
    for argument in arguments where argument.kind != "positional" {
      let title = argument.sectionTitle ?? ""
      if !titles.contains(title) { titles.append(title) }
    }
    let positional = arguments.filter { $0.kind == "positional" && $0.abstract != nil }
    if !positional.isEmpty {
      section("ARGUMENTS")
      for argument in positional {
        item("\\fI\(Self.text((argument.valueName ?? "").uppercased()))\\fR", argument.abstract ?? "")
      }
    }
    if titles.isEmpty { return }
    section("OPTIONS")
    for title in titles.filter({ !$0.isEmpty }) + (titles.contains("") ? [""] : []) {
      if titles.count > 1 { text += ".SS \"\(Self.text(title.isEmpty ? "Others" : title))\"\n" }
      for argument in arguments
      where argument.kind != "positional" && (argument.sectionTitle ?? "") == title {
        let names = (argument.names ?? []).sorted { $0.kind == "short" && $1.kind != "short" }.map {
          "\\fB\($0.kind == "long" ? "\\-\\-" : "\\-")\(Self.text($0.name))\\fR"
        }
        let value = argument.kind == "option" ? " \\fI\(Self.text(argument.valueName ?? "value"))\\fR" : ""
        var about = argument.abstract ?? ""
        var facts: [String] = []
        if let values = argument.allValues { facts.append("values: " + values.joined(separator: ", ")) }
        if let standard = argument.defaultValue { facts.append("default: " + standard) }
        if !facts.isEmpty { about += " (\(facts.joined(separator: "; ")))" }
        item(names.joined(separator: ", ") + value, about)
      }
    }
  }

  private mutating func section(_ heading: String) {
    text += ".SH \"\(heading)\"\n"
  }

  private mutating func line(_ words: String) {
    text += Self.text(words) + "\n"
  }

  /// - Parameter term: as roff.
  private mutating func item(_ term: String, _ words: String) {
    text += ".TP\n\(term)\n"
    line(words)
  }

  /// `term  words`, two spaces or more between them; a line without is a paragraph.
  private mutating func items(_ lines: [String]) {
    for (number, line) in lines.enumerated() {
      guard let gap = line.firstRange(of: "  ") else {
        // A section's first paragraph needs no mark.
        if number > 0 { text += ".PP\n" }
        self.line(line)
        continue
      }
      let words = line[gap.upperBound...].drop { $0 == " " }
      item("\\fB\(Self.text(String(line[..<gap.lowerBound])))\\fR", String(words))
    }
  }

  /// Of the day that they are made, or that SOURCE_DATE_EPOCH names (reproducible-builds.org), in UTC.
  private static let date: String = {
    let named = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Double.init)
    let day = named.map(Date.init(timeIntervalSince1970:)) ?? Date()
    return day.formatted(.iso8601.year().month().day())
  }()

  /// Text that roff takes as it stands.
  static func text(_ words: String) -> String {
    var result = ""
    for character in words {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "'": result += "\\(aq"
      case "`": result += "\\(ga"
      case "^": result += "\\(ha"
      case "~": result += "\\(ti"
      case "\"": result += "\\(dq"
      default: result.append(character)
      }
    }
    return result.hasPrefix(".") ? "\\&" + result : result
  }

  private static func withoutStop(_ sentence: String) -> String {
    sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
  }
}
