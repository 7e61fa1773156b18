/// A whole HTML document in one piece: nothing is loaded, and the policy allows nothing to be.
struct Page {
  var title: String
  var body: Markup
  /// Rules of this page alone.
  var rules: String

  var html: String {
    let style = Self.style + rules
    let script = Self.script
    // What the style and the script are is said by their hashes: nothing else in the page, a trace's names least of all,
    // can be either (W3C Content Security Policy Level 3).
    let policy =
      "default-src 'none'; style-src 'sha256-\(SHA256.base64(style))'; script-src 'sha256-\(SHA256.base64(script))'; "
      + "img-src data:; base-uri 'none'; form-action 'none'"
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(Markup(stringLiteral: policy))">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="pinstat \(pinstatVersion)">
      <meta name="referrer" content="no-referrer">
      <link rel="icon" href="data:,">
      <title>\(title)</title>
      <style>\(Markup(stringLiteral: style))</style>
      </head>
      <body>
      \(body)
      <script>\(Markup(stringLiteral: script))</script>
      </body>
      </html>

      """
    return page.html
  }
}

/// A figure that a program can read: `value` is the very number that the JSON holds under the same name.
func figure(_ key: String, _ value: Double?, _ text: String) -> Markup {
  guard let value, value.isFinite else { return "<span class=\"none\">\(text)</span>" }
  return "<data data-key=\"\(key)\" value=\"\(Figures.exact(value))\">\(text)</data>"
}

func figure(_ key: String, _ value: Int) -> Markup {
  "<data data-key=\"\(key)\" value=\"\(value)\">\(value)</data>"
}

/// A table out of markup, with a caption for those who do not see where it stands.
struct HTMLTable {
  struct Column {
    var title: Markup
    var isNumber: Bool
  }

  var caption: String
  var columns: [Column]
  var rows: [[Markup]] = []
  static let rowsInWindow = 25

  /// Sorting and filtering by script.
  var isLong = false

  init(_ caption: String, _ columns: [(Markup, Bool)]) {
    self.caption = caption
    self.columns = columns.map { Column(title: $0.0, isNumber: $0.1) }
  }

  /// The first cell of a row is its heading.
  var markup: Markup {
    let head = Markup(
      joining: columns.map {
        "<th scope=\"col\"\($0.isNumber ? " class=\"n\"" as Markup : "")>\($0.title)</th>"
      })
    let body = Markup(
      joining: rows.map { row in
        let cells = Markup(
          joining: row.enumerated().map { index, cell in
            let numeric: Markup = columns[index].isNumber ? " class=\"n\"" : ""
            return index == 0
              ? "<th scope=\"row\"\(numeric)>\(cell)</th>" : "<td\(numeric)>\(cell)</td>"
          })
        return "<tr>\(cells)</tr>\n"
      })
    let mark: Markup = isLong ? " data-long" : ""
    // A window onto a table that would push everything else far down.
    let window: Markup = rows.count > Self.rowsInWindow ? " window" : ""
    return """
      <div class="scroll\(window)" tabindex="0" role="region" aria-label="\(caption)"><table\(mark)>
      <caption>\(caption)</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body)</tbody></table></div>

      """
  }
}
