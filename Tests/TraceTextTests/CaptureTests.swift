import FunctionGraph
import Testing
import TraceText

/// What `grep` and `awk` count in a capture, by the ends of its lines:
///
///     grep -vE '^#( *[^ 0-9]|$)' F | grep -cE '\) \{$'                    # entries
///     grep -vE '^#( *[^ 0-9]|$)' F | grep -cE '(^|[ |])\}( /\*.*)?$'       # exits
///     grep -vE '^#( *[^ 0-9]|$)' F | grep -cE '\);$'                      # leaves
///     grep -cE ' =>  ? *[^ ].*-[0-9]+ *$' F                              # task switches
///     grep -cE '^CPU:[0-9]+ \[' F                                        # notes of lost events
///     grep -vE '^#( *[^ 0-9]|$)' F | grep -oE '[0-9]+(\.[0-9]+)? us ' |
///       awk '{n=split($1,a,"."); f=(n>1)?a[2]:""; while(length(f)<3) f=f "0"; s+=a[1]*1000+f}
///            END{printf "%.0f", s}'                                     # nanoseconds in all durations
struct CaptureCounts: CustomTestStringConvertible {
  var file: String
  var entries: Int
  var exits: Int
  var leaves: Int
  var switches: Int
  var lost: Int
  var nanoseconds: Int64

  var testDescription: String { file }

  init(_ file: String, _ counts: Int..., nanoseconds: Int64) {
    self.file = file
    (entries, exits, leaves, switches, lost) = (counts[0], counts[1], counts[2], counts[3], counts[4])
    self.nanoseconds = nanoseconds
  }

