internal import FoundationEssentials
internal import FunctionGraph
public import TraceInput

/// What stands in the JSON that this program writes and reads again.
public enum StoredItem: Sendable {
  case analysis(AnalysisDocument)
  case summary(SummaryDocument)
}

/// Reads stored analyses and summaries: one object, over however many lines, or one a line.
///
/// Lines are read one after another, so that the summaries of a fleet in one stream take the memory of one.
public struct StoredReader {
  /// A stored analysis longer than this is refused.
  static let longest = 1 << 29

  /// - Throws: `AnalysisError`, with the line where a later than the first object cannot be used; or whatever
  ///   `body` throws.
  public static func read(
    _ input: consuming SniffedInput, _ body: (StoredItem) throws(AnalysisError) -> Void
  ) throws(AnalysisError) {
    // What does not end with its line is taken together with all that follows.
    var unfinished: [UInt8] = []
    var firstLine = 1
    var found = 0
    var failure: AnalysisError?
    do throws(TraceError) {
      try input.forEachLine(longest: longest) { line, number in
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { return true }
        if !unfinished.isEmpty {
          unfinished.append(UInt8(ascii: "\n"))
          unfinished += line
          return unfinished.count <= longest
        }
        do throws(AnalysisError) {
          let item: StoredItem
          do throws(BaselineError) {
            item = try decoded(Data(line))
          } catch {
            // The first line of a longer object, or nothing that can be used.
            guard line.last != UInt8(ascii: "}") || number == 1 else { throw .baseline(error.inLine(number)) }
            firstLine = number
            unfinished = Array(line)
            return true
          }
          found += 1
          try body(item)
        } catch {
          failure = error
          return false
        }
        return true
      }
    } catch {
      throw .trace(error)
    }
    if let failure { throw failure }
    if unfinished.count > longest {
      throw .trace(
        TraceError(
          .unsupported, "it is longer than \(longest >> 20) MiB, the most that is read of a stored analysis"))
    }
    guard !unfinished.isEmpty || found == 0 else { return }
    let item: StoredItem
    do throws(BaselineError) {
      item = try decoded(Data(unfinished))
    } catch {
      throw .baseline(firstLine > 1 ? error.inLine(firstLine) : error)
    }
    try body(item)
  }

  private static func decoded(_ data: Data) throws(BaselineError) -> StoredItem {
    struct Header: Decodable {
      var schema: String?
    }
    guard let header = try? JSONDecoder().decode(Header.self, from: data),
      header.schema == SummaryDocument.schemaName
    else { return .analysis(try AnalysisDocument(baseline: data)) }
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return .summary(try decoder.decode(SummaryDocument.self, from: data))
    } catch let error as DecodingError {
      throw BaselineError(AnalysisDocument.phrase(error))
    } catch {
      throw BaselineError("it is no JSON")
    }
  }
}

extension BaselineError {
  fileprivate func inLine(_ number: Int) -> BaselineError { BaselineError("line \(number): \(detail)") }
}
