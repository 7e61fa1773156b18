import Analysis
public import ArgumentParser
import PinningModel
import Reports

// Raw arguments become validated values here, once; each says what it expects when it refuses.

/// A number of bytes with a binary unit: `8G`, `512M`, `4K`, `4096`, `8GiB`.
struct ByteCount: ExpressibleByArgument, Hashable {
  var bytes: UInt64

  init?(argument: String) {
    let text = argument.lowercased()
    let digits = text.prefix { ("0"..."9").contains($0) }
    guard let number = UInt64(digits), number > 0 else { return nil }
    var unit = text.dropFirst(digits.count)
    if unit.hasSuffix("ib") { unit = unit.dropLast(2) } else if unit.hasSuffix("b") { unit = unit.dropLast() }
    let shifts: [Substring: UInt64] = ["": 0, "k": 10, "m": 20, "g": 30, "t": 40]
    guard let shift = shifts[unit], number <= UInt64.max >> shift else { return nil }
    bytes = number << shift
  }
}

/// As `ByteCount`, and 0.
struct ByteOffset: ExpressibleByArgument, Hashable {
  var text: String
  var bytes: UInt64

  init?(argument: String) {
    text = argument
    if argument == "0" {
      bytes = 0
    } else if let count = ByteCount(argument: argument) {
      bytes = count.bytes
    } else {
      return nil
    }
  }
}

/// A length of time: `10s`, `500ms`, `2m`, `1.5` (seconds); greater than 0, at most a week.
struct Seconds: ExpressibleByArgument, Hashable {
  var value: Double

  init?(argument: String) {
    let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
    let unit = units.first { argument.hasSuffix($0.0) }
    guard let number = Double(argument.dropLast(unit?.0.count ?? 0)), number > 0 else { return nil }
    value = number * (unit?.1 ?? 1)
    guard value >= 0.001, value <= 604_800 else { return nil }
  }
}

/// A share: `5%`, `0.05`; at least 0.
struct Share: ExpressibleByArgument, Hashable {
  var value: Double

  init(value: Double) {
    self.value = value
  }

  init?(argument: String) {
    let isPercent = argument.hasSuffix("%")
    guard let number = Double(isPercent ? argument.dropLast() : argument[...]), number.isFinite, number >= 0
    else {
      return nil
    }
    value = isPercent ? number / 100 : number
  }

  var defaultValueDescription: String { "\(Int((value * 100).rounded()))%" }
}

/// A ratio: `2x`, `1.5`; greater than 0.
struct Ratio: ExpressibleByArgument, Hashable {
  var value: Double

  init?(argument: String) {
    guard let number = Double(argument.hasSuffix("x") ? argument.dropLast() : argument[...]), number.isFinite,
      number > 0
    else { return nil }
    value = number
  }
}

/// Numbers and ranges: `0-3,8`.
struct NumberList: ExpressibleByArgument, Hashable {
  var text: String
  var ranges: [ClosedRange<Int>]

  init?(argument: String) {
    text = argument
    ranges = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      guard let low = Int32(ends[0]), low >= 0, let high = ends.count == 1 ? low : Int32(ends[1]), high >= low
      else {
        return nil
      }
      ranges.append(Int(low)...Int(high))
    }
  }
}

/// A point in trace time, seconds with up to nine decimals, kept as whole nanoseconds.
struct TraceTime: ExpressibleByArgument, Hashable {
  var text: String
  var nanoseconds: UInt64

  init?(argument: String) {
    text = argument
    let parts = argument.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? parts[1] : ""
    guard let seconds = UInt64(parts[0].isEmpty ? "0" : parts[0]), fraction.count <= 9, !argument.isEmpty,
      argument != ".", fraction.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    let padded = fraction + String(repeating: "0", count: 9 - fraction.count)
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow, let rest = UInt64(padded) else { return nil }
    let (sum, carry) = product.addingReportingOverflow(rest)
    guard !carry else { return nil }
    nanoseconds = sum
  }
}

/// One of a few words.
///
/// What follows from that is said here and not left to the argument parser: its own code for all enumerations has the Swift
/// runtime look for each one's conformances, some 190,000 instructions a search among the 4,300 of this program.
public protocol Choice: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

extension Choice {
  public init?(argument: String) { self.init(rawValue: argument) }
  public var defaultValueDescription: String { rawValue }
  public static var allValueStrings: [String] { allCases.map { $0.rawValue } }
  public static var allValueDescriptions: [String: String] { [:] }
  public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

enum Backing: String, Choice {
  case hugetlb, thp, pages
}

extension Backing {
  var model: PinningModel.Backing {
    switch self {
    case .hugetlb: .hugetlb
    case .thp: .thp
    case .pages: .pages
    }
  }
}

enum When: String, Choice {
  case auto, always, never
}

extension Recording: Choice {}
extension Metric: Choice {}

enum UndecidedPolicy: String, Choice {
  case pass, fail
}
