internal import FunctionGraph

/// The functions of calls that are paired, by their addresses.
final class PairedFunctions {
  struct Cached: BitwiseCopyable {
    /// 0 is no address.
    var address: UInt64
    var function: UInt32
  }

  private let symbols: SymbolIndex
  private(set) var names = FunctionTable()
  /// Of `names`.
  private(set) var namesCount = 1
  private var known = IntegerMap()
  /// By the hash of the address: what is there answers in one load and one compare.
  let cache = GrowingTable<Cached>(
    repeating: Cached(address: 0, function: 0), count: StackTally.cacheSlots)

  init(_ symbols: SymbolIndex) { self.symbols = symbols }

  /// - Returns: its number in `names`.
  func number(of address: UInt64) -> UInt32 {
    let number: UInt32
    if let found = known[address] {
      number = found
    } else {
      number = symbols.function(at: address, in: &names).rawValue
      known.insert(address, number)
      namesCount = names.count
    }
    cache.base[StackTally.slot(address)] = Cached(address: address, function: number)
    return number
  }
}
