import Testing

@testable import pinstat

/// What is told from a command line before it is parsed.
@Suite struct ForeseenTests {
  @Test(arguments: [
    ("analyze a.dat", "a.dat", true, ["vfio_pin_map_dma"]),
    ("analyze -f x a.dat", "a.dat", true, ["x"]),
    ("analyze a.dat --function=x* -f y", "a.dat", true, ["x", "y"]),
    ("analyze -f * a.dat", "a.dat", true, [""]),
    ("analyze -f * --format csv a.dat", "a.dat", true, [""]),
    ("analyze --all-functions a.dat", "a.dat", true, [""]),
    ("analyze --callees a.dat", "a.dat", true, [""]),
    ("analyze --callees --format html -f x a.dat", "a.dat", true, [""]),
    ("analyze --format json a.dat", "a.dat", true, []),
    ("analyze --format=json a.dat", "a.dat", true, []),
    ("analyze --jobs 2 -o b.dat -q a.dat", "a.dat", true, ["vfio_pin_map_dma"]),
    ("export a.dat -f x", "a.dat", true, ["x"]),
    ("export --format chrome a.dat", "a.dat", true, []),
    ("analyze - a.dat", "a.dat", true, ["vfio_pin_map_dma"]),
    ("compare --before a.dat b.dat --after c.dat", "a.dat", false, ["vfio_pin_map_dma"]),
    ("compare a.dat b.dat --max-slowdown 5%", "a.dat", false, ["vfio_pin_map_dma"]),
  ])
  func inputs(_ line: String, _ path: String, _ isOnly: Bool, _ prefixes: [String]) throws {
    let foreseen = try #require(
      Foreseen(line.split(separator: " ").map(String.init)) { $0.hasSuffix(".dat") })
    #expect(foreseen.path == path)
    #expect(foreseen.isOnly == isOnly)
    #expect(foreseen.prefixes == prefixes)
  }

  @Test(arguments: [
    "", "analyze", "analyze -", "analyze -f", "analyze -f x", "analyze --jobs 1 a.dat",
    "analyze --jobs=1 a.dat",
    "analyze a.txt", "analyze -o a.dat -", "merge a.dat", "record a.dat", "model", "--version", "--help",
    "a.dat",
  ])
  func nothing(_ line: String) {
    #expect(Foreseen(line.split(separator: " ").map(String.init)) { $0.hasSuffix(".dat") } == nil)
  }
}
