internal import Glibc

/// A name or shell glob that selects functions.
///
/// It matches the symbol as the trace has it, or the symbol without the suffixes of whole functions (`.isra.N`,
/// `.constprop.N`; also `.llvm.N` and `.lto_priv.N`, which rename and split nothing). `.part.N` and `.cold` are pieces of a
/// function: they match only when they are named or globbed.
public struct FunctionPattern: Hashable, Sendable {
  public let text: String
  /// It has `*`, `?` or `[`.
  public let isGlob: Bool

  public init(_ text: String) {
    self.text = text
    isGlob = text.utf8.contains {
      $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[")
    }
  }

  public func matches(_ symbol: String) -> Bool {
    if isGlob {
      return fnmatch(text, symbol, 0) == 0 || fnmatch(text, Self.strippingSuffixes(symbol), 0) == 0
    }
    return symbol == text || Self.strippingSuffixes(symbol) == text
  }

  /// What all symbols begin with that it matches: up to a wildcard, or to a suffix, which others may stand in front of.
  var prefix: String {
    let special = isGlob ? "*?[\\." : "."
    return String(text.prefix { !special.contains($0) })
  }

  private static let wholeFunctionSuffixes = [".isra", ".constprop", ".llvm", ".lto_priv"]

  /// The symbol without the suffixes that a compiler gives to a whole function.
  public static func strippingSuffixes(_ symbol: String) -> String {
    guard symbol.utf8.contains(UInt8(ascii: ".")) else { return symbol }
    var kept: [Substring] = []
    var parts = symbol.split(separator: ".", omittingEmptySubsequences: false)[...]
    guard let name = parts.popFirst(), !name.isEmpty else { return symbol }
    kept.append(name)
    while let part = parts.popFirst() {
      if wholeFunctionSuffixes.contains("." + part) {
        if let number = parts.first, !number.isEmpty, number.utf8.allSatisfy({ (48...57).contains($0) }) {
          parts.removeFirst()
        }
        continue
      }
      kept.append(part)
    }
    return kept.joined(separator: ".")
  }
}

/// Which functions of a trace are wanted.
public struct FunctionSelection: Hashable, Sendable {
  public var patterns: [FunctionPattern]
  public var all: Bool

  public init(patterns: [FunctionPattern], all: Bool = false) {
    self.patterns = patterns
    self.all = all
  }

  public func contains(_ symbol: String) -> Bool {
    all || patterns.contains { $0.matches(symbol) }
  }

  /// Whether no function is left out.
  var isEverything: Bool { all || patterns.contains { $0.text == "*" } }

  /// What all wanted symbols begin with, one string a pattern; empty where that can be anything.
  public var prefixes: [String] {
    let prefixes = Set(patterns.map(\.prefix)).sorted()
    return all || prefixes.contains("") ? [] : prefixes
  }

  /// The functions that have to be there: named without a wildcard.
  public var required: [String] {
    all ? [] : patterns.filter { !$0.isGlob }.map(\.text)
  }
}
