package import Files
package import Settings
package import Store
internal import SystemPackage

extension Stack {
  /// The stack that flags, environment and the configuration file name, in this order.
  ///
  /// - Throws: `BackupError` `configuration.invalid` for a mistake in the file, `configuration.unreadable`.
  package static func load(_ settings: StackSettings, files: any FileSystem) throws(BackupError) -> Stack {
    let bare = Stack(settings)
    guard let text = try bare.configurationText(files: files) else { return bare }
    let (read, problems) = Settings.read(text, variables: ThisProcess.environmentNames) { ThisProcess.environment($0) }
    if let problem = problems.first {
      throw invalid(bare.configurationFile(files), problem: problem, more: problems.count - 1)
    }
    return Stack(settings, read: read)
  }

  /// The configuration file of the stack.
  package func configurationFile(_ files: any FileSystem) -> SettingsFile {
    SettingsFile(in: dataDirectory, files: files)
  }

  /// The text of the configuration file; nil when there is no such file.
  /// - Throws: `BackupError` `configuration.invalid`, `configuration.unreadable`.
  package func configurationText(files: any FileSystem) throws(BackupError) -> String? {
    let file = configurationFile(files)
    do {
      return try file.text()
    } catch let problem as SettingsProblem {
      throw Self.invalid(file, problem: problem, more: 0)
    } catch {
      throw BackupError(
        "configuration.unreadable", kind: .failed, message: "the configuration \(file.path.text) cannot be read",
        remedy: "Make it readable for the user who runs hrp: ls -l \(ShellWord.quoted(file.path))", cause: "\(error)")
    }
  }

  private static func invalid(_ file: SettingsFile, problem: SettingsProblem, more: Int) -> BackupError {
    let place = problem.line.map { ", line \($0)" } ?? ""
    let rest = more > 0 ? " (and \(more) more)" : ""
    return BackupError(
      "configuration.invalid", kind: .failed, message: "\(file.path.text)\(place): \(problem.message)\(rest)",
      remedy: "Mend the file; hrp config validate lists every mistake.")
  }

  /// - Throws: `BackupError` `backup.switched-off`.
  package func checkBackupsAreOn() throws(BackupError) {
    guard let reason = settings.reasonToMakeNone else { return }
    throw BackupError(
      "backup.switched-off", kind: .failed, message: "no backup is made: \(reason)",
      remedy: settings.isSwitchedOff.source == .environment(EnvironmentName.noBackup.rawValue)
        ? "Unset it (unset HRP_NO_BACKUP), or set it to 0." : "Take the line out of the file, or set it to false.")
  }
}
