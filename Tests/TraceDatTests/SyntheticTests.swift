import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// Files of shapes that no capture has: what is expected is written here by hand, and where trace-cmd reads such a file
/// it has to agree.
@Suite struct SyntheticTests {
  struct Shape: CustomTestStringConvertible {
    var version: Int
    var isBigEndian: Bool
    var longSize: Int
    var pageSize: Int
    var compression: SyntheticTrace.Compression
    var variant: SyntheticFormats.Variant

    var testDescription: String {
      "v\(version) \(isBigEndian ? "big" : "little") long \(longSize) pages \(pageSize) \(compression) \(variant)"
    }
  }

  static let shapes: [Shape] = {
    var shapes: [Shape] = []
    for (index, variant) in SyntheticFormats.Variant.allCases.enumerated() {
      for (version, compression) in [(6, SyntheticTrace.Compression.none), (7, .none), (7, .zlib)] {
        for isBigEndian in [false, true] {
          for longSize in [4, 8] {
            let pageSize = [4096, 8192, 65536][(index + longSize / 4) % 3]
            shapes.append(
              Shape(
                version: version, isBigEndian: isBigEndian, longSize: longSize, pageSize: pageSize,
                compression: compression, variant: variant))
          }
        }
      }
    }
    return shapes
  }()

  static let start: UInt64 = 1_000_000_000_000

  /// Two CPUs whose events interleave, with every kind of record among them.
  static func trace(_ shape: Shape) -> SyntheticTrace {
    let bytes = SyntheticTrace.Bytes(isBigEndian: shape.isBigEndian, longSize: shape.longSize)
    let formats = SyntheticFormats(variant: shape.variant, bytes: bytes)
    var trace = SyntheticTrace(version: shape.version, bytes: bytes, pageSize: shape.pageSize)
    trace.compression = shape.compression
    trace.formats = formats.texts

    let t = start
    var first = SyntheticPage(bytes, size: shape.pageSize, timestamp: t)
    first.record(t, formats.entry(0x8100_0104, depth: 0, pid: 41))
    first.record(t + 10, bytes.u16(77) + Array(repeating: 1, count: 200))
    first.discarded(t + 11, length: 24)
    first.record(t + 20, formats.entry(0x8100_0200, depth: 1, pid: 41), isLong: true)
    first.extend(to: t + 30_000_000_000)
    first.absolute(t + 30_000_000_003)
    first.record(t + 30_000_000_005, formats.exit(0x8100_0200, depth: 1, pid: 41, from: 1000, to: 31_000))
    var second = SyntheticPage(bytes, size: shape.pageSize, timestamp: t + 40_000_000_000)
    second.missed = 1234
    second.storesCount = true
    second.record(
      t + 40_000_000_002, formats.exit(0x8100_0104, depth: 0, pid: 41, from: 500, to: 40_000_000_500))
    var other = SyntheticPage(bytes, size: shape.pageSize, timestamp: t + 5)
    other.record(t + 5, formats.entry(0xc000_1004, depth: 0, pid: 42))
    other.record(t + 20, formats.exit(0xc000_1004, depth: 0, pid: 42, from: 7, to: 7))
    var third = SyntheticPage(bytes, size: shape.pageSize, timestamp: t + 50_000_000_000)
    third.missed = 0
    third.record(t + 50_000_000_000, formats.entry(0x8100_02fc, depth: -1, pid: 0))
    third.record(t + 50_000_000_001, formats.entry(0xd000_0000, depth: 3, pid: 4711))
    let empty = SyntheticPage(bytes, size: shape.pageSize, timestamp: t + 50_000_000_009)
    trace.buffers = [
      SyntheticTrace.Buffer(
        cpus: [
          .init(number: 0, pages: [first.written(), second.written()]),
          .init(number: 1, pages: [other.written(), third.written(), empty.written()]),
        ])
    ]
    return trace
  }

  static func expected(_ variant: SyntheticFormats.Variant) -> [TraceCmd.Line] {
    let t = start
    func line(
      _ kind: String, _ cpu: Int32, _ pid: Int32, _ comm: String, _ function: String, _ depth: Int32,
      _ time: UInt64,
      _ duration: Int64? = nil
    ) -> TraceCmd.Line {
      TraceCmd.Line(
        kind: kind, cpu: cpu, pid: pid, comm: comm, function: function, depth: depth, timestamp: t + time,
        duration: duration)
    }
    return [
      line("entry", 0, 41, "cat", "outer", 0, 0),
      line("entry", 1, 42, "two words", "in_module", 0, 5),
      line("entry", 0, 41, "cat", "inner.isra.0", 1, 20),
      line("exit", 1, 42, "two words", "in_module", 0, 20, 0),
      line("exit", 0, 41, "cat", "inner.isra.0", 1, 30_000_000_005, 30_000),
      line("exit", 0, 41, "cat", "outer", 0, 40_000_000_002, 40_000_000_000),
      line("entry", 1, 0, "<idle>", "inner.isra.0", -1, 50_000_000_000),
      line("entry", 1, 4711, "<...>", "0xd0000000", 3, 50_000_000_001),
    ]
  }

  @Test(arguments: shapes)
  func everyShape(_ shape: Shape) throws {
    let bytes = Self.trace(shape).written()
    let reading = try Reading(bytes)
    let expected = Self.expected(shape.variant)
    #expect(reading.lines(buffer: 0) == expected)
    #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics.kept)")
    let lost = reading.events.filter { $0.kind == .lost }
    #expect(lost.map(\.lostEvents) == [1234, 0])
    #expect(lost.map(\.cpu) == [0, 1])
    #expect(lost.map(\.timestamp.value) == [Self.start + 40_000_000_000, Self.start + 50_000_000_000])
    let modules = reading.events.filter { $0.kind == .exit }.map { reading.functions[$0.function].module }
    #expect(modules == ["vfio_iommu_type1", "", ""])
    #expect(
      reading.description.format == .traceDat(version: shape.version, compression: shape.compression.rawValue)
    )
    #expect(reading.description.cpuCount == 2)

    guard shape.compression == .none else { return }
    let report = try TraceCmd.report(bytes, buffers: [""])
    let theirs = expected.map { line in
      var line = line
      // trace-cmd prints a short as unsigned, whatever its format says.
      if shape.variant == .shortDepth && line.depth < 0 { line.depth += 65536 }
      return line
    }
    #expect(report.lines[""] == theirs)
    #expect(report.dropped == [1234, 0])
  }
}

extension TraceCmd {
  /// The report of a file that is in memory.
  static func report(_ bytes: [UInt8], buffers: [String]) throws -> Report {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).dat")
    try Data(bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try report(url.path, buffers: buffers)
  }
}
