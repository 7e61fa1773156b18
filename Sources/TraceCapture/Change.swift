internal import Glibc

/// One thing that a capture changed in tracefs, and what undoes it. Undoing twice does no harm.
struct Change: Equatable {
  enum Before: Equatable {
    /// There was no such instance.
    case noInstance
    /// A file held one value, to be written back.
    case value(String)
    /// A list held these entries, to be written back one by one after it was cleared.
    case list([String])
  }

  /// Relative to the tree's root.
  var path: String
  var before: Before

  func undo(in tree: any TracingTree) throws(TracingFileError) {
    switch before {
    case .noInstance:
      guard tree.exists(path) else { return }
      // A tracer that runs in an instance would go with it; a kernel that sees it stopped first has less to do at once.
      // nop is not written over nop: that would count as a first use in kernels such as 6.1, which have one flag for all
      // buffers, and leave the top buffer at its 7 KiB for good.
      if let tracer = try? tree.text("\(path)/current_tracer"), tracer != "nop" {
        try? tree.write("\(path)/tracing_on", "0")
        try? tree.write("\(path)/current_tracer", "nop")
      }
      try Self.removeInstance(String(path.drop { $0 != "/" }.dropFirst()), in: tree)
    case .value(let value):
      try tree.write(path, value)
    case .list(let entries):
      try tree.clear(path)
      for entry in entries { try tree.append(path, entry + "\n") }
    }
  }

  /// Somebody who looks into the instance just now makes it busy.
  private static func removeInstance(_ name: String, in tree: any TracingTree) throws(TracingFileError) {
    for _ in 0..<20 {
      do {
        return try tree.removeInstance(name)
      } catch  where error.code == EBUSY {
        usleep(10_000)
      } catch {
        throw error
      }
    }
    try tree.removeInstance(name)
  }

  /// One line of the journal, without its end.
  var line: String {
    switch before {
    case .noInstance: "instance\t\(Self.escaped(path))"
    case .value(let value): "value\t\(Self.escaped(path))\t\(Self.escaped(value))"
    case .list(let entries):
      (["list", Self.escaped(path)] + entries.map(Self.escaped)).joined(separator: "\t")
    }
  }

  init(_ path: String, _ before: Before) {
    self.path = path
    self.before = before
  }

  /// nil where the line is none that `line` makes, or leads out of the tree.
  init?(line: Substring) {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(Self.unescaped)
    guard fields.count >= 2, !fields[1].hasPrefix("/"), !fields[1].split(separator: "/").contains("..") else {
      return nil
    }
    path = fields[1]
    switch (fields[0], fields.count) {
    case ("instance", 2) where Instance.isOurs(path): before = .noInstance
    case ("value", 3): before = .value(fields[2])
    case ("list", _): before = .list(Array(fields[2...]))
    default: return nil
    }
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\t": result += "\\t"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if !isEscaped, scalar == "\\" {
        isEscaped = true
        continue
      }
      result.unicodeScalars.append(
        isEscaped && scalar == "t" ? "\t" : isEscaped && scalar == "n" ? "\n" : scalar)
      isEscaped = false
    }
    return result
  }
}

/// The names of instances that pinstat makes: `pinstat.PID`.
enum Instance {
  static let prefix = "pinstat."

  static func name(of process: Int32) -> String { "\(prefix)\(process)" }

  /// The process that made an instance of this name; nil for those of others.
  static func process(of name: String) -> Int32? {
    guard name.hasPrefix(prefix) else { return nil }
    return Int32(name.dropFirst(prefix.count)).flatMap { $0 > 0 ? $0 : nil }
  }

  static func isOurs(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && parts[0] == "instances" && process(of: String(parts[1])) != nil
  }
}
