internal import Advice
public import ArgumentParser
public import Backup
internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

/// Where the stack and its backups are.
struct StackOptions: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("The directory of the stack (HRP_DATA_DIR; default ~/hrp-data).", valueName: "dir"),
    completion: .directory)
  var dataDirectory: String?

  @Option(
    name: .customLong("backup-dir"),
    help: ArgumentHelp(
      "The directory of the backups (HRP_BACKUP_DIR; default backups/ in the data directory).", valueName: "dir"),
    completion: .directory)
  var backupDirectory: String?

  func validate() throws {
    for (name, value) in [("--data-dir", dataDirectory), ("--backup-dir", backupDirectory)] where value == "" {
      throw ValidationError("\(name) is empty. Is a variable of your script not set?")
    }
  }

  /// The stack that is meant.
  /// - Throws: `BackupError` `configuration.invalid`, `configuration.unreadable`.
  var stack: Stack {
    get throws {
      try .load(settings, files: Kernel())
    }
  }

  /// What names the stack.
  var settings: StackSettings { StackSettings(dataDirectory: dataDirectory, backupDirectory: backupDirectory) }

  /// The options as they must be typed for another command to mean the same stack.
  ///
  /// Paths are absolute: the next command may be typed elsewhere.
  var typed: [(name: String, value: String)] {
    [("--data-dir", dataDirectory), ("--backup-dir", backupDirectory)].compactMap { name, value in
      value.map { (name, ShellWord.quoted(Stack.absolute($0))) }
    }
  }

  /// The options as words for a program; empty where the bare command finds the same stack.
  var flags: [String] {
    guard isNeeded else { return [] }
    return [("--data-dir", dataDirectory), ("--backup-dir", backupDirectory)].flatMap { name, value in
      value.map { [name, Stack.absolute($0).string] } ?? []
    }
  }

  /// The same as one text, empty where the bare command finds the same stack.
  var words: String { isNeeded ? typed.map { " \($0.name) \($0.value)" }.joined() : "" }

  /// The stack that flags and environment name, for commands that read the configuration file themselves.
  var stackWithoutFile: Stack {
    Stack(settings)
  }

  /// The stack that is meant; with a configuration that has mistakes, the one without it.
  /// - Throws: `BackupError` when the configuration is there and cannot be read.
  var stackThatCanBeLookedAt: Stack {
    get throws {
      let stack = stackWithoutFile
      guard try ConfigurationCheck(stack, files: Kernel()).problems.isEmpty else { return stack }
      return try self.stack
    }
  }

  private var bare: Stack { get throws { try .load(StackSettings(), files: Kernel()) } }

  /// Whether a command without these options would find another stack.
  var isNeeded: Bool {
    // Where the configuration cannot be read, options that were typed are needed: they do no harm.
    guard let meant = forPeople({ try stack }), let bare = forPeople({ try bare }) else { return !typed.isEmpty }
    return meant.dataDirectory != bare.dataDirectory || meant.database != bare.database
      || meant.backupDirectory != bare.backupDirectory
  }
}

/// How results are told.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON value on stdout, and nothing else there.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress and no notices.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "How progress is shown: terminal (one line, on a terminal only) or json (JSON lines on stderr, for programs).",
      valueName: "form", visibility: .hidden))
  var progress: ProgressForm = .terminal

  var console: Console {
    Console(isJSON: json, isQuiet: quiet, progressLines: progress == .json && !quiet ? ProgressLines() : nil)
  }
}

/// How the progress of an operation is shown.
enum ProgressForm: String, ExpressibleByArgument, CaseIterable {
  case terminal
  case json
}

/// What a backup leaves out.
struct ContentOptions: ParsableArguments {
  @Flag(name: .customLong("no-mlflow"), help: "The database only.")
  var withoutMLflow = false

  @Flag(name: .customLong("no-link"), help: "Copy all MLflow files. Do not hard-link those that did not change.")
  var withoutLinks = false
}

/// Where a restore goes.
struct TargetOptions: ParsableArguments {
  @Option(
    name: .customLong("target-dir"),
    help: ArgumentHelp("The directory that is restored to (default: the data directory).", valueName: "dir"),
    completion: .directory)
  var targetDirectory: String?

  func validate() throws {
    if targetDirectory == "" { throw ValidationError("--target-dir is empty. Is a variable of your script not set?") }
  }
}

/// How long a program that holds the database is waited for.
struct WaitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long to wait for a program that has the database open: 30s, 10m, 2h.", valueName: "duration"),
    transform: WaitOptions.duration)
  var wait: Duration = .zero

  @Sendable private static func duration(_ text: String) throws -> Duration {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()),
      (0...100_000).contains(number)
    else { throw ValidationError("'\(text)' is not a duration such as 30s, 10m or 2h") }
    return .seconds(number * unit)
  }
}

/// The backup that a command is about.
struct BackupArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A path, a name (backup_20260124_020000), a number from the list, latest or latest-valid; PLACE:NAME.",
      valueName: "backup"),
    completion: .backups)
  var backup: String

}

extension VerificationLevel: ExpressibleByArgument {}
extension StackPart: ExpressibleByArgument {}
extension StackProfile: ExpressibleByArgument {}
