internal import Glibc

/// A file outside tracefs that tells what a capture has changed there, for the case that its process is killed.
///
/// The process holds a lock (flock(2)) on it for as long as it lives. A journal without a lock is of one that was killed,
/// and the next capture undoes what it says. One line a change (`Change.line`) below a first line that names the tree. A
/// line that was cut is of a change that was not made.
final class Journal {
  private static let heading = "pinstat journal 1\t"

  private let path: String
  private let descriptor: Int32
  private var isRemoved = false

  /// - Parameters:
  ///   - folder: see `folder()`.
  ///   - root: of the tree.
  init(in folder: String, root: String) throws(CaptureError) {
    // With something behind the number, since numbers come again.
    var template = Array("\(folder)/record.\(getpid())-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .temporaryFile(errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    guard flock(descriptor, LOCK_EX) == 0 else { throw .temporaryFile(errno) }
    try append(Self.heading + root)
  }

  deinit {
    // What is still in it waits for the next capture.
    close(descriptor)
  }

  func append(_ change: Change) throws(CaptureError) {
    try append(change.line)
  }

  private func append(_ line: String) throws(CaptureError) {
    do throws(WriteError) {
      try writeAll(descriptor, Array((line + "\n").utf8))
    } catch {
      throw .temporaryFile(error.code)
    }
  }

  func remove() {
    guard !isRemoved else { return }
    isRemoved = true
    unlink(path)
  }

  /// /run/pinstat for root, else a folder of the user's own in the runtime folder or /tmp; made where it is missing.
  static func folder() throws(CaptureError) -> String {
    var candidates = geteuid() == 0 ? ["/run/pinstat"] : []
    if let value = getenv("XDG_RUNTIME_DIR"), value.pointee != 0 {
      candidates.append("\(String(cString: value))/pinstat")
    }
    candidates.append("/tmp/pinstat-\(geteuid())")
    var code: Int32 = ENOENT
    for folder in candidates {
      if mkdir(folder, 0o700) != 0, errno != EEXIST {
        code = errno
        continue
      }
      // In /tmp another user may have made it first, to have changes undone that nobody made.
      var status = stat()
      if lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
        status.st_mode & 0o022 == 0
      {
        return folder
      }
      code = EPERM
    }
    throw .temporaryFile(code)
  }

  /// Undoes what captures of this tree that were killed have left, and takes their journals away.
  ///
  /// - Returns: the paths that were put back, and what could not be.
  static func sweep(
    _ folder: String, _ tree: any TracingTree
  ) -> (undone: [String], failures: [TracingFileError]) {
    var undone: [String] = []
    var failures: [TracingFileError] = []
    for name in names(in: folder) {
      guard let changes = abandonedChanges("\(folder)/\(name)", root: tree.root) else { continue }
      var isUndone = true
      for change in changes.reversed() {
        do throws(TracingFileError) {
          if case .noInstance = change.before, !tree.exists(change.path) { continue }
          try change.undo(in: tree)
          undone.append(change.path)
        } catch {
          failures.append(error)
          isUndone = false
        }
      }
      if isUndone { unlink("\(folder)/\(name)") }
    }
    // Instances whose journal is gone too.
    for name in tree.names(in: "instances") {
      guard let process = Instance.process(of: name), kill(process, 0) != 0, errno == ESRCH else { continue }
      do throws(TracingFileError) {
        try Change("instances/\(name)", .noInstance).undo(in: tree)
        undone.append("instances/\(name)")
      } catch {
        failures.append(error)
      }
    }
    return (undone, failures)
  }

  /// What a journal says, where nobody holds it and it is of this tree; nil otherwise.
  private static func abandonedChanges(_ path: String, root: String) -> [Change]? {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, let bytes = try? readAll(descriptor) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    // The last piece is empty, or of a line that was cut.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    guard let first = lines.first else {
      // Ended, or is about to begin: it has changed nothing.
      let name = path.split(separator: "/").last ?? ""
      let process = Int32(name.drop { $0 != "." }.dropFirst().prefix { $0.isNumber }) ?? 0
      return process > 0 && kill(process, 0) != 0 ? [] : nil
    }
    guard first == heading + root else {
      // Of a tree that is no more, as tests make them: nothing to put back.
      let other = first.hasPrefix(heading) ? String(first.dropFirst(heading.count)) : ""
      return !other.isEmpty && access(other, F_OK) != 0 && errno == ENOENT ? [] : nil
    }
    return lines.dropFirst().compactMap(Change.init(line:))
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix("record.") { names.append(name) }
    }
    return names.sorted()
  }
}
