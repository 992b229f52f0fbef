internal import Files
package import Store
package import SystemPackage

extension RestoreRun {
  /// What was found wrong with the backup; nothing was restored.
  package struct Damaged: ExplainedError {
    package let report: VerificationReport
    /// The newest other backup beside it that nothing speaks against; nil when there is none, or it cannot be told.
    package let other: FilePath?

    package var explanation: BackupError {
      let lines = report.findings.prefix(10).map { "\n  \($0.line)" }.joined()
      let more = report.findings.count > 10 ? "\n  and \(report.findings.count - 10) more" : ""
      let command = other.map { "restore \(ShellWord.quoted($0))" } ?? "list, then hrp backup verify NAME"
      let other = "Try a different backup: hrp backup \(command)."
      // The part that is right can be had from this one.
      let right = StackPart.allCases.first { report.findings(of: $0).isEmpty }
      return BackupError(
        "verification.failed", kind: .failed,
        message: "Backup verification failed; nothing was restored\(lines)\(more)",
        remedy: report.mendingCommand.map {
          "Nothing is wrong with what was backed up, but something else lies in the backup. If you do not need it: "
            + $0
        } ?? right.map { "Restore only the part that is right: --only \($0.rawValue). \(other)" } ?? other)
    }
  }

  /// What is thrown for these findings.
  func damaged(_ report: VerificationReport) -> Damaged {
    Damaged(report: report, other: otherBackup { $0.metadata?.verified == true })
  }

  /// The path of the newest other backup beside this one that fits and that nothing speaks against; nil also when the
  /// others cannot be looked at.
  ///
  /// It is advice for people. They need the path: in a second place, or in a folder of old backups, a name would mean
  /// another backup.
  func otherBackup(where fits: (ListedBackup) -> Bool) -> FilePath? {
    let other = forPeople {
      try BackupDirectory(backup.place.removingLastComponent(), files: files).newest { other in
        other.name != backup.name && other.problem == nil && fits(other)
          && [.proven, .unproven].contains(BackupTrust(other))
      }
    }
    return other??.path
  }
}
