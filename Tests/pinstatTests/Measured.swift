import Foundation
import Testing

extension Tool {
  /// What a run left, what it cost, and how it ended where it did not end by itself.
  struct Measurement {
    var outcome: Outcome
    /// Largest resident set, bytes.
    var peakMemory: Int
    var isTimeout: Bool
  }

  /// Built with a sanitizer, whose own memory is no measure of the program's.
  static let isSanitized = calls("__asan_init") || isThreadSanitized
  static let isThreadSanitized = calls("__tsan_init")

  private static func calls(_ symbol: String) -> Bool {
    FileManager.default.contents(atPath: path)?.firstRange(of: Data(symbol.utf8)) != nil
  }

  /// Runs the built program with a limit on its time, and measures its memory.
  ///
  /// A little python stands between, since a child's largest resident set starts from its parent's (getrusage(2), and
  /// `begin_new_exec` in the kernel's fs/exec.c): this test process would be measured instead.
  static func measured(_ arguments: [String], input: Data? = nil, seconds: Int = 20) throws -> Measurement {
    let script = """
      import os, signal, sys
      child = os.posix_spawn(sys.argv[3], sys.argv[3:], os.environ)
      late = False
      def kill(*_):
          global late
          late = True
          os.kill(child, signal.SIGKILL)
      signal.signal(signal.SIGALRM, kill)
      signal.alarm(int(sys.argv[1]))
      _, status, usage = os.wait4(child, 0)
      with open(sys.argv[2], "w") as file:
          print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, int(late), file=file)
      """
    let folder = try TemporaryFolder()
    let report = folder.path + "/report"
    var outcome = try launch(
      "/usr/bin/env", ["python3", "-c", script, String(seconds), report, path] + arguments, input: input)
    let numbers = try String(contentsOfFile: report, encoding: .utf8).split(whereSeparator: \.isWhitespace)
      .compactMap { Int($0) }
    try #require(numbers.count == 3, "\(outcome.error)")
    outcome.wasSignalled = numbers[0] < 0
    outcome.status = Int32(abs(numbers[0]))
    return Measurement(outcome: outcome, peakMemory: numbers[1] << 10, isTimeout: numbers[2] == 1)
  }
}