  static let all = [
    CaptureCounts("6.17-err-enomem-d3.report.txt", 10, 10, 4120, 0, 0, nanoseconds: 36_537_761),
    CaptureCounts("6.17-ic-a-seed-1g-2m-tracefs.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 190_593_460),
    CaptureCounts("6.17-ic-b-seed-1g-2m-tracefs.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 190_176_660),
    CaptureCounts("6.17-icx-d1-256M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 381_187_267),
    CaptureCounts("6.17-icx-d1-512M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 757_579_740),
    CaptureCounts("6.17-icx-filter-256M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 88_406_775),
    CaptureCounts("6.17-icx-filter-512M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 177_525_230),
    CaptureCounts("6.17-matrix-2g-2m.report.txt", 3, 3, 9, 0, 0, nanoseconds: 4_447_227_807),
    CaptureCounts("6.17-matrix-4g-2m.report.txt", 1, 1, 11, 0, 0, nanoseconds: 12_385_654_004),
    CaptureCounts("6.17-nest3-256m-2m.report.txt", 777, 777, 1562, 0, 0, nanoseconds: 64_260_872),
    CaptureCounts("6.17-seed-8g-2m-tracefs.tracefs.txt", 0, 0, 10, 0, 0, nanoseconds: 1_416_752_600),
    CaptureCounts("6.17-seed-8g-2m.report.txt", 0, 0, 12, 0, 0, nanoseconds: 1_678_200_060),
    CaptureCounts("6.17-txt-clock-counter.tracefs.txt", 38, 38, 68, 0, 0, nanoseconds: 2_908_847),
    CaptureCounts("6.17-txt-default.tracefs.txt", 16, 16, 36, 0, 0, nanoseconds: 17_117_860),
    CaptureCounts("6.17-txt-depth1.tracefs.txt", 0, 0, 2, 0, 0, nanoseconds: 978907),
    CaptureCounts("6.17-txt-enomem.tracefs.txt", 18, 18, 36, 0, 0, nanoseconds: 23_712_058),
    CaptureCounts("6.17-txt-events.tracefs.txt", 12, 12, 24, 29, 0, nanoseconds: 2_907_195),
    CaptureCounts("6.17-txt-funcgraph-abstime.tracefs.txt", 10, 10, 26, 0, 0, nanoseconds: 2_033_393),
    CaptureCounts("6.17-txt-funcgraph-args.tracefs.txt", 38, 38, 72, 0, 0, nanoseconds: 10_506_359),
    CaptureCounts("6.17-txt-funcgraph-proc.tracefs.txt", 38, 38, 72, 0, 0, nanoseconds: 15_545_678),
    CaptureCounts("6.17-txt-funcgraph-tail.tracefs.txt", 38, 38, 68, 0, 0, nanoseconds: 2_760_446),
    CaptureCounts("6.17-txt-function-tracer.tracefs.txt", 0, 0, 0, 0, 0, nanoseconds: 0),
    CaptureCounts("6.17-txt-latency-format.tracefs.txt", 10, 10, 30, 0, 0, nanoseconds: 3_244_743),
    CaptureCounts("6.17-txt-marker.tracefs.txt", 10, 10, 26, 0, 0, nanoseconds: 2_201_602),
    CaptureCounts("6.17-txt-multicpu-proc.tracefs.txt", 756, 756, 1508, 0, 0, nanoseconds: 170_832_113),
    CaptureCounts("6.17-txt-no-funcgraph-cpu.tracefs.txt", 40, 40, 73, 0, 0, nanoseconds: 6_845_694),
    CaptureCounts("6.17-txt-no-funcgraph-duration.tracefs.txt", 38, 38, 68, 0, 0, nanoseconds: 0),
    CaptureCounts("6.17-txt-overrun-overwrite.tracefs.txt", 20, 26, 247, 0, 0, nanoseconds: 238_182_898),
    CaptureCounts("6.17-txt-trace_pipe.tracefs.txt", 6078, 6067, 10076, 6, 112, nanoseconds: 9_553_157_270),
    CaptureCounts("6.18-fmt-args.report.txt", 74, 74, 235, 0, 0, nanoseconds: 31_713_181),
    CaptureCounts("6.18-fmt-clock-counter.report.txt", 2, 2, 64, 0, 0, nanoseconds: 3_613_450),
    CaptureCounts("6.18-fmt-clock-x86-tsc.report.txt", 2, 2, 88, 0, 0, nanoseconds: 4_720_807),
    CaptureCounts("6.18-fmt-events.report.txt", 110, 110, 198, 0, 0, nanoseconds: 5_248_491),
    CaptureCounts("6.18-fmt-instance-events.report.txt", 76, 76, 238, 0, 0, nanoseconds: 5_492_278),
    CaptureCounts("6.18-fmt-multicpu.report.txt", 632, 632, 1370, 0, 0, nanoseconds: 30_629_903),
    CaptureCounts("6.18-ic-a-seed-1g-2m-tracefs.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 65_966_010),
    CaptureCounts("6.18-ic-b-seed-1g-2m-tracefs.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 66_140_170),
    CaptureCounts("6.18-icx-d1-256M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 182_782_799),
    CaptureCounts("6.18-icx-d1-512M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 365_480_806),
    CaptureCounts("6.18-icx-filter-256M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 36_976_587),
    CaptureCounts("6.18-icx-filter-512M-2m.tracefs.txt", 0, 0, 6, 0, 0, nanoseconds: 73_849_830),
    CaptureCounts("6.18-seed-8g-2m-tracefs.tracefs.txt", 0, 0, 10, 0, 0, nanoseconds: 929_645_060),
  ]
}

@Suite struct CaptureTests {
  @Test(arguments: CaptureCounts.all)
  func countsAgreeWithGrep(_ expected: CaptureCounts) throws {
    let reading = try Reading(Fixture.bytes(expected.file))
    var counts: [Event.Kind: Int] = [:]
    for event in reading.events { counts[event.kind, default: 0] += 1 }
    #expect(counts[.entry, default: 0] == expected.entries)
    #expect(counts[.exit, default: 0] == expected.exits)
    #expect(counts[.leaf, default: 0] == expected.leaves)
    #expect(counts[.taskSwitch, default: 0] == expected.switches)
    #expect(counts[.lost, default: 0] == expected.lost)
    #expect(counts[.heading, default: 0] == 0)
    #expect(reading.events.reduce(0) { $0 + ($1.duration ?? 0) } == expected.nanoseconds)
    #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics.kept)")
  }

  @Test(arguments: CaptureCounts.all)
  func everyDepthIsKnown(_ capture: CaptureCounts) throws {
    let reading = try Reading(Fixture.bytes(capture.file))
    for event in reading.events where [.entry, .exit, .leaf].contains(event.kind) {
      #expect(event.depth >= 0)
    }
  }

  @Test(arguments: CaptureCounts.all, [1, 7, 64, 4096])
  func blockSizeChangesNothing(_ capture: CaptureCounts, _ blockSize: Int) throws {
    // Byte by byte through a megabyte adds nothing over the first part of it.
    let bytes = try Array(Fixture.bytes(capture.file).prefix(blockSize < 64 ? 40_000 : .max))
    let whole = try Reading(bytes)
    let pieces = try Reading(bytes, blockSize: blockSize)
    #expect(pieces.lines == whole.lines)
    #expect(pieces.description == whole.description)
    #expect(pieces.diagnostics.kept == whole.diagnostics.kept)
  }
}
