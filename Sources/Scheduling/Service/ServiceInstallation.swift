package import Files
package import Stacks
package import Store
package import SystemPackage

/// Installs the scheduler of a stack as a service of the user, and takes it away again.
package struct ServiceInstallation {
  /// What an installation did.
  package struct Result: Sendable {
    package let path: FilePath
    /// Whether the file is new, or has other contents than before.
    package let isChanged: Bool
    /// Whether the manager started it; false where there is no manager for this user.
    package let isStarted: Bool
    /// Whether it goes on when the user logs out; nil when that cannot be told.
    package let lingers: Bool?
  }

  package let manager: ServiceSystem
  package let kind: ServiceKind
  package let path: FilePath
  private let definition: ServiceDefinition
  private let stack: Stack
  private let files: any FileSystem
  /// Runs a program of the system: its words, and its exit code and output come back.
  private let run: ([String]) throws -> (code: Int32, output: String)

  /// - Parameter program: the executable that the service starts.
  /// - Parameter path: where the definition goes; when it is nil, where the manager looks for those of this user.
  /// - Throws: `BackupError` `service.no-home`, `service.bad-path`.
  package init(
    _ stack: Stack, kind: ServiceKind = .scheduler, program: FilePath, manager: ServiceSystem = .current,
    at path: FilePath? = nil,
    files: any FileSystem,
    run: @escaping ([String]) throws -> (code: Int32, output: String) = ServiceInstallation.system
  ) throws(BackupError) {
    guard let home = ThisProcess.environment("HOME").map({ FilePath($0) }), home.isAbsolute else {
      throw BackupError(
        "service.no-home", kind: .failed, message: "HOME is not set, so it cannot be told whose service it is",
        remedy: "Run it as the user whose stack it is, with HOME set.")
    }
    for name in [program, stack.dataDirectory]
    where name.string.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      throw BackupError(
        "service.bad-path", kind: .failed, message: "\(name.text) holds a character that no service file can",
        remedy: "Rename it: no line feeds and other control characters.")
    }
    self.stack = stack
    self.kind = kind
    self.manager = manager
    self.files = files
    self.run = run
    let configHome = ThisProcess.environment("XDG_CONFIG_HOME").map { FilePath($0) }
    self.path = path ?? manager.path(of: kind, home: home, configHome: configHome)
    // What the configuration file may say is left to it; these two decide where it is, and what DuckDB is.
    let variables = ["HRP_DB_PATH", "HRP_DUCKDB_LIBRARY"].compactMap { name in
      ThisProcess.environment(name).map { (name: name, value: Stack.absolute($0).string) }
    }
    definition = ServiceDefinition(
      kind, program: program, dataDirectory: stack.dataDirectory, environment: variables)
  }

  /// The text of the definition.
  package var text: String { definition.text(for: manager) }

  /// The line for a crontab, where there is no manager; nil when a crontab does not help.
  package var cronLine: String? { definition.cronLine }

  /// Writes the definition and has it started; done twice, it changes nothing.
  /// - Parameter program: as given to `init`.
  /// - Throws: `BackupError` `service.in-build`, `service.foreign`; `SystemError`.
  package func install(_ program: FilePath) throws -> Result {
    if program.components.contains(".build") {
      throw BackupError(
        "service.in-build", kind: .failed,
        message: "\(program.text) lies in a build folder, which the next build replaces",
        remedy: "Install hrp first (README, \"Install\"), and run that one.")
    }
    guard try files.exists(stack.dataDirectory) else { throw BackupError.sourceNotFound(stack.database) }
    let logs = stack.dataDirectory.appending("logs")
    if try !files.exists(logs) { try files.makeDirectoryOfItsOwner(logs) }
    let before = try own()
    let isChanged = before != text
    // A new file that no manager reads would be taken for a service that stands still. One that is there stays: the
    // manager may run it, and only this shell cannot reach it.
    guard try hasManager() else {
      return Result(path: path, isChanged: false, isStarted: false, lingers: nil)
    }
    if isChanged { try write() }
    return Result(path: path, isChanged: isChanged, isStarted: try start(isChanged: isChanged), lingers: lingers)
  }

  /// Stops the service and removes its definition.
  /// - Returns: false when there was none.
  /// - Throws: `BackupError` `service.foreign`; `SystemError`.
  package func uninstall() throws -> Bool {
    guard try own() != nil else { return false }
    switch manager {
    case .systemd: _ = try run(["systemctl", "--user", "disable", "--now", manager.name(of: kind)])
    case .launchd: _ = try run(["launchctl", "unload", path.string])
    }
    try files.remove(path, at: nil)
    if manager == .systemd { _ = try run(["systemctl", "--user", "daemon-reload"]) }
    return true
  }

  /// Whether the definition is there; a file that hrp did not write counts as none.
  package func isInstalled() throws -> Bool { try text(of: path)?.contains(ServiceDefinition.mark) == true }

  /// Whether the definition that is there is of this stack.
  package func isOfStack() throws -> Bool {
    try text(of: path).map { definition.isMeant(by: $0, for: manager) } ?? false
  }

  /// Whether the manager says that it runs.
  package func isActive() throws -> Bool {
    switch manager {
    case .systemd: try run(["systemctl", "--user", "is-active", manager.name(of: kind)]).code == 0
    case .launchd: try run(["launchctl", "list", manager.name(of: kind)]).code == 0
    }
  }

  /// Whether services of this user go on when the user logs out; nil when that cannot be told, or is so anyway.
  package var lingers: Bool? {
    guard manager == .systemd,
      let answer = forPeople({ try run(["loginctl", "show-user", "\(ThisProcess.user)", "--property=Linger"]) }),
      answer.code == 0
    else { return nil }
    return answer.output.contains("Linger=yes")
  }

  /// Whether this user has a manager of services now.
  private func hasManager() throws -> Bool {
    switch manager {
    case .systemd: try run(["systemctl", "--user", "show-environment"]).code == 0
    case .launchd: try run(["launchctl", "list"]).code == 0
    }
  }

  private func start(isChanged: Bool) throws -> Bool {
    switch manager {
    case .systemd:
      guard try run(["systemctl", "--user", "daemon-reload"]).code == 0,
        try run(["systemctl", "--user", "enable", "--now", manager.name(of: kind)]).code == 0
      else { return false }
      return try !isChanged || run(["systemctl", "--user", "restart", manager.name(of: kind)]).code == 0
    case .launchd:
      if isChanged { _ = try run(["launchctl", "unload", path.string]) }
      return try run(["launchctl", "load", "-w", path.string]).code == 0
    }
  }

  /// The text of our definition; nil when there is none.
  private func own() throws -> String? {
    guard let text = try text(of: path) else { return nil }
    guard text.contains(ServiceDefinition.mark) else {
      throw BackupError(
        "service.foreign", kind: .failed, message: "\(path.text) is there, and hrp did not write it",
        remedy: "Look at it, and move it away: mv \(ShellWord.quoted(path)) "
          + "\(ShellWord.quoted(FilePath(path.string + ".old")))")
    }
    return text
  }

  private func text(of path: FilePath) throws(SystemError) -> String? {
    guard let file = try OpenFile.ifPresent(path, files: files) else { return nil }
    return String(decoding: try file.read(count: 1 << 16, at: 0), as: UTF8.self)
  }

  private func write() throws {
    try makeFolders(path.folder)
    let folder = try OpenFile(path.folder, mode: [.directory], files: files)
    let name = FilePath(path.lastComponent.map { "\($0)" } ?? manager.name(of: kind))
    try files.replace(name, in: folder, with: Array(text.utf8))
  }

  private func makeFolders(_ folder: FilePath) throws(SystemError) {
    if try files.exists(folder) { return }
    try makeFolders(folder.folder)
    try files.makeDirectoryOfItsOwner(folder)
  }

  /// Runs a program that is looked for on `PATH`.
  package static func system(_ words: [String]) throws -> (code: Int32, output: String) {
    let child = try ChildProcess("/usr/bin/env", arguments: words)
    var lines: [String] = []
    while let line = try child.output.line(whileWaiting: { try Interruption.check() }) {
      lines.append(String(decoding: line, as: UTF8.self))
    }
    guard case .exited(let code) = child.wait() else { return (255, "") }
    return (code, lines.joined(separator: "\n"))
  }
}
