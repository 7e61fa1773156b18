import Foundation
import Testing

/// The built program, run as a user runs it.
enum Tool {
  /// What a run left.
  struct Outcome {
    var status: Int32
    /// Ended by a signal, whose number `status` is.
    var wasSignalled: Bool
    var output: String
    var error: String
  }

  /// The repository's root, where the paths of fixtures start.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// Beside the test bundle.
  static let path: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    var candidates = [URL(fileURLWithPath: own).deletingLastPathComponent().path]
    candidates += CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map {
      URL(fileURLWithPath: $0).deletingLastPathComponent().path
    }
    candidates += Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent().path }
    for folder in candidates where FileManager.default.isExecutableFile(atPath: folder + "/pinstat") {
      return folder + "/pinstat"
    }
    return "pinstat-was-not-built"
  }()

  static let environment: [String: String] = {
    var environment = ProcessInfo.processInfo.environment
    environment["LC_ALL"] = "C.UTF-8"
    environment["COLUMNS"] = "80"
    environment["NO_COLOR"] = "1"
    environment["SWIFT_BACKTRACE"] = "enable=no"
    return environment
  }()

  static func run(_ arguments: String..., input: Data? = nil) throws -> Outcome {
    try run(arguments, input: input)
  }

  static func run(_ arguments: [String], input: Data? = nil) throws -> Outcome {
    try launch(path, arguments, input: input)
  }

  /// A shell line in which `pinstat` is the built program.
  static func shell(_ line: String, input: Data? = nil) throws -> Outcome {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    return try launch("/bin/bash", ["-c", "PATH=\(folder):$PATH; \(line)"], input: input)
  }

  static func launch(_ program: String, _ arguments: [String], input: Data? = nil) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = environment
    process.currentDirectoryURL = URL(fileURLWithPath: root)
    // Through files: a pipe that fills up while the other is read would hang.
    let folder = try TemporaryFolder()
    let outputPath = folder.path + "/output"
    let errorPath = folder.path + "/error"
    try #require(FileManager.default.createFile(atPath: outputPath, contents: nil))
    try #require(FileManager.default.createFile(atPath: errorPath, contents: nil))
    let output = try #require(FileHandle(forWritingAtPath: outputPath))
    let error = try #require(FileHandle(forWritingAtPath: errorPath))
    process.standardOutput = output
    process.standardError = error
    if let input {
      let inputPath = folder.path + "/input"
      try input.write(to: URL(fileURLWithPath: inputPath))
      process.standardInput = FileHandle(forReadingAtPath: inputPath)
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, wasSignalled: process.terminationReason == .uncaughtSignal,
      output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: outputPath)), as: UTF8.self),
      error: String(decoding: try Data(contentsOf: URL(fileURLWithPath: errorPath)), as: UTF8.self))
  }

  static func fixture(_ name: String) -> String { "Fixtures/traces/" + name }

  static func fixtureData(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: root + "/Fixtures/traces/" + name))
  }
}

/// A folder that is gone when the test is.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "pinstat-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  func file(_ name: String, _ text: String) throws -> String {
    try file(name, Data(text.utf8))
  }

  func file(_ name: String, _ data: Data) throws -> String {
    let path = path + "/" + name
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }

  var entries: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

/// A little CSV parser of its own (RFC 4180), so that what is written is read by something else.
func parseCSV(_ text: String) -> [[String]] {
  var rows: [[String]] = []
  var row: [String] = []
  var field = ""
  var isQuoted = false
  var characters = Array(text.unicodeScalars)[...]
  while let scalar = characters.popFirst() {
    if isQuoted {
      if scalar == "\"" {
        if characters.first == "\"" {
          field.append("\"")
          characters.removeFirst()
        } else {
          isQuoted = false
        }
      } else {
        field.unicodeScalars.append(scalar)
      }
      continue
    }
    switch scalar {
    case "\"": isQuoted = true
    case ",":
      row.append(field)
      field = ""
    case "\n":
      row.append(field)
      rows.append(row)
      row = []
      field = ""
    default: field.unicodeScalars.append(scalar)
    }
  }
  if !field.isEmpty || !row.isEmpty { rows.append(row + [field]) }
  return rows
}

/// Rows as dictionaries by the header.
func records(_ text: String) -> [[String: String]] {
  let rows = parseCSV(text)
  guard let header = rows.first else { return [] }
  return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
}
