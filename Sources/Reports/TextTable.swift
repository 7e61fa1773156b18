/// A table as columns of cells, laid out once for every format that has tables.
struct TextTable {
  enum Alignment {
    case left, right
  }

  struct Column {
    var title: String
    var alignment: Alignment
  }

  var columns: [Column]
  var rows: [[String]] = []

  init(_ columns: [(String, Alignment)]) {
    self.columns = columns.map { Column(title: $0.0, alignment: $0.1) }
  }

  mutating func add(_ cells: [String]) {
    rows.append(cells)
  }

  /// Lines for a terminal, indented, two blanks between columns, nothing at the ends of lines.
  func lines(indent: Int = 0, style: (String) -> String = { $0 }) -> [String] {
    let widths = columns.indices.map { column in
      ([columns[column].title] + rows.map { $0[column] }).map(displayWidth).max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      var text = String(repeating: " ", count: indent)
      for (column, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - displayWidth(cell))
        text += columns[column].alignment == .left ? cell + padding : padding + cell
        if column < cells.count - 1 { text += "  " }
      }
      while text.last == " " { text.removeLast() }
      return text
    }
    return [style(line(columns.map(\.title)))] + rows.map(line)
  }

  /// A GitHub-flavoured Markdown table; cells have to be escaped already.
  var markdown: [String] {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    return [line(columns.map(\.title)), line(columns.map { $0.alignment == .left ? "---" : "---:" })]
      + rows.map(line)
  }
}

/// How many columns of a terminal a text takes: two for East Asian wide characters and emoji, none for combining marks
/// (Unicode Standard Annex 11).
func displayWidth(_ text: String) -> Int {
  var width = 0
  for scalar in text.unicodeScalars {
    let value = scalar.value
    if value < 0x300 {
      width += 1
    } else if scalar.properties.generalCategory == .nonspacingMark
      || scalar.properties.generalCategory == .enclosingMark
      || scalar.properties.generalCategory == .format
    {
      continue
    } else {
      switch value {
      case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
        0xfe30...0xfe6f,
        0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
        0x1fa70...0x1faff, 0x20000...0x3fffd:
        width += 2
      default: width += 1
      }
    }
  }
  return width
}

/// Breaks a text into lines of at most `width` columns at blanks; a word that is longer stands alone.
func wrapped(_ text: String, width: Int, indent: String = "") -> [String] {
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    let room = width - displayWidth(lines.isEmpty ? "" : indent)
    if !line.isEmpty, displayWidth(line) + 1 + displayWidth(String(word)) > room {
      lines.append((lines.isEmpty ? "" : indent) + line)
      line = ""
    }
    line += (line.isEmpty ? "" : " ") + word
  }
  if !line.isEmpty || lines.isEmpty { lines.append((lines.isEmpty ? "" : indent) + line) }
  return lines
}
