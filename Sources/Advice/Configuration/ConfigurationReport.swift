internal import Calendars
package import Files
internal import Retention
internal import Settings
package import Stacks
package import Store
package import SystemPackage

/// Every setting of a stack with its value, and where the value comes from.
package struct ConfigurationReport: Sendable {
  /// One setting.
  package struct Row: Sendable {
    /// Its key in the configuration file, such as "undo_days".
    ///
    /// `data_dir` is no key of it: the file lies there.
    package let key: String
    /// Its value, for people; empty when there is none.
    package let value: String
    /// "--backup-dir", "HRP_UNDO_DAYS", "line 3", "default".
    package let source: String
  }

  package let rows: [Row]
  /// The configuration file.
  package let file: FilePath
  /// Whether there is one.
  package let exists: Bool

  private static func rows(of retention: RetentionValues) -> [Row] {
    var rows = retention.rules.map {
      Row(key: $0.key, value: $0.value, source: SettingSource.file(line: $0.line).words)
    }
    if rows.isEmpty { rows = [Row(key: "retention", value: retention.policy.words, source: "default")] }
    let days = retention.trashDays
    return rows + [Row(key: "retention.trash_days", value: "\(days.value)", source: days.source.words)]
  }

  private static func rows(of schedule: JobValues) -> [Row] {
    schedule.jobs.map { job in
      Row(
        key: "jobs.\(job.id)", value: job.schedule.rule.triggerText,
        source: schedule.lines[job.id].map { SettingSource.file(line: $0).words } ?? "default")
    }
  }

  private static func rows(of places: PlaceValues) -> [Row] {
    places.places.map { place in
      Row(key: "places.\(place.name)", value: place.path, source: SettingSource.file(line: place.line).words)
    }
  }

  private static func rows(of ops: OpsSettings) -> [Row] {
    [
      Row(key: "ops.host", value: ops.host.value, source: ops.host.source.words),
      Row(key: "ops.port", value: "\(ops.port.value)", source: ops.port.source.words),
      Row(
        key: "ops.allowed_hosts", value: ops.allowedHosts.value.joined(separator: ", "),
        source: ops.allowedHosts.source.words),
      Row(
        key: "ops.token_file", value: ops.token.map { $0.value.words } ?? "",
        source: ops.token?.source.words ?? SettingSource.standard.words),
    ]
  }

  private static func rows(of limits: ProtectionLimits) -> [Row] {
    [
      Row(
        key: "status.backup_days", value: limits.backupDays.value.map { "\($0)" } ?? "",
        source: limits.backupDays.source.words),
      Row(
        key: "status.proof_days", value: "\(limits.proofDays.value)", source: limits.proofDays.source.words),
      Row(key: "status.size_factor", value: "\(limits.sizeFactor.value)", source: limits.sizeFactor.source.words),
    ]
  }

  /// - Parameter flags: the settings of the flags alone, without the environment.
  /// - Throws: `BackupError` for a mistake in the file, as every command does.
  package init(_ stack: Stack, flags: (dataDirectory: String?, backupDirectory: String?), files: any FileSystem)
    throws(BackupError)
  {
    let settings = stack.settings
    file = stack.configurationFile(files).path
    exists = try stack.configurationText(files: files) != nil
    let variable = { (name: String) in ThisProcess.environment(name) == nil ? nil : name }
    let line = { (line: Int?) in line.map { SettingSource.file(line: $0).words } }
    let data =
      flags.dataDirectory.map { _ in "--data-dir" } ?? variable("HRP_DATA_DIR") ?? variable("HRP_DB_PATH") ?? "default"
    // The flag --data-dir speaks of another stack than the variable.
    let isOfVariable = variable("HRP_DB_PATH").map { _ in
      ThisProcess.environment("HRP_DB_PATH").map { Stack.absolute($0) } == stack.database
    }
    rows =
      [
        Row(key: "data_dir", value: stack.dataDirectory.text, source: data),
        Row(
          key: "backup_dir", value: stack.backupDirectory.text,
          source: flags.backupDirectory.map { _ in "--backup-dir" } ?? variable("HRP_BACKUP_DIR")
            ?? line(settings.backupDirectory?.line) ?? "default"),
        Row(
          key: "database", value: stack.database.text,
          source: isOfVariable == true ? "HRP_DB_PATH" : line(settings.database?.line) ?? "default"),
        Row(
          key: "mlflow_tracking_uri", value: Redaction.address(stack.trackingURI ?? ""),
          source: variable("MLFLOW_TRACKING_URI") ?? line(settings.trackingURI?.line) ?? "default"),
        Row(
          key: "no_backup", value: settings.isSwitchedOff.value ? "true" : "false",
          source: settings.isSwitchedOff.source.words),
        Row(key: "undo_days", value: "\(settings.undoDays.value)", source: settings.undoDays.source.words),
        Row(key: "log_level", value: settings.logLevel.value.rawValue, source: settings.logLevel.source.words),
        Row(key: "log_format", value: settings.logFormat.value.rawValue, source: settings.logFormat.source.words),
        Row(key: "timezone", value: settings.zone.value.name, source: settings.zone.source.words),
      ] + Self.rows(of: settings.retention) + Self.rows(of: settings.schedule) + Self.rows(of: settings.places)
      + Self.rows(of: settings.protection) + Self.rows(of: settings.notices) + Self.rows(of: settings.ops)
  }
}
