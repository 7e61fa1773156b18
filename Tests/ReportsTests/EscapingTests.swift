import Foundation
import Testing

@testable import Reports

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Names of any kind in every format")
struct EscapingTests {
  @Test(
    "Nothing that moves a terminal's cursor, changes its colours or its direction gets through",
    arguments: hostileNames)
  func terminal(_ name: String) {
    for scalar in Escaping.terminal(name).unicodeScalars {
      #expect(scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value))
      #expect(!(0x202a...0x202e).contains(scalar.value))
    }
    #expect(Escaping.terminal(name).unicodeScalars.count == name.unicodeScalars.count)
  }

  @Test(
    "A field is quoted only where it has to be",
    arguments: [
      ("plain", "plain"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\""), ("", ""),
      (" a", " a"),
    ])
  func csv(_ text: String, _ field: String) {
    #expect(Escaping.csv(text) == field)
  }

  @Test(
    "What starts a formula gets an apostrophe, a shell's name does not",
    arguments: [
      ("=1", "'=1"), ("+1", "'+1"), ("@x", "'@x"), ("-bash", "-bash"), ("-1+1", "'-1+1"), ("\tx", "'\tx"),
      ("x=1", "x=1"),
      ("=a,b", "\"'=a,b\""),
    ])
  func formula(_ text: String, _ field: String) {
    #expect(Escaping.csvName(text) == field)
  }

  @Test("XML holds any name, as text and as attribute", arguments: hostileNames)
  func xml(_ name: String) throws {
    let escaped = Escaping.xml(name)
    let document = try XMLDocument(xmlString: "<a b=\"\(escaped)\">\(escaped)</a>", options: [])
    let element = try #require(document.rootElement())
    let isHeld = name.unicodeScalars.allSatisfy {
      ($0.value >= 0x20 || $0.value == 9 || $0.value == 10) && !(0x7f..<0xa0).contains($0.value)
    }
    if isHeld {
      #expect(element.stringValue == name)
      #expect(element.attribute(forName: "b")?.stringValue == name)
    } else {
      #expect(element.stringValue?.contains("\u{fffd}") == true)
    }
  }

  /// How many unescaped pipes a table row has: a backslash and what follows are one.
  private func pipes(_ row: String) -> Int {
    var count = 0
    var isEscaped = false
    for byte in row.utf8 {
      if isEscaped {
        isEscaped = false
      } else if byte == 0x5c {
        isEscaped = true
      } else if byte == 0x7c {
        count += 1
      }
    }
    return count
  }

  @Test("A name breaks out of no Markdown cell and of no code span", arguments: hostileNames)
  func markdown(_ name: String) {
    for cell in [Escaping.markdown(name), Escaping.markdownCode(name)] {
      #expect(pipes(cell + " |") == 1)
      #expect(!cell.unicodeScalars.contains { $0.value < 0x20 })
    }
    #expect(Escaping.markdownCode(name).unicodeScalars.count { $0 == "`" } == 2)
    // As text, a tag's bracket is always escaped.
    let scalars = Array(Escaping.markdown(name).unicodeScalars)
    for (index, scalar) in scalars.enumerated() where scalar == "<" || scalar == "`" || scalar == "*" {
      #expect(index > 0 && scalars[index - 1] == "\\")
    }
  }
}
