public import FunctionGraph

extension SniffedInput {
  /// Gives the input line by line, without the line ends, in bounded memory; an empty line too.
  ///
  /// - Parameters:
  ///   - longest: bytes; a longer line ends the reading.
  ///   - body: false ends the reading.
  /// - Throws: `TraceError`: the input cannot be read, or `unsupported` with the line that is too long.
  public consuming func forEachLine(
    longest: Int, _ body: (_ line: ArraySlice<UInt8>, _ number: Int) -> Bool
  ) throws(TraceError) {
    var number = 0
    var pending: [UInt8] = []
    var block = prefix
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while !block.isEmpty {
      var rest = block[...]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        number += 1
        let wanted: Bool
        if pending.isEmpty {
          wanted = body(rest[..<end], number)
        } else {
          pending += rest[..<end]
          wanted = body(pending[...], number)
          pending.removeAll(keepingCapacity: true)
        }
        if !wanted { return }
        rest = rest[(end + 1)...]
      }
      pending += rest
      if pending.count > longest {
        throw TraceError(
          .unsupported, at: .line(number + 1),
          "it is longer than \(longest >> 20) MiB, the most that is read of a stored analysis")
      }
      let count = try fill(&buffer, from: file.file)
      block = Array(buffer[..<count])
    }
    if !pending.isEmpty { _ = body(pending[...], number + 1) }
  }
}
