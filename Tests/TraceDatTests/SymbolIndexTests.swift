import FunctionGraph
import Testing

@testable import TraceDat

/// The index of symbols against a scan of all lines.
@Suite struct SymbolIndexTests {
  private struct Symbol {
    var address: UInt64
    var name: String
    var module: String
  }

  private static func index(_ text: String, jobs: Int) -> SymbolIndex {
    let bytes = Array(text.utf8)
    let block = RawBlock(capacity: bytes.count)
    block.memory.copyBytes(from: bytes)
    block.count = bytes.count
    return SymbolIndex(kallsyms: block, jobs: jobs)
  }

  /// Sorted as the kernel has its own, not sorted as modules are, with names of every length, names for one address, and
  /// lines that have to be left out.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func lookup(seed: UInt64) {
    var random = SieveTests.Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    // Every other one long enough for several threads, by lines that name nothing.
    let jobs = seed % 2 == 0 ? 3 : 1
    let filling = jobs > 1 ? String(repeating: "no line at all\n", count: 40) : ""
    var symbols: [Symbol] = []
    var text = ""
    var address: UInt64 = 0xffff_ffff_8100_0000
    for number in 0..<2_000 {
      let isModule = number > 1_200
      if isModule {
        address = 0xffff_ffff_c000_0000 + UInt64.random(in: 0..<0x10_0000, using: &random)
      } else if Int.random(in: 0..<10, using: &random) > 0 {
        address += UInt64.random(in: 1..<0x400, using: &random)
      }
      text += filling
      let name = "s\(number)_" + String(repeating: "x", count: Int.random(in: 0..<40, using: &random))
      let module = isModule ? "m\(number / 100)" : ""
      let digits = String(address, radix: 16)
      switch Int.random(in: 0..<20, using: &random) {
      case 0: text += "\(digits) A absolute\n"
      case 1: text += "\(digits) t $d\n"
      case 2: text += "no line\n\n"
      default:
        text += "\(digits) \(number % 2 == 0 ? "t" : "T") \(name)\(isModule ? "\t[\(module)]" : "")\n"
        symbols.append(Symbol(address: address, name: name, module: module))
      }
    }
    let index = Self.index(text, jobs: jobs)
    let highest = symbols.map(\.address).max() ?? 0
    var functions = FunctionTable()
    for number in stride(from: 0, to: symbols.count, by: 13) {
      let symbol = symbols[number]
      for address in [symbol.address, symbol.address + 4, symbol.address - 1] {
        var expected = FunctionName(symbol: "0x" + String(address, radix: 16))
        let below = symbols.filter { $0.address <= address }.map(\.address).max()
        if let below, address <= highest, let first = symbols.first(where: { $0.address == below }) {
          expected = FunctionName(symbol: first.name, module: first.module)
        }
        let function = index.function(at: address, in: &functions)
        #expect(functions[function] == expected)
      }
    }
  }
}
