/// A table as columns of cells, laid out once for every format that has tables.
struct TextTable {
  enum Alignment {
    case left, right
  }

  struct Column {
    var title: String
    var alignment: Alignment
  }

  /// A column with all its cells, which can be part of several tables.
  struct FilledColumn {
    let column: Column
    let cells: [String]
    /// Columns of a terminal that it takes.
    let width: Int

    init(_ title: String, _ alignment: Alignment, _ cells: [String]) {
      column = Column(title: title, alignment: alignment)
      self.cells = cells
      width = cells.reduce(displayWidth(title)) { max($0, displayWidth($1)) }
    }
  }

  private(set) var columns: [Column]
  private(set) var rows: [[String]] = []
  /// Columns of a terminal that each column takes.
  private var widths: [Int]
  /// By row and column: how a terminal shows a cell. What it adds has no width.
  private var paints: [Int: [Int: @Sendable (String) -> String]] = [:]

  init(_ columns: [(String, Alignment)]) {
    self.columns = columns.map { Column(title: $0.0, alignment: $0.1) }
    widths = columns.map { displayWidth($0.0) }
  }

  /// - Parameter columns: as many cells in each.
  init(_ columns: [FilledColumn]) {
    self.columns = columns.map(\.column)
    widths = columns.map(\.width)
    rows = (columns.first?.cells.indices ?? 0..<0).map { row in columns.map { $0.cells[row] } }
  }

  /// Columns of a terminal that a table of these takes.
  static func width(of columns: [FilledColumn]) -> Int { width(columns.map(\.width)) }

  mutating func add(_ cells: [String], paint: [Int: @Sendable (String) -> String] = [:]) {
    if !paint.isEmpty { paints[rows.count] = paint }
    for column in widths.indices { widths[column] = max(widths[column], displayWidth(cells[column])) }
    rows.append(cells)
  }

  /// Columns of a terminal that it takes.
  var width: Int { Self.width(widths) }

  private static func width(_ widths: [Int]) -> Int { widths.reduce(0, +) + 2 * max(0, widths.count - 1) }

  /// Lines for a terminal, indented, two blanks between columns, nothing at the ends of lines.
  func lines(indent: Int = 0, style: (String) -> String = { $0 }) -> [String] {
    // Bytes, for a table may have thousands of lines: each piece that is appended to a string is looked at as a string.
    func pad(_ text: inout [UInt8], _ count: Int) {
      if count > 0 { text.append(contentsOf: repeatElement(0x20, count: count)) }
    }
    let room = indent + Self.width(widths)
    func line(_ cells: [String], _ paint: [Int: @Sendable (String) -> String] = [:]) -> String {
      guard let last = cells.lastIndex(where: { !$0.isEmpty }) else { return "" }
      var text: [UInt8] = []
      text.reserveCapacity(room)
      pad(&text, indent)
      for column in 0...last {
        let cell = cells[column]
        let padding = widths[column] - displayWidth(cell)
        let isLeft = columns[column].alignment == .left
        let shown = column == last && isLeft ? cell.droppingBlanksAtEnd : cell
        if !isLeft { pad(&text, padding) }
        text.append(contentsOf: (paint[column].map { $0(shown) } ?? shown).utf8)
        if isLeft, column < last { pad(&text, padding) }
        if column < last { pad(&text, 2) }
      }
      return text.allSatisfy { $0 == 0x20 } ? "" : String(decoding: text, as: UTF8.self)
    }
    return [style(line(columns.map(\.title)))]
      + rows.enumerated().map { line($0.element, paints[$0.offset] ?? [:]) }
  }

  /// Without some columns.
  func dropping(_ dropped: Set<Int>) -> TextTable {
    if dropped.isEmpty { return self }
    let kept = columns.indices.filter { !dropped.contains($0) }
    var result = self
    result.columns = kept.map { columns[$0] }
    result.widths = kept.map { widths[$0] }
    result.rows = rows.map { row in kept.map { row[$0] } }
    result.paints = paints.mapValues { paint in
      Dictionary(
        uniqueKeysWithValues: kept.enumerated().compactMap { new, old in paint[old].map { (new, $0) } })
    }
    return result
  }

