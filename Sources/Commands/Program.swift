public import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp`.
public struct Program: ParsableCommand {
  /// Name, help and subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "hrp",
    abstract: "Backup and restore of research stacks: one DuckDB database in use, one MLflow directory.",
    discussion: """
      The database is copied while other programs write to it; nothing has to be stopped.

      Examples:
        hrp backup create                     make a backup of ~/hrp-data
        hrp backup list                       see what there is
        hrp backup verify latest              read the newest one and check it
        hrp backup restore latest --target-dir ~/elsewhere

      Topics:
        hrp help references                   how a backup is named
        hrp help places                       copies on another disk
        hrp help schedule                     backups by themselves
        hrp help exit-codes                   what the exit code says
        hrp help environment                  where the stack is, and every variable
      """,
    version: Version.current,
    subcommands: [
      BackupCommand.self, StatusCommand.self, ValidateCommand.self, PricesCommand.self, DoctorCommand.self,
      RecoverCommand.self,
      SchedulerCommand.self, ServiceCommand.self,
      OpsCommand.self, ConfigCommand.self, NotifyCommand.self,
      DuckDBCommand.self,
      EngineChildCommand.self, SchedulerJobCommand.self,
    ])

  /// An instance for the parser to fill.
  public init() {}

  /// Parses and runs the command line of this process; never returns.
  ///
  /// Errors of the words on it exit with 2; see `Failure` for all others.
  public static func start() -> Never {
    // Children run this very program, whatever it is called.
    if let own = ThisProcess.executable { ThisProcess.setEnvironment("HRP_EXECUTABLE", to: own, isReplacing: false) }
    let arguments = ThisProcess.arguments
    do {
      // The parser knows of the version alone.
      if arguments.sorted() == ["--json", "--version"] {
        StandardStream.output.write(try ResultText.json(VersionReport()) + "\n")
        ThisProcess.exit(0)
      }
      if let text = plainText(for: arguments) {
        Screen.write(text, on: .output)
        ThisProcess.exit(0)
      }
      let topic = Array(arguments.dropFirst())
      if arguments.first == "help", topic != ["help"], let word = CommandWords(topic, of: Program.self).unknown {
        ThisProcess.exit(report(ValidationError("There is no command or topic '\(word)'"), arguments: topic))
      }
      let command = try parseAsRoot(arguments)
      ThisProcess.exit(
        PrintedCommands.$current.withValue(PrintedCommands(of: command, below: Program.self)) {
          run(command, arguments: arguments)
        })
    } catch {
      ThisProcess.exit(report(error, arguments: arguments))
    }
  }

  /// What no command says: the first words, and the topics of the help.
  private static func plainText(for arguments: [String]) -> String? {
    if arguments.isEmpty { return FirstWords.text }
    return HelpTopic(arguments: arguments).map { $0.text + "\n" }
  }

  private static func run(_ command: any ParsableCommand, arguments: [String]) -> Int32 {
    var command = command
    do {
      try command.run()
      return 0
    } catch {
      return report(unmounted(error, in: command) ?? error, arguments: arguments)
    }
  }

  /// That the backup directory has lost all backups, where a backup was not found in it; nil when it has not.
  private static func unmounted(_ error: any Error, in command: any ParsableCommand) -> BackupError? {
    guard let error = error as? BackupError, error.isOne(of: [.backupDirectoryNotFound, .backupNotFound]),
      let stack = forPeople({ try (command as? any StackCommand)?.place.stack }) ?? nil,
      error.message.hasSuffix(" \(stack.backupDirectory.text)")
    else { return nil }
    return BackupPlace.loss(of: stack, files: Kernel(), time: SystemTime())
  }

  private static func report(_ error: any Error, arguments: [String]) -> Int32 {
    if let code = error as? ExitCode { return code.rawValue }
    let parserCode = exitCode(for: error).rawValue
    if parserCode == 0 {
      // Help and version are results.
      Screen.write(fullMessage(for: error) + "\n", on: .output)
      return 0
    }
    // The parser's own errors, and no other, have its code for usage.
    let isUsage = parserCode == ExitCode.validationFailure.rawValue
    let failure = isUsage ? usage(message(for: error), arguments: arguments) : Failure(error)
    if arguments.contains("--json") {
      Screen.write(failure.json + "\n", on: .output)
    } else {
      Screen.sayLines(failure.text, on: .error)
    }
    return failure.exitCode
  }

  private static func usage(_ message: String, arguments: [String]) -> Failure {
    let words = CommandWords(arguments, of: Program.self)
    let isNameless = message.contains("'<backup>'")
    let suggestion =
      words.suggestion.map { "Did you mean: \($0)? " }
      ?? (isNameless ? words.path.map { "For example: hrp \($0) latest\($0 == "backup copy" ? " PLACE" : ""). " } : nil)
      ?? ""
    return Failure(usage: message, remedy: "\(suggestion)See hrp help\(words.path.map { " \($0)" } ?? "").")
  }
}
