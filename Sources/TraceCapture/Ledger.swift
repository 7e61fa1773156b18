/// Everything that a capture has changed in a tree, in order, so that it can be undone in reverse.
///
/// Each change is in the journal before it is made: whatever ends the process, what was changed is known.
final class Ledger {
  private let tree: any TracingTree
  private let journal: Journal
  private var changes: [Change] = []

  init(_ tree: any TracingTree, _ journal: Journal) {
    self.tree = tree
    self.journal = journal
  }

  private func note(_ change: Change) throws(CaptureError) {
    // An instance goes with all that is in it.
    if let instance = instancePath, change.path.hasPrefix(instance + "/") { return }
    // What a file held first is what counts.
    if changes.contains(where: { $0.path == change.path }) { return }
    try journal.append(change)
    changes.append(change)
  }

  /// Of the instance that was made.
  private var instancePath: String? { changes.first { $0.before == .noInstance }?.path }

  func makeInstance(_ name: String) throws(CaptureError) {
    try note(Change("instances/\(name)", .noInstance))
    try change { () throws(TracingFileError) in try tree.makeInstance(name) }
  }

  /// Sets a file that holds one value.
  func set(_ path: String, to value: String) throws(CaptureError) {
    let before = try read { () throws(TracingFileError) in try tree.text(path) }
    if before == value { return }
    try set(path, to: value, from: before)
  }

  /// Sets an option of the tracer. Kernels that run it in instances had one set of its options for all buffers at first
  /// (instance-specific ones came later), so what undoes it is what the top buffer had.
  ///
  /// - Parameters:
  ///   - option: its path in the top buffer.
  ///   - prefix: of the buffer in use.
  func set(option: String, in prefix: String, to value: String) throws(CaptureError) {
    let before = try read { () throws(TracingFileError) in try tree.text(prefix + option) }
    if before == value { return }
    let top = try read { () throws(TracingFileError) in try tree.text(option) }
    try note(Change(option, .value(top)))
    try change { () throws(TracingFileError) in try tree.write(prefix + option, value) }
  }

  /// Sets a file that shows its value in another form than it takes it.
  ///
  /// - Parameter before: what undoes it.
  func set(_ path: String, to value: String, from before: String) throws(CaptureError) {
    try note(Change(path, .value(before)))
    try change { () throws(TracingFileError) in try tree.write(path, value) }
  }

  /// Replaces the entries of a list; one write an entry, since the kernel takes one word of each write.
  func set(list path: String, to entries: [String]) throws(CaptureError) {
    let before = try read { () throws(TracingFileError) in try tree.list(path) }
    if before == entries { return }
    try note(Change(path, .list(before)))
    try change { () throws(TracingFileError) in
      try tree.clear(path)
      for entry in entries { try tree.append(path, entry + "\n") }
    }
  }

  /// Undoes everything, the last change first; tries twice, and goes on where something cannot be undone.
  ///
  /// - Returns: what could not be.
  func undo() -> [TracingFileError] {
    var failures: [TracingFileError] = []
    var left: [Change] = []
    for change in changes.reversed() {
      if (try? change.undo(in: tree)) != nil { continue }
      do throws(TracingFileError) {
        try change.undo(in: tree)
      } catch {
        failures.append(error)
        left.append(change)
      }
    }
    changes = left.reversed()
    if failures.isEmpty { journal.remove() }
    return failures
  }

  /// Undoes one change: an instance that turned out to be of no use.
  func undo(onlyInstance path: String) throws(CaptureError) {
    guard let index = changes.firstIndex(where: { $0.path == path }) else { return }
    let instance = changes[index]
    try change { () throws(TracingFileError) in try instance.undo(in: tree) }
    changes.remove(at: index)
  }

  private func read<Value>(_ body: () throws(TracingFileError) -> Value) throws(CaptureError) -> Value {
    do { return try body() } catch { throw .file(error) }
  }

  private func change(_ body: () throws(TracingFileError) -> Void) throws(CaptureError) {
    do { try body() } catch { throw .file(error) }
  }
}
