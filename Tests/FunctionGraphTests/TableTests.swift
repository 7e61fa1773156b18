import FunctionGraph
import Testing

@Suite("Tables of names")
struct TableTests {
  @Test("Equal strings have one number, in the order of first appearance")
  func interning() {
    var table = StringTable()
    #expect(table.count == 1)
    #expect(table[.none] == "")
    #expect(table.intern("") == .none)
    let a = table.intern("a")
    let b = table.intern("b")
    #expect([a.rawValue, b.rawValue] == [1, 2])
    #expect(table.intern("a") == a)
    #expect(table[b] == "b")
    #expect(table.find("b") == b)
    #expect(table.find("c") == nil)
    #expect(table.byteCount == 2)
  }

  @Test("Growing keeps every number")
  func growth() {
    var table = StringTable()
    let ids = (0..<10_000).map { table.intern("name\($0)") }
    #expect(Set(ids).count == 10_000)
    #expect((0..<10_000).allSatisfy { table[ids[$0]] == "name\($0)" && table.find("name\($0)") == ids[$0] })
  }

  @Test("Bytes that are no text stay apart, and read as U+FFFD")
  func bytes() {
    var table = StringTable()
    func intern(_ bytes: [UInt8]) -> StringTable.ID { bytes.withUnsafeBytes { table.intern($0) } }
    let broken = intern([0x61, 0xff])
    let other = intern([0x61, 0xfe])
    #expect(broken != other)
    #expect(table[broken] == "a\u{fffd}")
    #expect(Array(table.bytes(other)) == [0x61, 0xfe])
    // A prefix is another string.
    #expect(intern([0x61]) != broken)
  }

  @Test("One symbol in two modules is two functions")
  func functions() {
    var table = FunctionTable()
    let core = table.intern(FunctionName(symbol: "f"))
    let module = table.intern(FunctionName(symbol: "f", module: "m"))
    let joined = table.intern(FunctionName(symbol: "fm"))
    #expect(Set([core, module, joined]).count == 3)
    #expect(table[module] == FunctionName(symbol: "f", module: "m"))
    #expect(table[core] == FunctionName(symbol: "f"))
    #expect(table[.none] == FunctionName(symbol: ""))
    #expect(table.count == 4)
  }

  @Test("Diagnostics are all counted, and the first of each kind kept")
  func diagnostics() {
    var diagnostics = Diagnostics()
    var built = 0
    func detail() -> String {
      built += 1
      return "x"
    }
    for line in 1...100 { diagnostics.record(.unreadableLine, at: .line(line), detail()) }
    diagnostics.record(.truncated, at: .byte(7), "y")
    #expect(diagnostics.counts == [.unreadableLine: 100, .truncated: 1])
    #expect(diagnostics.kept.count == Diagnostics.keptPerKind + 1)
    #expect(built == Diagnostics.keptPerKind)
  }
}
