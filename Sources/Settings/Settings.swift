package import Calendars
internal import Files
internal import Retention

/// What the environment and the configuration file say, beside where the stack is.
///
/// The order is: flags, environment, `config/hrp.yaml` in the data directory, defaults. A mistake in the file is an
/// error of every command: what the user meant to have cannot be guessed. A mistake in a variable is a warning, and the
/// value that loses nothing takes its place.
package struct Settings: Sendable {
  /// Days that a date can be moved by.
  package static let days: ClosedRange<Int64> = 0...36_500
  private static let allowedDays = "a number of days from \(days.lowerBound) to \(days.upperBound)"

  /// Where the backups are, as it was written; relative to the data directory.
  package let backupDirectory: (value: String, line: Int)?
  /// The DuckDB file, as it was written; relative to the data directory.
  package let database: (value: String, line: Int)?
  /// Where MLflow is.
  package let trackingURI: (value: String, line: Int)?
  /// Whether no backup is made on this machine.
  package let isSwitchedOff: Setting<Bool>
  /// For how many days what a restore replaced is kept.
  package let undoDays: Setting<Int64>
  /// The least that is written to the log.
  package let logLevel: Setting<LogLevel>
  /// How lines of the logs are written.
  package let logFormat: Setting<LogFormat>
  /// Whose clock says when a job is due, and where a day begins.
  package let zone: Setting<Zone>
  /// Which backups stay.
  package let retention: RetentionValues
  /// Which backups are made when.
  package let schedule: JobValues
  /// Where copies of backups go.
  package let places: PlaceValues
  /// When the stack counts as not protected.
  package let protection: ProtectionLimits
  /// Who is told what became of a backup.
  package let notices: NoticeSettings
  /// Where the ops server listens.
  package let ops: OpsSettings
  /// What is wrong with environment variables, each as a sentence.
  package let warnings: [String]

  /// Reads a configuration file beside the environment.
  /// - Parameter variables: the names of all variables that are set, for those that hrp does not know.
  /// - Parameter environment: the value of a variable; nil when it is not set.
  /// - Returns: the settings, and every mistake in the file.
  package static func read(
    _ text: String, variables: [String] = [], environment: (String) -> String?
  ) -> (settings: Settings, problems: [SettingsProblem]) {
    let problems = Problems()
    var root: SettingsNode?
    do throws(SettingsProblem) {
      root = try SettingsNode.parse(text)
    } catch {
      problems.note(error)
    }
    let map = SettingsMap(root, report: problems.note)
    let settings = Settings(map, variables: variables, environment: environment)
    map.reportUnknown()
    return (settings, problems.all.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
  }

  /// Collects mistakes while a file is read.
  private final class Problems {
    private(set) var all: [SettingsProblem] = []
    func note(_ problem: SettingsProblem) { all.append(problem) }
  }

  /// The settings of the environment alone.
  package init(variables: [String] = [], environment: (String) -> String?) {
    self.init(SettingsMap(nil) { _ in }, variables: variables, environment: environment)
  }

  private init(_ map: SettingsMap, variables: [String], environment: (String) -> String?) {
    let word = { (text: String) in text.isEmpty ? nil : text }
    var warnings: [String] = []
    backupDirectory = map.value("backup_dir", allowed: "a directory", read: word)
    database = map.value("database", allowed: "the path of a DuckDB file", read: word)
    trackingURI = map.value("mlflow_tracking_uri", allowed: "sqlite:///…, file:… or a path", read: word)

    let off = map.value("no_backup", allowed: "true or false", read: SettingsMap.truth)
    isSwitchedOff = .first(
      environment: Self.variable(.noBackup, in: environment) {
        !["0", "false", "no", "off"].contains($0.lowercased())
      },
      file: off, standard: false)

    let days = map.value("undo_days", allowed: Self.allowedDays, read: Self.days)
    undoDays = .first(
      environment: Self.variable(.undoDays, in: environment) { text in
        if let days = Self.days(text) { return days }
        warnings.append(
          "HRP_UNDO_DAYS is '\(text)', which is not \(Self.allowedDays): "
            + "nothing that is kept for hrp backup undo is removed")
        // Better too much kept than too little.
        return Self.days.upperBound
      }, file: days, standard: 7)

    let level = map.value("log_level", allowed: LogLevel.allowed) { LogLevel(named: $0) }
    logLevel = .first(
      environment: Self.variable(.logLevel, in: environment) { text in
        if let level = LogLevel(named: text) { return level }
        let names = LogLevel.allCases.map { $0.rawValue.uppercased() }.joined(separator: ", ")
        warnings.append("LOG_LEVEL is '\(text)', which is none of \(names): INFO is used")
        return .info
      }, file: level, standard: .info)
    let notices = NoticeValues(map.map("notices"), variables: variables, environment: environment)
    self.notices = notices.settings
    ops = OpsSettings(map.map("ops"), environment: environment)
    self.warnings = warnings + notices.warnings + ops.warnings
    let format = map.value("log_format", allowed: "text or json") { LogFormat(rawValue: $0.lowercased()) }
    logFormat = .first(file: format, standard: .text)
    let zone = map.value("timezone", allowed: "a name of the tz database, such as America/New_York or Europe/Berlin") {
      name in parsed { try Zone(name) }
    }
    self.zone = .first(file: zone, standard: .standard)
    retention = RetentionValues(map.map("retention"))
    protection = ProtectionLimits(map.map("status"))
    schedule = JobValues(map.map("jobs"), zone: self.zone.value)
    places = PlaceValues(map.map("places"))
  }

  private static func variable<Value>(
    _ name: EnvironmentName, in environment: (String) -> String?, read: (String) -> Value
  ) -> (name: String, value: Value)? {
    environment(name.rawValue).map { (name.rawValue, read($0)) }
  }

  private static func days(_ text: String) -> Int64? { Int64(text).flatMap { days.contains($0) ? $0 : nil } }
}
