import Foundation
import FunctionGraph
import Testing

@testable import TraceDat

/// What options do to time stamps, with trace-cmd as the other implementation; and clocks that are no time.
@Suite struct TimeTests {
  /// A version 7 file with one entry and one exit in each buffer.
  static func trace(clocks: [(name: String, clock: String)], options: [(UInt16, [UInt8])] = [])
    -> SyntheticTrace
  {
    let bytes = SyntheticTrace.Bytes()
    let formats = SyntheticFormats(variant: .today, bytes: bytes)
    var trace = SyntheticTrace(bytes: bytes)
    trace.formats = formats.texts
    trace.options = options
    trace.buffers = clocks.enumerated().map { index, buffer in
      var page = SyntheticPage(bytes, size: 4096, timestamp: 123_456_789_012_345)
      page.record(123_456_789_012_345, formats.entry(0x8100_0104, depth: 0, pid: 41))
      page.record(123_456_799_999_999, formats.exit(0x8100_0104, depth: 0, pid: 41, from: 100, to: 350))
      return SyntheticTrace.Buffer(
        name: buffer.name, clock: buffer.clock, cpus: [.init(number: 1, pages: [page.written()])])
    }
    return trace
  }

  static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

  static let tsc =
    SyntheticTrace.Bytes().u32(2_863_311) + SyntheticTrace.Bytes().u32(23)
    + SyntheticTrace.Bytes().u64(77)

  static func shift(_ samples: [(UInt64, UInt64, UInt64)], flags: UInt32, fraction: UInt64?) -> [UInt8] {
    let bytes = SyntheticTrace.Bytes()
    var option = bytes.u64(1) + bytes.u32(flags) + bytes.u32(2)
    for _ in 0..<2 {
      option += bytes.u32(UInt32(samples.count)) + samples.flatMap { bytes.u64($0.0) }
      option += samples.flatMap { bytes.u64($0.1) } + samples.flatMap { bytes.u64($0.2) }
    }
    if let fraction {
      for _ in 0..<2 * samples.count { option += bytes.u64(fraction) }
    }
    return option
  }

  static let near: UInt64 = 123_456_780_000_000

  static let cases: [(String, String, [(UInt16, [UInt8])])] = [
    ("date", "local", [(1, text("0x5ff"))]),
    ("date, large", "mono", [(1, text("0x5d5f0a1b2c3d4"))]),
    ("offset", "global", [(7, text("-1000000"))]),
    ("offset and date", "local", [(7, text("1234567")), (1, text("100"))]),
    ("tsc converted", "x86-tsc", [(14, tsc)]),
    ("tsc converted, then offset", "x86-tsc", [(14, tsc), (7, text("555"))]),
    ("one shift", "local", [(12, shift([(near, 5_000_000, 1)], flags: 0, fraction: 0))]),
    (
      "two shifts", "local",
      [(12, shift([(near, 5_000_000, 1), (near + 9_500_000, 6_000_000, 1)], flags: 0, fraction: 0))]
    ),
    (
      "two shifts, interpolated", "local",
      [(12, shift([(near, 5_000_000, 1), (near + 9_500_000, 6_000_000, 1)], flags: 1, fraction: 0))]
    ),
    (
      "three shifts, scaled", "local",
      [
        (
          12,
          shift(
            [(near, 5_000_000, 4), (near + 9_500_000, 6_000_000, 5), (near + 90_000_000, 6_000_001, 6)],
            flags: 1,
            fraction: 2)
        )
      ]
    ),
  ]

  @Test(arguments: cases.indices)
  func options(_ index: Int) throws {
    let (name, clock, options) = Self.cases[index]
    let bytes = Self.trace(clocks: [("", clock)], options: options).written()
    let reading = try Reading(bytes)
    let theirs = try TraceCmd.report(bytes, buffers: [""]).lines[""] ?? []
    #expect(theirs.count == 2, "\(name)")
    #expect(reading.lines(buffer: 0) == theirs, "\(name)")
    #expect(reading.events.allSatisfy { $0.timestamp.unit == .nanoseconds })
    #expect(reading.lines(buffer: 0).first?.timestamp != 123_456_789_012_345, "\(name)")
  }

