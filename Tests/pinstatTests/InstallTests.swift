import Foundation
import Testing

/// What `make install` puts in place, used as it will be used.
@Suite struct InstallTests {
  private static let binaries = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().path

  private static let files = [
    "bin/pinstat", "share/bash-completion/completions/pinstat", "share/zsh/site-functions/_pinstat",
    "share/fish/vendor_completions.d/pinstat.fish", "share/man/man1/pinstat.1",
    "share/man/man1/pinstat-analyze.1", "share/man/man1/pinstat-compare.1",
    "share/man/man1/pinstat-export.1", "share/man/man1/pinstat-model.1",
  ]

  /// Installs into a folder of its own.
  private func installed() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let outcome = try Tool.launch(
      "/usr/bin/make",
      ["-s", "install-files", "BIN=\(Self.binaries)", "DESTDIR=\(folder.path)", "PREFIX=/usr"])
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
    return folder
  }

  @Test func installsAndUninstalls() throws {
    let folder = try installed()
    func files() throws -> Set<String> {
      let found = try Tool.launch("/usr/bin/find", [folder.path + "/usr", "-type", "f"]).output
      return Set(found.split(separator: "\n").map { String($0.dropFirst(folder.path.count + 5)) })
    }
    #expect(try files().isSuperset(of: Self.files))
    let version = try Tool.launch(folder.path + "/usr/bin/pinstat", ["--version"])
    #expect(version.output.hasPrefix("pinstat "))
    let outcome = try Tool.launch(
      "/usr/bin/make", ["-s", "uninstall", "DESTDIR=\(folder.path)", "PREFIX=/usr"])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try files().isEmpty)
  }

  @Test func manualPagesAreSound() throws {
    let folder = try installed()
    let pages = folder.path + "/usr/share/man/man1"
    for name in try FileManager.default.contentsOfDirectory(atPath: pages).sorted() {
      let page = pages + "/" + name
      let shown = try Tool.launch("/usr/bin/env", ["MANWIDTH=80", "man", "--warnings", "-l", page])
      #expect(shown.status == 0 && shown.error.isEmpty, "\(name): \(shown.error)")
      let text = shown.output.replacing(/.\u{8}/, with: "")
      for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
        #expect(text.contains("\n\(heading)\n"), "\(name) has no \(heading)")
      }
      let lint = try Tool.launch("/usr/bin/mandoc", ["-Tlint", "-Wwarning", page])
      #expect(lint.status == 0, "\(lint.output)")
      // Every option of the help is there.
      let command = name.dropFirst("pinstat".count).dropLast(".1".count).drop { $0 == "-" }
      let help = try Tool.run((command.isEmpty ? [] : [String(command)]) + ["--help"]).output
      for match in help.matches(of: /(?m)^  (?:-\w, )?(--[a-z-]+)/) {
        #expect(text.contains(match.output.1), "\(name) lacks \(match.output.1)")
      }
    }
    let found = try Tool.launch(
      "/usr/bin/env", ["MANPATH=\(folder.path)/usr/share/man", "man", "-w", "pinstat-compare"])
    #expect(found.output.contains("pinstat-compare.1"))
  }

  @Test func bashCompletes() throws {
    let folder = try installed()
    func completed(_ words: [String]) throws -> [String] {
      let list = words.map { "'\($0)'" }.joined(separator: " ")
      let line = words.joined(separator: " ")
      let script = """
        cd \(folder.path); touch one.dat; source \(folder.path)/usr/share/bash-completion/completions/pinstat
        command=$(complete -p pinstat | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
        COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); COMP_LINE='\(line)'; COMP_POINT=\(line.count)
        COMP_TYPE=9; COMP_KEY=9
        "$command" pinstat '\(words[words.count - 1])' '\(words[words.count - 2])'
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      let outcome = try Tool.launch("/bin/bash", ["--norc", "-c", script])
      return outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(try completed(["pinstat", "com"]) == ["compare"])
    #expect(try completed(["pinstat", "compare", "--max"]) == ["--max-slowdown"])
    #expect(try completed(["pinstat", "export", "--format", "ch"]) == ["chrome"])
    #expect(try completed(["pinstat", "export", "on"]) == ["one.dat"])
  }

  @Test func fishCompletes() throws {
    let folder = try installed()
    func completed(_ line: String) throws -> [String] {
      let script =
        "cd \(folder.path); touch one.dat; source usr/share/fish/vendor_completions.d/pinstat.fish; complete -C '\(line)'"
      let outcome = try Tool.launch(
        "/usr/bin/env",
        ["HOME=\(folder.path)", "PATH=\(folder.path)/usr/bin:/usr/bin:/bin", "fish", "-N", "-c", script])
      return outcome.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
    }
    #expect(try completed("pinstat com") == ["compare"])
    #expect(try completed("pinstat export --format ch") == ["chrome"])
    #expect(try completed("pinstat compare --max").contains("--max-slowdown"))
    #expect(try completed("pinstat export on").contains("one.dat"))
  }

  /// In a terminal of its own, with what a user types.
  @Test func zshCompletes() throws {
    let folder = try installed()
    let script = """
      zmodload zsh/zpty
      zpty shell 'TERM=dumb ZDOTDIR=\(folder.path) zsh -f -i'
      expect() {
        local seen='' piece=''
        zpty -w -n shell "$1"
        for i in {1..200}; do
          while zpty -r -t shell piece; do seen+=$piece; done
          [[ $seen == *$2* ]] && return 0
          sleep 0.05
        done
        print -r -- "typed $1, saw $seen"; return 1
      }
      zpty -w shell 'PS1=; cd \(folder.path); touch one.dat; fpath=(\(folder.path)/usr/share/zsh/site-functions $fpath)'
      zpty -w shell 'PATH=\(folder.path)/usr/bin:$PATH; autoload -Uz compinit; compinit -D -u; print rea""dy'
      expect '' 'ready' || exit 1
      expect $'pinstat com\\t' 'pinstat compare' && expect $'\\C-upinstat compare --max\\t' '--max-slowdown' &&
        expect $'\\C-upinstat export --format ch\\t' '--format chrome' && expect $'\\C-upinstat export on\\t' 'export one.dat'
      """
    let outcome = try Tool.launch("/usr/bin/env", ["zsh", "-f", "-c", script])
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
  }
}
