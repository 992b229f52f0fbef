internal import Advice
internal import ArgumentParser
internal import Files
internal import Scheduling
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp service`.
struct ServiceCommand: ParsableCommand, StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "service",
    abstract: "Have the scheduler, or the ops server, started with the machine: systemd on Linux, launchd on macOS.",
    discussion: """
      Examples:
        hrp service install
        hrp service install --ops
        hrp service status
        hrp service uninstall
      """,
    subcommands: [ServiceInstallCommand.self, ServiceUninstallCommand.self, ServiceStatusCommand.self])

  @OptionGroup var place: StackOptions

  /// The program that a service starts: this one, under its real path.
  static func program() throws -> FilePath {
    guard let own = ThisProcess.executable else {
      throw BackupError(
        "executable.not-found", kind: .notFound, message: "it cannot be told which program this is",
        remedy: "Run hrp by its whole path.")
    }
    return own
  }

  static func installation(
    of stack: Stack, kind: ServiceKind = .scheduler
  ) throws -> ServiceInstallation {
    try ServiceInstallation(stack, kind: kind, program: program(), files: Kernel())
  }
}

/// Which service a command is about.
struct ServiceOptions: ParsableArguments {
  @Flag(name: .customLong("ops"), help: "The ops server (hrp ops), and not the scheduler.") var isOps = false

  var kind: ServiceKind { isOps ? .ops : .scheduler }
}

/// The command `hrp service install`.
struct ServiceInstallCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Write the definition of the service, and start it.",
    discussion: """
      The data directory stands in the definition, and HRP_DB_PATH and HRP_DUCKDB_LIBRARY when they are set; \
      everything else is read from config/hrp.yaml. It runs with low priority, and writes logs/scheduler.log and \
      logs/scheduler.error.log. Done twice, it changes nothing. Where there is no manager of services for this user, \
      or it cannot be reached from here, nothing is written, the line for a crontab is shown, and the exit code is 1.

      Examples:
        hrp service install --print
        hrp service install --data-dir ~/lab
      """)

  @Flag(name: .customLong("print"), help: "Print the definition, and write nothing.") var isPrinted = false
  @OptionGroup var which: ServiceOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private struct Output: Encodable {
    let path: String
    let changed: Bool
    let started: Bool
    let lingers: Nullable<Bool>
    let cron: Nullable<String>
  }

  func run() throws {
    let console = output.console
    let program = try ServiceCommand.program()
    let service = try ServiceInstallation(place.stack, kind: which.kind, program: program, files: Kernel())
    // As it stands in the file, so that it can be put there by hand.
    if isPrinted { return Screen.write(service.text, on: .output) }
    let result = try service.install(program)
    if result.isStarted || result.isChanged {
      console.result("\(result.isChanged ? "Written" : "As it was"): \(result.path.text)")
    }
    if result.isStarted {
      console.result("✓ Started: \(service.manager.name(of: service.kind))")
    } else {
      console.result(
        result.isChanged
          ? "✗ Not started: \(service.manager.rawValue) refused it."
          : "✗ Nothing was changed: no \(service.manager.rawValue) can be reached for this user.")
      if let line = service.cronLine {
        console.result("A line for crontab -e:")
        console.result("  \(line)")
      }
    }
    if result.lingers == false {
      console.warning("hrp: warning: services of a user end at logout, until you run: loginctl enable-linger")
    }
    try console.json(
      Output(
        path: result.path.text, changed: result.isChanged, started: result.isStarted,
        lingers: Nullable(result.lingers), cron: Nullable(service.cronLine)))
    if !result.isStarted { throw ExitCode.failed }
  }
}

/// The command `hrp service uninstall`.
struct ServiceUninstallCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "uninstall",
    abstract: "Stop the service, and remove its definition.",
    discussion: """
      Backups, configuration and logs stay.

      Examples:
        hrp service uninstall
      """,
    aliases: ["remove"])

  @OptionGroup var which: ServiceOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private struct Output: Encodable {
    let path: String
    let removed: Bool
  }

  func run() throws {
    let service = try ServiceCommand.installation(of: place.stack, kind: which.kind)
    let wasThere = try service.uninstall()
    output.console.result(wasThere ? "Removed: \(service.path.text)" : "There is no \(service.path.text)")
    try output.console.json(Output(path: service.path.text, removed: wasThere))
  }
}

/// The command `hrp service status`.
struct ServiceStatusCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say whether the service is installed, and whether a scheduler runs.",
    discussion: """
      The exit code is 1 when it is not installed, or when no scheduler runs (with --ops: when the manager does not \
      run it).

      Examples:
        hrp service status
      """)

  @OptionGroup var which: ServiceOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private struct Output: Encodable {
    let path: String
    let installed: Bool
    let active: Bool
    let schedulerRunning: Bool
    let lingers: Nullable<Bool>
  }

  func run() throws {
    let console = output.console
    let stack = try place.stack
    let service = try ServiceCommand.installation(of: stack, kind: which.kind)
    let (isInstalled, isActive) = (try service.isInstalled(), try service.isActive())
    let hasScheduler = try AdvisoryLock.isHeld(.scheduler, on: stack.dataDirectory, files: Kernel())
    // A scheduler may run without its service; whether an ops server does, only the manager knows.
    let isRunning = which.kind == .scheduler ? hasScheduler : isActive
    console.result("\(isInstalled ? "✓ Installed" : "✗ Not installed"): \(service.path.text)")
    console.result(isActive ? "✓ \(service.manager.rawValue) runs it" : "✗ \(service.manager.rawValue) does not run it")
    if which.kind == .scheduler {
      console.result(isRunning ? "✓ A scheduler runs for \(stack.dataDirectory.text)" : "✗ No scheduler runs for it")
    }
    let life = SchedulerLife(of: stack, files: Kernel(), time: SystemTime())
    if which.kind == .scheduler, !isRunning, let began = life.newest, life.isRecent {
      console.result("  One ran last \(LocalTime(nanoseconds: began).plain), as cron starts it")
    } else if !isInstalled, !isRunning {
      console.result("  → hrp service install\(which.isOps ? " --ops" : "")")
    } else if !isRunning {
      console.result("  → hrp service install starts it; hrp service uninstall removes it, where cron runs hrp")
    }
    let lingers = service.lingers
    if isInstalled, lingers == false { console.result("! It ends at logout, until you run: loginctl enable-linger") }
    try console.json(
      Output(
        path: service.path.text, installed: isInstalled, active: isActive, schedulerRunning: hasScheduler,
        lingers: Nullable(lingers)))
    if !isInstalled || !isRunning { throw ExitCode.failed }
  }
}
