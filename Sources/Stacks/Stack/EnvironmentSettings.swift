internal import Files
package import Store

/// What environment variables say beside where the stack is (`docs/commands.md`, "Environment").
package enum EnvironmentSettings {
  /// Days that the parser takes; more cannot be added to a date.
  private static let days: ClosedRange<Int64> = 0...36_500

  /// How many days what a restore replaced is kept: `HRP_UNDO_DAYS`, else 7.
  ///
  /// A value that is no number of days removes nothing: better too much kept than too little.
  package static var undoDays: Int64 {
    guard let text = ThisProcess.environment("HRP_UNDO_DAYS") else { return 7 }
    return days(text) ?? days.upperBound
  }

  /// The least that is written to `logs/backup.log`: `LOG_LEVEL`, else `info`.
  package static var logLevel: LogLevel { ThisProcess.environment("LOG_LEVEL").flatMap { LogLevel($0) } ?? .info }

  /// Whether `HRP_NO_BACKUP` switches backups off.
  private static var forbidsBackups: Bool {
    ThisProcess.environment("HRP_NO_BACKUP").map { !["0", "false", "no", "off"].contains($0.lowercased()) } ?? false
  }

  /// - Throws: `BackupError` `backup.switched-off`.
  package static func checkBackupsAreOn() throws(BackupError) {
    guard forbidsBackups else { return }
    throw BackupError(
      "backup.switched-off", kind: .failed, message: "no backup is made: HRP_NO_BACKUP is set",
      remedy: "Unset it (unset HRP_NO_BACKUP), or set it to 0.")
  }

  /// What is wrong with the values, each as a sentence; the operation goes on with what is safe.
  package static var problems: [String] {
    var problems: [String] = []
    if let text = ThisProcess.environment("HRP_UNDO_DAYS"), days(text) == nil {
      problems.append(
        "HRP_UNDO_DAYS is '\(text)', which is not a number of days from \(days.lowerBound) to \(days.upperBound): "
          + "nothing that is kept for hrp backup undo is removed")
    }
    if let text = ThisProcess.environment("LOG_LEVEL"), LogLevel(text) == nil {
      let names = LogLevel.allCases.map { $0.rawValue.uppercased() }.joined(separator: ", ")
      problems.append("LOG_LEVEL is '\(text)', which is none of \(names): INFO is used")
    }
    return problems
  }

  private static func days(_ text: String) -> Int64? { Int64(text).flatMap { days.contains($0) ? $0 : nil } }
}

/// How much of what an operation tells is written to the log.
package enum LogLevel: String, CaseIterable, Comparable {
  case debug, info, warning, error, critical

  /// The level of this name, in capital or small letters; nil when there is no such level.
  ///
  /// Names that other programs have for the same are taken too.
  init?(_ name: String) {
    switch name.lowercased() {
    case "trace": self = .debug
    case "notice", "success": self = .info
    case "warn": self = .warning
    case "fatal": self = .critical
    case let name:
      guard let level = LogLevel(rawValue: name) else { return nil }
      self = level
    }
  }

  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
