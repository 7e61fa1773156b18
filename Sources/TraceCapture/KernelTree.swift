internal import CTraceFS
internal import Glibc

/// The kernel's tracefs, through libtracefs.
///
/// Used of libtracefs: where tracefs is mounted, and instances with the files in them. Not used:
/// - `tracefs_function_filter` and `tracefs_tracer_set`, which change a file and do not say what it held before.
/// - `tracefs_cpu_*`, which splice whole pages and in 1.6.4 take the page's size from the top buffer's header_page;
///   see `PageCollector`.
/// - `tracefs_instance_set_buffer_size` and its like, missing in Debian 12's version.
final class KernelTree: TracingTree {
  let root: String
  /// By name; the top buffer's by the empty one.
  private var instances: [String: OpaquePointer] = [:]

  /// - Parameter path: nil looks where tracefs is mounted; it is not mounted here, which is the administrator's decision.
  init(_ path: String?) throws(CaptureError) {
    // Reasons come as errno; libtracefs would print some to standard error besides.
    tracefs_set_loglevel(TEP_LOG_NONE)
    let place: String
    if let path {
      place = path
    } else {
      var found: UnsafePointer<CChar>?
      guard tracefs_tracing_dir_is_mounted(false, &found) > 0, let found else { throw .noTraceFS(nil) }
      place = String(cString: found)
    }
    guard let real = realpath(place, nil) else { throw .noTraceFS(place) }
    root = String(cString: real)
    // `tracefs_instance_create` knows no other way to be told; the library keeps a copy.
    let isSet = tracefs_set_tracing_dir(real) == 0
    free(real)
    guard isSet, let top = tracefs_instance_alloc(root, nil) else { throw .noTraceFS(place) }
    instances[""] = top
    guard exists("available_tracers") else { throw .noTraceFS(place) }
  }

  deinit {
    for instance in instances.values { tracefs_instance_free(instance) }
  }

  /// The handle that a path belongs to, and the rest of the path.
  private func place(_ path: String) throws(TracingFileError) -> (OpaquePointer, String) {
    let parts = path.split(separator: "/", maxSplits: 2)
    let name = parts.count == 3 && parts[0] == "instances" ? String(parts[1]) : ""
    let file = name.isEmpty ? path : String(parts[2])
    if let known = instances[name] { return (known, file) }
    guard let instance = tracefs_instance_alloc(root, name) else { throw error(path, ENOENT) }
    instances[name] = instance
    return (instance, file)
  }

  private func error(_ path: String, _ code: Int32, _ value: String? = nil) -> TracingFileError {
    TracingFileError("\(root)/\(path)", code, value: value)
  }

  func read(_ path: String) throws(TracingFileError) -> [UInt8] {
    let (instance, file) = try place(path)
    var size: Int32 = 0
    errno = 0
    guard let text = tracefs_instance_file_read(instance, file, &size) else {
      let code = errno
      // libtracefs gives no text for an empty file.
      if code == 0 { return [] }
      throw error(path, code)
    }
    defer { free(text) }
    return Array(UnsafeRawBufferPointer(start: text, count: max(0, Int(size))))
  }

  func write(_ path: String, _ text: String) throws(TracingFileError) {
    let (instance, file) = try place(path)
    if tracefs_instance_file_write(instance, file, text) < 0 { throw error(path, errno, text) }
  }

  func append(_ path: String, _ text: String) throws(TracingFileError) {
    let (instance, file) = try place(path)
    if tracefs_instance_file_append(instance, file, text) < 0 { throw error(path, errno, text) }
  }

  func clear(_ path: String) throws(TracingFileError) {
    let (instance, file) = try place(path)
    if tracefs_instance_file_clear(instance, file) < 0 { throw error(path, errno) }
  }

  func exists(_ path: String) -> Bool {
    access("\(root)/\(path)", F_OK) == 0
  }

  func names(in path: String) -> [String] {
    guard let directory = opendir("\(root)/\(path)") else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  func makeInstance(_ name: String) throws(TracingFileError) {
    let path = "instances/\(name)"
    // libtracefs takes one that is there for its own.
    guard !exists(path) else { throw error(path, EEXIST) }
    guard let instance = tracefs_instance_create(name) else { throw error(path, errno) }
    instances[name] = instance
  }

  func removeInstance(_ name: String) throws(TracingFileError) {
    let path = "instances/\(name)"
    let instance = instances.removeValue(forKey: name) ?? tracefs_instance_alloc(root, name)
    guard let instance else { throw error(path, ENOENT) }
    defer { tracefs_instance_free(instance) }
    if tracefs_instance_destroy(instance) < 0 { throw error(path, errno) }
  }

  func open(_ path: String) throws(TracingFileError) -> Int32 {
    let descriptor = Glibc.open("\(root)/\(path)", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    if descriptor < 0 { throw error(path, errno) }
    return descriptor
  }
}
