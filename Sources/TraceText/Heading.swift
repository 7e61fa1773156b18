internal import FunctionGraph

/// A line that says which side of a comparison the trace under it belongs to: `Before this patch:`.
///
/// A heading is told from prose by its words: every one must be among those that such headings are made of. "After
/// that, the pages were unpinned:" has a word too many, whatever it begins and ends with.
struct Heading {
  enum Strength {
    /// Ends in a colon, or is marked as a heading (`## Before`, `**Before**`, `=== Before ===`).
    case certain
    /// The right words alone on a line: a heading where the lines around it agree.
    case bare
  }

  var side: Event.Side
  var strength: Strength
  /// Behind the heading: a trace may follow on the same line.
  var end: Int
  private var namesPatch: Bool

  /// No longer line is looked at.
  static let longest = 160

  /// Reads the heading at the start of `line`, at or behind `start`, before `limit`.
  init?(_ line: Line, from start: Int, to limit: Int) {
    let limit = min(limit, line.count, start + Self.longest)
    if let heading = Heading(words: line, from: start, to: limit) {
      self = heading
      return
    }
    // `On another machine, without the patch:` ends in a heading; `the same test, as before:` names no patch.
    let end = line.skipBlanksBack(line.count, downTo: start)
    guard end <= limit, line[end - 1] == UInt8(ascii: ":") else { return nil }
    var clause = end - 1
    while clause > start, line[clause - 1] != UInt8(ascii: ",") { clause -= 1 }
    guard clause > start, let heading = Heading(words: line, from: clause, to: limit),
      heading.namesPatch, heading.strength == .certain, heading.end == end
    else { return nil }
    self = heading
  }

  private init?(words line: Line, from start: Int, to limit: Int) {
    var words = Words()
    var index = start
    var decoration = 0
    // Marks of headings and lists in front.
    while index < limit, line[index].isHeadingMark || line[index].isBlank {
      if !line[index].isBlank && line[index] != UInt8(ascii: ">") { decoration += 1 }
      index += 1
    }
    let isMarked =
      line.has("# ", at: index - 2) || line.has("**", at: index - 2) || line.has("__", at: index - 2)
      || line.has("==", at: index - 3) || line.has("==", at: index - 2) || line.has("--", at: index - 3)
      || line.has("[", at: index - 1) || line.has("*", at: index - 1) || line.has("_", at: index - 1)
    index = Self.skipListNumber(line, index)
    while index < limit {
      let byte = line[index]
      if byte == UInt8(ascii: ":") { break }
      if byte == UInt8(ascii: "("), let close = line.find(UInt8(ascii: ")"), from: index, to: limit) {
        index = close + 1
      } else if byte.isLetter || byte.isDigit || byte >= 0x80 {
        let first = index
        while index < limit, line[index].isWordByte || isInnerPoint(line, index) { index += 1 }
        var last = index
        while line[last - 1] == UInt8(ascii: "-") || line[last - 1] == UInt8(ascii: "_") { last -= 1 }
        guard words.add(line, first..<last) else { return nil }
      } else if byte == UInt8(ascii: ".") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "{")
        || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "?")
      {
        return nil
      } else {
        index += 1
      }
    }
    guard let side = words.side else { return nil }
    self.side = side
    namesPatch = words.patch
    if line[index] == UInt8(ascii: ":") {
      strength = .certain
      end = index + 1
      return
    }
    guard index >= line.count else { return nil }
    strength = isMarked && decoration > 0 ? .certain : .bare
    end = index
  }

  /// `1. ` or `2) ` in front of a heading.
  private static func skipListNumber(_ line: Line, _ index: Int) -> Int {
    let end = line.skipDigits(index)
    guard end > index, line[end + 1].isBlank else { return index }
    return line[end] == UInt8(ascii: ".") || line[end] == UInt8(ascii: ")") ? end + 1 : index
  }
}

/// A point inside a version (`6.17.13`), not at the end of a sentence.
private func isInnerPoint(_ line: Line, _ index: Int) -> Bool {
  line[index] == UInt8(ascii: ".") && (line[index + 1].isDigit || line[index + 1].isLetter)
}

/// The words of a heading so far.
private struct Words {
  private var before = false
  private var after = false
  private var without = false
  private var with = false
  private var old = false
  private var new = false
  private var negated = false
  private(set) var patch = false
  private var count = 0
  private var previous: Meaning?

  /// The side that the words say together; nil where they say none, or both.
  var side: Event.Side? {
    if before != after { return before ? .before : .after }
    if before { return nil }
    if without && with { return nil }
    if without { return patch || count == 1 ? .before : nil }
    if with && (patch || count == 1) { return .after }
    if negated && (new || patch) { return .before }
    if old != new { return old ? .before : .after }
    return nil
  }

