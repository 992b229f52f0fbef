public import ArgumentParser
internal import Backup
internal import Files

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
      """,
    version: Version.current,
    subcommands: [
      BackupCommand.self, ValidateCommand.self, DoctorCommand.self, RecoverCommand.self, DuckDBCommand.self,
      EngineChildCommand.self,
    ])

  /// An instance for the parser to fill.
  public init() {}

  /// Parses and runs the command line of this process; never returns.
  ///
  /// Errors of the words on it exit with 2; see `Failure` for all others.
  public static func start() -> Never {
    // Children run this very program, whatever it is called.
    if let own = ThisProcess.executable { ThisProcess.setEnvironment("HRP_EXECUTABLE", own, isReplacing: false) }
    do {
      var command = try parseAsRoot()
      try command.run()
      ThisProcess.exit(0)
    } catch {
      ThisProcess.exit(report(error))
    }
  }

  private static func report(_ error: any Error) -> Int32 {
    let isJSON = CommandLine.arguments.dropFirst().contains("--json")
    if let code = error as? ExitCode { return code.rawValue }
    let parserCode = exitCode(for: error).rawValue
    if parserCode == 0 {
      // Help and version are results.
      StandardStream.output.write(fullMessage(for: error) + "\n")
      return 0
    }
    // The parser's own errors, and no other, have its code for usage.
    let isUsage = parserCode == ExitCode.validationFailure.rawValue
    let failure = isUsage ? Failure(usage: message(for: error)) : Failure(error)
    if isJSON {
      StandardStream.output.write(failure.json.rendered() + "\n")
    } else {
      StandardStream.error.write(isUsage ? fullMessage(for: error) + "\n" : failure.text)
    }
    return failure.exit
  }
}
