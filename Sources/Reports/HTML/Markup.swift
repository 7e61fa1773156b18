/// HTML that is put together from literals of this program and from values, which are escaped as they are put in.
///
/// A `String` in an interpolation is text, whatever it holds; only another `Markup` goes in as it is.
struct Markup: ExpressibleByStringInterpolation {
  private(set) var html: String

  init(stringLiteral value: String) {
    html = value
  }

  init(stringInterpolation: StringInterpolation) {
    html = stringInterpolation.html
  }

  init() {
    html = ""
  }

  init(joining parts: some Sequence<Markup>, separator: Markup = "") {
    html = parts.map(\.html).joined(separator: separator.html)
  }

  var isEmpty: Bool { html.isEmpty }

  static func += (left: inout Markup, right: Markup) {
    left.html += right.html
  }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var html: String

    init(literalCapacity: Int, interpolationCount: Int) {
      html = ""
      html.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    mutating func appendLiteral(_ literal: String) {
      html += literal
    }

    mutating func appendInterpolation(_ markup: Markup) {
      html += markup.html
    }

    /// Text of an element, or an attribute's value between double quotes.
    mutating func appendInterpolation(_ text: String) {
      html += Escaping.html(text)
    }

    mutating func appendInterpolation(_ number: Int) {
      html += String(number)
    }

    /// A coordinate or a length: at most two decimals.
    mutating func appendInterpolation(_ coordinate: Double) {
      html += shortCoordinate(coordinate)
    }
  }
}

/// At most two decimals, without zeros at the end.
func shortCoordinate(_ value: Double) -> String {
  guard value.isFinite, abs(value) < 1e12 else { return "0" }
  let hundredths = Int((value * 100).rounded())
  let magnitude = hundredths.magnitude
  let fraction = magnitude % 100
  var text = (hundredths < 0 ? "-" : "") + String(magnitude / 100)
  if fraction != 0 {
    text += fraction % 10 == 0 ? ".\(fraction / 10)" : ".\(fraction / 10)\(fraction % 10)"
  }
  return text
}

extension Escaping {
  /// HTML text, or an attribute's value between quotes. Control characters, and those that turn the direction of writing,
  /// become U+FFFD.
  static func html(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in terminal(text).unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      // Not allowed in a document: the noncharacters.
      case _ where scalar.value & 0xfffe == 0xfffe || (0xfdd0...0xfdef).contains(scalar.value):
        result.append("\u{fffd}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