  @Test func severalBuffersWithClocksOfTheirOwn() throws {
    let clocks = [("", "local"), ("counting", "counter"), ("ticking", "x86-tsc"), ("mono", "mono_raw")]
    let bytes = Self.trace(
      clocks: clocks,
      options: [
        (2, Self.text("CPU: 1\noverrun: 5\ncommit overrun: 1\n")),
        (2, Self.text("\nBuffer: mono\n\n")), (2, Self.text("CPU: 1\nentries: 9\ndropped events: 3\n")),
      ]
    ).written()
    let reading = try Reading(bytes)
    #expect(reading.description.buffers.map(\.name) == clocks.map(\.0))
    #expect(reading.description.buffers.map(\.clock) == clocks.map(\.1))
    #expect(reading.description.buffers.map(\.timestampsAreTime) == [true, false, false, true])
    #expect(reading.description.buffers.map(\.overrun) == [6, 0, 0, 3])
    #expect(reading.events.map(\.buffer) == [0, 0, 1, 1, 2, 2, 3, 3])
    #expect(
      reading.events.map(\.timestamp.unit) == [
        .nanoseconds, .nanoseconds, .raw, .raw, .raw, .raw, .nanoseconds, .nanoseconds,
      ])
    #expect(reading.events.compactMap(\.duration) == [250, 250, 250, 250])
    #expect(reading.diagnostics.counts == [.clockIsNotTime: 2])
    let report = try TraceCmd.report(bytes, buffers: clocks.map(\.0))
    for (index, clock) in clocks.enumerated() {
      #expect(reading.lines(buffer: index).map(\.function) == report.lines[clock.0]?.map(\.function))
    }
  }

  /// As U-Boot's proftool writes them: version 6, 32-bit longs in front of 64-bit pages, stamps in microseconds that an
  /// option makes nanoseconds although the clock is `local`.
  @Test func filesOfOtherWriters() throws {
    let kernel = SyntheticTrace.Bytes()
    var trace = SyntheticTrace(version: 6, bytes: .init(longSize: 4))
    let formats = SyntheticFormats(variant: .older, bytes: kernel)
    trace.formats = formats.texts.map {
      $0.replacingOccurrences(of: "size:1;\tsigned", with: "size:1;signed")
    }
    trace.headerPage = """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
      \tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;

      """
    trace.options = [
      (4, []), (5, Array("U-Boot".utf8)), (9, Array("unknown".utf8)),
      (14, kernel.u32(1000) + kernel.u32(0) + kernel.u64(0)),
    ]
    trace.cmdlines = "1 u-boot\n"
    trace.cpuCount = 1
    var page = SyntheticPage(kernel, size: 4096, timestamp: 1_234_567)
    page.record(1_234_567, formats.entry(0x8100_0104, depth: 0, pid: 1))
    page.record(1_234_600, formats.exit(0x8100_0104, depth: 0, pid: 1, from: 0, to: 33))
    trace.buffers = [SyntheticTrace.Buffer(cpus: [.init(number: 0, pages: [page.written()])])]
    let bytes = trace.written()
    let reading = try Reading(bytes)
    #expect(reading.lines(buffer: 0) == (try TraceCmd.report(bytes, buffers: [""]).lines[""]))
    #expect(reading.events.map(\.timestamp) == [.nanoseconds(1_234_567_000), .nanoseconds(1_234_600_000)])
    #expect(reading.events.last?.duration == 33)
    #expect(reading.description.uname == "U-Boot")
    #expect(reading.description.kernelRelease == "")
    #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics.kept)")
  }

  /// A conversion of ticks belongs to the buffer that counts them.
  @Test func ticksOfOneBufferOnly() throws {
    let bytes = Self.trace(clocks: [("", "local"), ("ticking", "x86-tsc")], options: [(14, Self.tsc)])
      .written()
    let reading = try Reading(bytes)
    #expect(reading.description.buffers.map(\.timestampsAreTime) == [true, true])
    let times = reading.events.map(\.timestamp.value)
    #expect(times[0] == 123_456_789_012_345)
    let product = (123_456_789_012_345 as UInt64).multipliedFullWidth(by: 2_863_311)
    #expect(times[2] == product.high << (64 - 23) | product.low >> 23)
  }

  @Test func numbersAreReadAsStrtollDoes() {
    func number(_ text: String) -> Int64 {
      var bytes = text
      return bytes.withUTF8 { ContainerOptions.number(UnsafeRawBufferPointer($0)) }
    }
    #expect(number("0x1f") == 31)
    #expect(number(" -12\n") == -12)
    #expect(number("017") == 15)
    #expect(number("99999999999999999999") == .max)
    #expect(number("-0xffffffffffffffff") == .min)
    #expect(number("") == 0)
    #expect(number("12abc") == 12)
  }
}
