import Testing

/// A piece of text and the events that it holds, in the notation of `Reading.lines`.
struct Snippet: CustomTestStringConvertible {
  var name: String
  var text: String
  var events: [String]
  /// How many lines are to be reported as unreadable.
  var unreadable: Int

  init(_ name: String, _ text: String, _ events: [String], unreadable: Int = 0) {
    self.name = name
    self.text = text
    self.events = events
    self.unreadable = unreadable
  }

  var testDescription: String { name }

  func check() throws {
    let reading = try Reading(text)
    #expect(reading.lines == events)
    #expect(reading.diagnostics.counts[.unreadableLine, default: 0] == unreadable)
    #expect(reading.diagnostics.counts.count == (unreadable > 0 ? 1 : 0))
  }

  static let all = kernelLayout + report + pasted + notes + headings + field
}

@Suite struct SnippetTests {
  @Test(arguments: Snippet.kernelLayout)
  func kernelLayout(_ snippet: Snippet) throws { try snippet.check() }

  @Test(arguments: Snippet.report)
  func report(_ snippet: Snippet) throws { try snippet.check() }

  @Test(arguments: Snippet.pasted)
  func pasted(_ snippet: Snippet) throws { try snippet.check() }

  @Test(arguments: Snippet.notes)
  func notes(_ snippet: Snippet) throws { try snippet.check() }

  @Test(arguments: Snippet.headings)
  func headings(_ snippet: Snippet) throws { try snippet.check() }

  @Test(arguments: Snippet.field)
  func field(_ snippet: Snippet) throws { try snippet.check() }

  @Test(arguments: Snippet.all, [1, 2, 7, 64])
  func blockSizeChangesNothing(_ snippet: Snippet, _ blockSize: Int) throws {
    let pieces = try Reading(Array(snippet.text.utf8), blockSize: blockSize)
    #expect(pieces.lines == snippet.events)
  }

  /// A mail client quotes, a Windows tool ends lines in CR LF: neither changes what a trace says.
  @Test(arguments: Snippet.all)
  func carriageReturnsChangeNothing(_ snippet: Snippet) throws {
    let text = snippet.text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    #expect(try Reading(text).lines == snippet.events)
  }

  @Test(arguments: Snippet.kernelLayout + Snippet.report, ["> ", "> > ", ">> ", ">"])
  func quoteMarksChangeNothing(_ snippet: Snippet, _ mark: String) throws {
    let text = snippet.text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { mark + $0 }.joined(separator: "\n")
    #expect(try Reading(text).lines == snippet.events)
  }
}
