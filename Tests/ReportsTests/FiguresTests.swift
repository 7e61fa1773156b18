import Foundation
import Statistics
import Testing

@testable import Reports

@Suite("Numbers and widths")
struct FiguresTests {
  @Test(
    "Nanoseconds as microseconds, exactly",
    arguments: [
      (Int64(33_813_703), "33813.703"), (0, "0.000"), (1, "0.001"), (999, "0.999"), (1_000, "1.000"),
      (-1, "-0.001"),
      (-1_500, "-1.500"), (.max, "9223372036854775.807"), (.min, "-9223372036854775.808"),
      (9_007_199_254_740_993, "9007199254740.993"),
    ])
  func exact(_ nanoseconds: Int64, _ text: String) {
    #expect(Figures.microseconds(nanoseconds) == text)
    var bytes: [UInt8] = []
    bytes.append(thousandths: nanoseconds)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
  }

  @Test(
    "Computed figures have three decimals, or up to six that say more",
    arguments: [
      (1_500.0, "1.500"), (1_500.5, "1.5005"), (1_000.0 / 3, "0.333333"), (0, "0.000"),
      (2e12, "2000000000.000"),
    ])
  func computed(_ nanoseconds: Double, _ text: String) {
    #expect(Figures.microseconds(nanoseconds) == text)
  }

  @Test(
    "Significant digits",
    arguments: [
      (4.14159, 3, "4.14"), (41.4159, 3, "41.4"), (0.00414159, 3, "0.00414"), (414_159, 3, "414159"),
      (0, 3, "0"),
      (-2.5, 2, "-2.5"), (1e-30, 3, "0.000000000000"), (.infinity, 3, "inf"), (.nan, 3, "nan"),
      (1e308, 1, nil),
    ] as [(Double, Int, String?)])
  func significant(_ value: Double, _ digits: Int, _ text: String?) {
    let found = Figures.significant(value, digits)
    if let text { #expect(found == text) } else { #expect(found.count == 309) }
  }

  @Test(
    "p-values",
    arguments: [
      (1, "1.00"), (0.5, "0.50"), (0.0286, "0.029"), (0.001, "0.0010"), (0.00012, "1.2e-04"), (0, "0"),
    ] as [(Double, String)])
  func pValues(_ value: Double, _ text: String) {
    #expect(Figures.pValue(value) == text)
  }

  @Test(
    "Sizes",
    arguments: [
      (UInt64(0), "0 B"), (1_023, "1023 B"), (4_096, "4 KiB"), (2 << 20, "2 MiB"), (8 << 30, "8 GiB"),
      (1 << 40, "1 TiB"),
      (1_536, "1.5 KiB"), (.max, "16777216 TiB"),
    ])
  func bytes(_ count: UInt64, _ text: String) {
    #expect(Figures.bytes(count) == text)
  }

  @Test(
    "A column has the unit of its largest value, and digits for its smallest",
    arguments: [
      ([33_813_703, 73_036_000], "ms", ["33.81", "73.04"]), ([1.5e9, 2e6], "s", ["1.500000", "0.002000"]),
      ([1_500], "µs", ["1.500"]), ([999_999], "µs", ["1000.0"]), ([5], "ns", ["5.0"]), ([0.5], "ns", ["0.5"]),
      ([0, 0], "µs", ["0.000", "0.000"]), ([], "µs", []),
      ([-2_000_000, 1], "ms", ["-2.000000", "0.000001"]),
      ([9_999_999, 10_000_000], "ms", ["10.000", "10.000"]),
    ] as [([Double], String, [String])])
  func columns(_ values: [Double], _ unit: String, _ cells: [String]) {
    let column = DurationColumn(values, ascii: false)
    #expect(column.unit == unit)
    #expect(values.map { column.format($0) } == cells)
    #expect(column.format(nil) == "-")
    // At least three significant digits, as far as nanoseconds go.
    for (value, cell) in zip(values, cells) where abs(value) >= 100 {
      #expect(cell.filter(\.isNumber).drop { $0 == "0" }.count >= 3)
    }
  }

  @Test("Plain ASCII has us")
  func ascii() {
    #expect(DurationColumn([1_500], ascii: true).unit == "us")
    #expect(DurationColumn([1_500], ascii: true).formatWithUnit(1_500) == "1.500 us")
  }

  @Test(
    "Resolutions are whole or have three decimals",
    arguments: [
      (UInt32(1), "0.001"), (10, "0.010"), (100, "0.100"), (1_000, "1"), (10_000, "10"),
      (.max, "4294967.295"),
    ])
  func resolution(_ nanoseconds: UInt32, _ text: String) {
    var bytes: [UInt8] = []
    bytes.append(resolution: nanoseconds)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
  }

  @Test(
    "Columns that a text takes",
    arguments: [
      ("abc", 3), ("µs", 2), ("漢字", 4), ("e\u{301}", 1), ("\u{1f680}", 2), ("한글", 4), ("ｆ", 2),
      ("\u{200b}", 0), ("", 0),
      ("é", 1),
    ])
  func width(_ text: String, _ columns: Int) {
    #expect(displayWidth(text) == columns)
  }

  @Test("Table columns line up with wide characters, and lines have no blanks at their ends")
  func table() {
    var table = TextTable([("name", .left), ("n", .right), ("end", .left)])
    table.add(["漢字", "1", "x"])
    table.add(["abc", "100", ""])
    #expect(table.lines() == ["name    n  end", "漢字    1  x", "abc   100"])
    #expect(
      table.markdown == ["| name | n | end |", "| --- | ---: | --- |", "| 漢字 | 1 | x |", "| abc | 100 |  |"])
  }

  @Test("Lines break at blanks; a longer word stands alone")
  func wrapping() {
    #expect(wrapped("aa bb cc", width: 5) == ["aa bb", "cc"])
    #expect(wrapped("aa bb cc", width: 5, indent: "  ") == ["aa bb", "  cc"])
    #expect(wrapped("abcdefgh ij", width: 4) == ["abcdefgh", "ij"])
    #expect(wrapped("", width: 4) == [""])
    #expect(wrapped("a b", width: -3) == ["a", "b"])
    #expect(wrapped("漢字 漢字", width: 8) == ["漢字", "漢字"])
  }

  /// As printf writes them, ties and their neighbours too.
  @Test func fixedAsPrintf() {
    var generator = SeededGenerator(seed: 7)
    var values: [Double] = [
      0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 1e15, 9e15, 1e16, 1e22, 1e300, 0.0005, 1.0005, 1.005,
    ]
    for _ in 0..<2_000 {
      values.append(Double(Int64.random(in: 0...50_000_000, using: &generator)) / 1_000)
      values.append(Double(Int64.random(in: 0...2_000, using: &generator)) / 16)
      values.append(Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &generator)))
      values.append(Double.random(in: 0...1e7, using: &generator))
    }
    for value in values where value.isFinite {
      for near in [value, value.nextUp, value.nextDown, -value] where near.isFinite {
        for decimals in [0, 1, 2, 3, 6, 9, 12] {
          var expected = String(format: "%.\(decimals)f", near)
          if expected.hasPrefix("-"), !expected.contains(where: { ("1"..."9").contains($0) }) {
            expected.removeFirst()
          }
          if Figures.fixed(near, decimals) != expected {
            Issue.record("\(near) with \(decimals): \(Figures.fixed(near, decimals)), \(expected) expected")
            return
          }
        }
      }
    }
  }
}
