/// The files of a tracefs: the kernel's, or a directory of plain files or of none that stands for it in tests.
///
/// Paths are relative to the tree's root: `current_tracer`, `instances/pinstat.12/tracing_on`.
protocol TracingTree: AnyObject {
  /// The root's path, the same for every way to name it.
  var root: String { get }
  func read(_ path: String) throws(TracingFileError) -> [UInt8]
  /// Opens with O_TRUNC, which clears a list, and writes.
  func write(_ path: String, _ text: String) throws(TracingFileError)
  /// Opens without O_TRUNC, which keeps what a list holds, and writes.
  func append(_ path: String, _ text: String) throws(TracingFileError)
  /// Opens with O_TRUNC and writes nothing.
  func clear(_ path: String) throws(TracingFileError)
  func exists(_ path: String) -> Bool
  /// The names in a directory, sorted; none where there is no such directory.
  func names(in path: String) -> [String]
  /// `instances/NAME`, which must not be there.
  func makeInstance(_ name: String) throws(TracingFileError)
  func removeInstance(_ name: String) throws(TracingFileError)
  /// A descriptor to read from without waiting, which the caller closes.
  func open(_ path: String) throws(TracingFileError) -> Int32
}

extension TracingTree {
  func text(_ path: String) throws(TracingFileError) -> String {
    var text = Substring(String(decoding: try read(path), as: UTF8.self))
    while let last = text.unicodeScalars.last, last.value <= 0x20 { text = text.dropLast() }
    return String(text)
  }

  func words(_ path: String) throws(TracingFileError) -> [String] {
    try text(path).split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
  }

  /// What a list such as set_ftrace_filter holds, in the form in which the kernel takes it back.
  ///
  /// Where a list is empty the kernel shows a remark instead (`#### all functions enabled ####`, `no pid`), which it would
  /// not accept. A function of a module is shown as `name [module]` and accepted as `name:mod:module`. Lines with a colon
  /// are triggers (`name:traceon:unlimited`), which clearing the list does not remove.
  func list(_ path: String) throws(TracingFileError) -> [String] {
    try text(path).split(separator: "\n").compactMap { line in
      if line.hasPrefix("#") || line == "no pid" || line.contains(":") { return nil }
      let parts = line.split(separator: " ")
      guard let name = parts.first else { return nil }
      guard let module = parts.dropFirst().first(where: { $0.hasPrefix("[") && $0.hasSuffix("]") }) else {
        return String(name)
      }
      return "\(name):mod:\(module.dropFirst().dropLast())"
    }
  }
}
