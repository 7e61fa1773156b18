/// What comes from a trace is data: a task may be called anything. Each format makes it harmless in its own way.
enum Escaping {
  /// For a terminal: control characters, which could move the cursor or change its colours, become U+FFFD.
  static func terminal(_ text: String) -> String {
    // Nearly all are names in ASCII.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069:
        result.append("\u{fffd}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// RFC 4180: quoted where it has to be.
  static func csv(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x2c || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }) else {
      return text
    }
    // By scalars: a quote with a combining mark is another `Character`, and still a quote in the file.
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" { result.unicodeScalars.append(scalar) }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }

  /// A name out of a trace, for a CSV that may be opened in a spreadsheet: what would start a formula there gets an
  /// apostrophe in front (OWASP, "CSV Injection"). A plain `-bash` stays as it is.
  static func csvName(_ text: String) -> String {
    guard let first = text.utf8.first else { return "" }
    let startsFormula: Bool
    switch first {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "@"), 0x09, 0x0d: startsFormula = true
    case UInt8(ascii: "-"):
      startsFormula = !text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: "/"), UInt8(ascii: ":"):
          true
        default: false
        }
      }
    default: startsFormula = false
    }
    return csv(startsFormula ? "'" + text : text)
  }

  /// GitHub-flavoured Markdown inside a table cell.
  static func markdown(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in terminal(text).unicodeScalars {
      switch scalar {
      case "\\", "`", "*", "_", "{", "}", "[", "]", "<", ">", "#", "!", "|", "~", "&":
        result.append("\\")
      default: break
      }
      result.append(scalar)
    }
    return String(result)
  }

  /// Inside a Markdown code span in a table cell.
  static func markdownCode(_ text: String) -> String {
    let hasPipe = text.unicodeScalars.contains("|")
    var result = String.UnicodeScalarView("`".unicodeScalars)
    for scalar in terminal(text).unicodeScalars {
      switch scalar {
      case "`": result.append("'")
      case "|": result.append(contentsOf: "\\|".unicodeScalars)
      // Before an escaped pipe it would escape the escape, and no code span can write it otherwise.
      case "\\" where hasPipe: result.append("\u{2216}")
      default: result.append(scalar)
      }
    }
    result.append("`")
    return String(result)
  }

  /// XML 1.0 text or attribute value: characters that it cannot hold become U+FFFD.
  static func xml(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&apos;"
      case "\n": result += "&#10;"
      case "\t": result += "&#9;"
      default:
        let value = scalar.value
        let isAllowed = value >= 0x20 && !(0x7f..<0xa0).contains(value) && value != 0xfffe && value != 0xffff
        result.unicodeScalars.append(isAllowed ? scalar : "\u{fffd}")
      }
    }
    return result
  }

  /// A JSON string, quotes included.
  static func json(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7f || scalar.value == 0x2028 || scalar.value == 0x2029 {
          let hex = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