  /// Takes one more word; false where headings have no such word.
  mutating func add(_ line: Line, _ range: Range<Int>) -> Bool {
    count += 1
    guard count <= 14 else { return false }
    // A version, a size, a commit: anything with a digit in it.
    for index in range where line[index].isDigit { return true }
    let meaning = Self.meaning(line[range])
    defer { previous = meaning }
    // `with it`, `without it`: the patch.
    if previous == .with || previous == .without, line.has("it", at: range.lowerBound), range.count == 2 {
      patch = true
      return true
    }
    switch meaning {
    case .before: before = true
    case .after: after = true
    case .without: without = true
    case .with: with = true
    case .old: old = true
    case .new: new = true
    case .negation: negated = true
    case .patch: patch = true
    case .filler: break
    case nil: return false
    }
    return true
  }

  private enum Meaning {
    case before, after, without, with, old, new, negation, patch, filler
  }

  private static func meaning(_ word: UnsafeRawBufferPointer) -> Meaning? {
    guard word.count <= 15 else { return nil }
    for (text, meaning) in vocabulary where text.utf8CodeUnitCount == word.count {
      var isEqual = true
      for index in 0..<word.count {
        let byte = word[index]
        let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
        if lower != text.utf8Start[index] {
          isEqual = false
          break
        }
      }
      if isEqual { return meaning }
    }
    return nil
  }

  private static let vocabulary: [(StaticString, Meaning)] = [
    ("before", .before), ("after", .after), ("afterwards", .after), ("without", .without), ("w/o", .without),
    ("wo", .without), ("wo/", .without), ("with", .with), ("w/", .with),
    ("old", .old), ("base", .old), ("baseline", .old), ("original", .old), ("orig", .old), ("vanilla", .old),
    ("stock", .old), ("unpatched", .old), ("unmodified", .old), ("un-patched", .old), ("non-patched", .old),
    ("pre-patch", .old), ("prepatch", .old),
    ("new", .new), ("patched", .new), ("modified", .new), ("optimized", .new), ("optimised", .new),
    ("post-patch", .new), ("postpatch", .new), ("improved", .new),
    ("not", .negation), ("no", .negation), ("non", .negation), ("un", .negation),
    ("patch", .patch), ("patches", .patch), ("patchset", .patch), ("patch-set", .patch), ("series", .patch),
    ("patchseries", .patch), ("commit", .patch), ("change", .patch), ("changes", .patch), ("fix", .patch),
    ("optimization", .patch), ("optimisation", .patch), ("modification", .patch), ("applied", .patch),
    ("this", .filler), ("the", .filler), ("that", .filler), ("these", .filler), ("my", .filler),
    ("our", .filler),
    ("a", .filler), ("an", .filler), ("applying", .filler), ("apply", .filler), ("patching", .filler),
    ("kernel", .filler), ("kernels", .filler), ("linux", .filler), ("version", .filler), ("code", .filler),
    ("result", .filler), ("report", .filler), ("reports", .filler), ("results", .filler), ("trace", .filler),
    ("traces", .filler), ("output", .filler),
    ("log", .filler), ("ftrace", .filler), ("trace-cmd", .filler), ("performance", .filler),
    ("test", .filler),
    ("tests", .filler), ("time", .filler), ("times", .filler), ("timing", .filler), ("timings", .filler),
    ("latency", .filler), ("duration", .filler), ("numbers", .filler), ("number", .filler), ("data", .filler),
    ("measurement", .filler), ("measurements", .filler), ("run", .filler), ("runs", .filler),
    ("case", .filler),
    ("is", .filler), ("are", .filler), ("was", .filler), ("were", .filler), ("we", .filler), ("get", .filler),
    ("got", .filler), ("have", .filler), ("see", .filler), ("looks", .filler), ("look", .filler),
    ("like", .filler),
    ("shows", .filler), ("it", .filler), ("takes", .filler), ("took", .filler), ("as", .filler),
    ("follows", .filler), ("following", .filler), ("below", .filler), ("here", .filler), ("now", .filler),
    ("on", .filler), ("of", .filler), ("for", .filler), ("in", .filler), ("from", .filler), ("and", .filler),
    ("hugetlb", .filler), ("hugetlbfs", .filler), ("thp", .filler), ("vfio", .filler), ("mapping", .filler),
    ("machine", .filler), ("mainline", .filler), ("upstream", .filler), ("latest", .filler),
    ("current", .filler),
    ("function", .filler), ("graph", .filler), ("tracing", .filler), ("side", .filler), ("set", .filler),
  ]
}

extension UInt8 {
  fileprivate var isHeadingMark: Bool {
    switch self {
    case UInt8(ascii: "#"), UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: "-"),
      UInt8(ascii: "~"), UInt8(ascii: "["), UInt8(ascii: ">"), UInt8(ascii: "|"), UInt8(ascii: "`"),
      UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "+"):
      true
    default: false
    }
  }

  fileprivate var isWordByte: Bool {
    isLetter || isDigit || self == UInt8(ascii: "/") || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
      || self >= 0x80
  }
}
