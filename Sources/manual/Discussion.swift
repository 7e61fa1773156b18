/// A command's discussion, taken apart: paragraphs, and sections whose heading stands in capitals on a line of its own
/// with indented lines below it.
struct Discussion {
  var paragraphs: [String] = []
  var sections: [(heading: String, lines: [String])] = []

  init(_ text: String) {
    var heading: String?
    var paragraph: [String] = []
    func end(_ paragraphs: inout [String]) {
      if !paragraph.isEmpty { paragraphs.append(paragraph.joined(separator: " ")) }
      paragraph = []
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.isEmpty {
        end(&paragraphs)
      } else if line.allSatisfy({ $0.isUppercase || $0 == " " }) {
        end(&paragraphs)
        heading = line
        sections.append((line, []))
      } else if heading != nil, line.hasPrefix("  ") {
        sections[sections.count - 1].lines.append(String(line.dropFirst(2)))
      } else {
        heading = nil
        paragraph.append(line)
      }
    }
    end(&paragraphs)
  }

  func lines(of heading: String) -> [String]? {
    sections.first { $0.heading == heading }?.lines
  }
}