  /// The same in at most `width` columns of a terminal, or in as few as there can be.
  ///
  /// - Parameters:
  ///   - drops: columns that go, in this order, while the table is too wide.
  ///   - leastName: to how much the first column is cut before a column goes.
  func fitted(to width: Int, drops: [Int] = [], leastName: Int = 24, ellipsis: String = "…") -> TextTable {
    var gone: Set<Int> = []
    for drop in [nil] + drops.map(Optional.some) {
      if let drop { gone.insert(drop) }
      let table = dropping(gone)
      let widths = table.widths
      let needed = Self.width(widths)
      if needed <= width { return table }
      let name = widths.first ?? 0
      let room = name - (needed - width)
      if room >= min(name, leastName) || drop == drops.last {
        return table.cuttingNames(to: max(8, room), ellipsis)
      }
    }
    return self
  }

  private func cuttingNames(to width: Int, _ ellipsis: String) -> TextTable {
    var result = self
    for row in rows.indices { result.rows[row][0] = cut(rows[row][0], to: width, ellipsis) }
    if let title = columns.first?.title {
      result.columns[0].title = cut(title, to: width, ellipsis)
      result.widths[0] = result.rows.reduce(displayWidth(result.columns[0].title)) {
        max($0, displayWidth($1[0]))
      }
    }
    return result
  }

  /// Several tables, each with the first column and as many of the others as fit.
  func split(to width: Int, ellipsis: String = "…") -> [TextTable] {
    if self.width <= width { return [self] }
    let widths = widths
    let others = widths.dropFirst().max() ?? 0
    let name = min(widths.first ?? 0, max(10, width - 2 * (others + 2)))
    var groups: [[Int]] = []
    var used = width + 1
    for column in columns.indices.dropFirst() {
      if used + 2 + widths[column] > width {
        groups.append([])
        used = name
      }
      groups[groups.count - 1].append(column)
      used += 2 + widths[column]
    }
    return groups.map { group in
      let kept = Set(group)
      return dropping(Set(columns.indices.dropFirst().filter { !kept.contains($0) })).cuttingNames(
        to: name, ellipsis)
    }
  }

  /// A GitHub-flavoured Markdown table; cells have to be escaped already.
  var markdown: [String] {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    return [line(columns.map(\.title)), line(columns.map { $0.alignment == .left ? "---" : "---:" })]
      + rows.map(line)
  }
}

extension String {
  fileprivate var droppingBlanksAtEnd: String {
    guard utf8.last == 0x20 else { return self }
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}

/// How many columns of a terminal a text takes: two for East Asian wide characters and emoji, none for combining marks
/// (Unicode Standard Annex 11).
func displayWidth(_ text: String) -> Int {
  // Nearly all are names and figures in ASCII.
  let isASCII = text.utf8.withContiguousStorageIfAvailable { bytes in bytes.reduce(0) { $0 | $1 } < 0x80 }
  if isASCII == true { return text.utf8.count }
  var width = 0
  for scalar in text.unicodeScalars {
    let value = scalar.value
    // Latin letters, dashes, quotation marks and the ellipsis, what boxes and bars are drawn with.
    if value < 0x300 || 0x2010...0x2027 ~= value || 0x2500...0x25ff ~= value {
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

/// At most so many columns of a terminal of a text, with an ellipsis where something is missing.
func cut(_ text: String, to width: Int, _ ellipsis: String = "…") -> String {
  guard displayWidth(text) > width else { return text }
  var result = ""
  var used = displayWidth(ellipsis)
  for character in text {
    let columns = displayWidth(String(character))
    if used + columns > width { break }
    result.append(character)
    used += columns
  }
  return result + ellipsis
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
