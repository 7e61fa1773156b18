import Testing

@testable import Analysis
@testable import FunctionGraph

@Suite("Which functions and calls are wanted")
struct SelectionTests {
  @Test(
    "Names match without compiler suffixes of whole functions, pieces only when named or globbed",
    arguments: [
      ("f", "f", true), ("f", "g", false), ("f", "ff", false), ("f", "f.isra.0", true),
      ("f", "f.constprop.0", true), ("f", "f.constprop.0.isra.12", true), ("f", "f.llvm.123456789", true),
      ("f", "f.part.0", false), ("f", "f.cold", false), ("f", "f.isra.0.cold", false),
      ("f", "f.part.0.isra.0", false),
      ("f.part.0", "f.part.0", true), ("f.part.0", "f.part.0.isra.0", true), ("f.cold", "f.cold", true),
      ("f.cold", "f.isra.0.cold", true), ("f.isra.0", "f.isra.0", true), ("f*", "f.part.0", true),
      ("f*", "f.cold", true), ("vfio_*", "vfio_pin_map_dma", true), ("vfio_?in_*", "vfio_pin_map_dma", true),
      ("vfio_[a-o]*", "vfio_pin_map_dma", false), ("*_dma", "vfio_pin_map_dma.isra.0", true),
      ("*", "anything", true),
      ("F", "f", false), ("[", "[", true), (".hidden", ".hidden", true), ("f", "f.isra", true),
      ("f", "f.isra.x", false), ("", "f", false),
    ])
  func matching(_ pattern: String, _ symbol: String, _ expected: Bool) {
    #expect(FunctionPattern(pattern).matches(symbol) == expected)
  }

  @Test(
    "What is left of a symbol for pairing two kernels",
    arguments: [
      ("f", "f"), ("f.isra.0", "f"), ("f.constprop.0.isra.1", "f"), ("f.part.0", "f.part.0"),
      ("f.part.0.isra.3", "f.part.0"), ("f.isra.0.cold", "f.cold"),
      ("0xffffffff81234567", "0xffffffff81234567"),
      (".x.isra.0", ".x.isra.0"), ("", ""), ("f.", "f."), ("f..isra.0", "f."),
    ])
  func stripping(_ symbol: String, _ expected: String) {
    #expect(FunctionPattern.strippingSuffixes(symbol) == expected)
  }

  @Test("Only names without wildcards are required, and none where all functions are wanted")
  func required() {
    #expect(selection("a", "b*", "c?", "d[1]").required == ["a"])
    #expect(FunctionSelection(patterns: [FunctionPattern("a")], all: true).required.isEmpty)
    #expect(FunctionSelection(patterns: [], all: true).contains("whatever"))
    #expect(!selection("a").contains("b"))
  }

  @Test("The nearest names come first: a slip of the keyboard, then what holds the name")
  func nearest() {
    let names = [
      "vfio_pin_map_dma", "vfio_pin_pages_remote", "vfio_remove_dma", "schedule", "0xffffffff81234567",
      "vfio_unpin_pages_remote", "vfio_pin_map_dma.isra.0",
    ]
    #expect(nearestNames(to: "vfio_pin_mpa_dma", among: names).first == "vfio_pin_map_dma")
    #expect(nearestNames(to: "vfio_pin_pages", among: names).first == "vfio_pin_pages_remote")
    #expect(nearestNames(to: "shedule", among: names) == ["schedule"])
    #expect(nearestNames(to: "completely_different_thing", among: names).isEmpty)
    #expect(nearestNames(to: "0xffffffff81234568", among: names).isEmpty)
    #expect(nearestNames(to: "", among: names).isEmpty)
    #expect(nearestNames(to: String(repeating: "x", count: 100_000), among: names).isEmpty)
  }

  @Test(
    "The edit distance counts a transposition once",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("ca", "abc", 3), ("ab", "ba", 1),
      ("kitten", "sitting", 3),
      ("abcdef", "abcfed", 2),
    ])
  func distance(_ a: String, _ b: String, _ expected: Int) {
    #expect(alignmentDistance(Array(a.utf8), Array(b.utf8)) == expected)
    #expect(alignmentDistance(Array(b.utf8), Array(a.utf8)) == expected)
  }

  @Test("The family shares leading words, the longest first")
  func family() {
    let names = ["vfio_a", "vfio_pin_b", "vfio_pin_map_c", "vfs_read", "a_b"]
    #expect(familyNames(of: "vfio_pin_map_dma", among: names) == ["vfio_pin_map_c", "vfio_pin_b", "vfio_a"])
    #expect(familyNames(of: "vfio_pin_map_dma", among: names, limit: 2) == ["vfio_pin_map_c", "vfio_pin_b"])
    #expect(familyNames(of: "x_y", among: names).isEmpty)
  }

  // MARK: Filters

  private func call(cpu: Int32 = 1, pid: Int32 = 10, time: Timestamp = .nanoseconds(1_000)) -> Call {
    Call(
      function: FunctionID(rawValue: 1), status: .complete, column: 0, side: nil, buffer: 0, cpu: cpu,
      pid: pid,
      comm: .none, depth: 0, timestamp: time, duration: 5, resolution: 1, selfTime: 5, path: CallPaths.root,
      stack: 0,
      sequence: 1)
  }

  @Test("CPU and pid ranges are inclusive")
  func ranges() {
    var filter = CallFilter()
    #expect(filter.accepts(call(cpu: -1, pid: -1, time: .none), comm: "", buffer: ""))
    filter.cpus = [0...3, 8...8]
    let accepted = [-1, 0, 3, 4, 8, 9].map { filter.accepts(call(cpu: $0), comm: "", buffer: "") }
    #expect(accepted == [false, true, true, false, true, false])
    filter.pids = [10...11]
    #expect(
      [9, 10, 11, 12, -1].map { filter.accepts(call(pid: $0), comm: "", buffer: "") } == [
        false, true, true, false, false,
      ])
  }

  @Test("Times are inclusive, and what has no time is not in range")
  func times() {
    var filter = CallFilter()
    filter.from = 1_000
    filter.to = 2_000
    func accepts(_ time: Timestamp) -> Bool { filter.accepts(call(time: time), comm: "", buffer: "") }
    #expect([999, 1_000, 2_000, 2_001].map { accepts(.nanoseconds($0)) } == [false, true, true, false])
    #expect(!accepts(.none))
    #expect(!accepts(.raw(1_500)))
  }

  @Test("Tasks and buffers by name or glob; the top buffer's name is empty")
  func names() {
    var filter = CallFilter()
    filter.comms = ["qemu*", "bash"]
    #expect(
      ["qemu-system", "bash", "sh", ""].map { filter.accepts(call(), comm: $0, buffer: "") } == [
        true, true, false, false,
      ])
    filter = CallFilter()
    filter.buffers = [""]
    #expect(["", "inst"].map { filter.accepts(call(), comm: "", buffer: $0) } == [true, false])
    filter.buffers = ["inst*"]
    #expect(["", "inst1"].map { filter.accepts(call(), comm: "", buffer: $0) } == [false, true])
  }
}
