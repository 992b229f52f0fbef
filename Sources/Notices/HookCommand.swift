package import Files
package import Settings
package import SystemPackage

/// What a command of the user is told, in variables of its environment.
package struct HookEvent: Sendable {
  /// `HRP_EVENT`: the moment, or the kind of a notice.
  package var name: String
  /// `HRP_JOB`: the job of the schedule.
  package var job: String?
  /// `HRP_BACKUP_PATH`: the backup, when there is one.
  package var backupPath: FilePath?
  /// `HRP_BACKUP_NAME`: its name.
  package var backupName: String?
  /// `HRP_STATE`: what became of the job: completed, partial or failed.
  package var state: String?
  /// `HRP_MESSAGE`: what happened, for people.
  package var message: String?

  package init(
    _ name: String, job: String? = nil, backupPath: FilePath? = nil, backupName: String? = nil, state: String? = nil,
    message: String? = nil
  ) {
    self.name = name
    self.job = job
    self.backupPath = backupPath
    self.backupName = backupName
    self.state = state
    self.message = message
  }
}

/// A command of the user did not do what it should.
package struct HookFailure: Error, Equatable, Sendable {
  /// Why.
  package enum Cause: Equatable, Sendable {
    case notStarted(SystemError)
    case ended(ChildProcess.End)
    case tooLong
    /// This process was asked to stop, by this signal.
    case interrupted(Int32)
  }

  package let moment: HookMoment
  package let cause: Cause
  /// What is wrong, as a clause, with the end of what the command said.
  package let words: String
}

/// The commands that a user has configured, each for its moment.
package struct HookCommand: Sendable {
  /// The longest that a command may take.
  package static let limit: Duration = .seconds(600)
  /// The longest when this process was asked to stop before.
  private static let shortLimit: Duration = .seconds(30)

  /// The most characters of a message.
  private static let maximumMessage = 8000

  private let commands: [HookMoment: Setting<String>]
  private let dataDirectory: FilePath

  package init(_ settings: NoticeSettings, dataDirectory: FilePath) {
    commands = settings.commands
    self.dataDirectory = dataDirectory
  }

  /// Whether there is a command for a moment.
  package func isConfigured(_ moment: HookMoment) -> Bool { commands[moment] != nil }

  /// Runs the command of a moment to its end; does nothing when there is none.
  ///
  /// A signal that comes meanwhile ends it. One that came before does not: what follows a backup follows one that was
  /// stopped, too.
  /// - Throws: `HookFailure` when it fails, takes too long, or this process is asked to stop.
  package func run(_ moment: HookMoment, event: HookEvent, limit: Duration = limit) throws(HookFailure) {
    guard let command = commands[moment]?.value else { return }
    let wasStopped = Interruption.stopped != nil
    let limit = wasStopped ? min(limit, Self.shortLimit) : limit
    let run: BoundedChild
    do throws(SystemError) {
      run = try BoundedChild(
        "/usr/bin/env", arguments: variables(event) + ["/bin/sh", "-c", command],
        limit: limit, heedsSignals: !wasStopped)
    } catch {
      throw HookFailure(
        moment: moment, cause: .notStarted(error), words: "the command \(moment.rawValue) cannot be started: \(error)")
    }
    let (cause, words): (HookFailure.Cause, String)
    switch run.outcome {
    case .ended(.exited(0)): return
    case .ended(let end): (cause, words) = (.ended(end), end.words)
    case .tooLong: (cause, words) = (.tooLong, "took more than \(limit.components.seconds) s and was ended")
    case .interrupted(let signal): (cause, words) = (.interrupted(signal), "was ended: hrp was asked to stop")
    }
    let said = Self.trimmed(TerminalText.safe(run.output, keepsLines: true))
    throw HookFailure(
      moment: moment, cause: cause,
      words: "the command \(moment.rawValue) \(words)" + (said.isEmpty ? "" : "; it said: \(said)"))
  }

  /// All variables are set, so that none of them comes from elsewhere.
  private func variables(_ event: HookEvent) -> [String] {
    // An argument list has a limit.
    let message = event.message.map { String(TerminalText.safe($0, keepsLines: true).prefix(Self.maximumMessage)) }
    let values = [
      ("HRP_EVENT", event.name), ("HRP_JOB", event.job), ("HRP_DATA_DIR", dataDirectory.string),
      ("HRP_BACKUP_PATH", event.backupPath?.string), ("HRP_BACKUP_NAME", event.backupName),
      ("HRP_STATE", event.state), ("HRP_MESSAGE", message),
    ]
    return values.map { "\($0.0)=\(($0.1 ?? "").filter { $0 != "\0" })" }
  }

  private static func trimmed(_ text: String) -> String {
    let isBlank = { (character: Character) in character.isWhitespace }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
