/// Tells of a record's function, by its address alone, that it need not be looked at.
protocol AddressFilter {
  /// False only for addresses that were, or would be, found unwanted.
  func mayBeWanted(_ address: UInt64) -> Bool
}

/// Where all wanted functions lie, and no other: no address has to be looked up.
struct WantedRange: AddressFilter {
  let start: UInt64
  let size: UInt64

  /// - Parameter ranges: in any order; none where no function is wanted.
  /// - Returns: nil where they are not one.
  init?(_ ranges: [Range<UInt64>]) {
    let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
    for (range, next) in zip(sorted, sorted.dropFirst()) where range.upperBound != next.lowerBound {
      return nil
    }
    start = sorted.first?.lowerBound ?? 0
    size = (sorted.last?.upperBound ?? 0) - start
  }

  @inline(__always)
  func mayBeWanted(_ address: UInt64) -> Bool { address &- start < size }
}

/// The table of a `FunctionSieve`.
struct UnwantedAddresses: AddressFilter {
  let table: UnsafeRawPointer

  /// The slot is within the table whatever the address is; no slot holds the address 0.
  @inline(__always)
  func mayBeWanted(_ address: UInt64) -> Bool {
    table.load(fromByteOffset: FunctionSieve.slot(address), as: UInt64.self) != address
  }
}
