internal import ArgumentParser
internal import Retention
internal import Settings

/// What stays when backups are rotated.
struct RetentionOptions: ParsableArguments {
  @Option(
    name: .customLong("keep-days"),
    help: ArgumentHelp("Keep what is younger than this number of days.", valueName: "n"))
  var keepDays: Int?
  @Option(name: .customLong("keep-last"), help: ArgumentHelp("Keep the last n.", valueName: "n"))
  var keepLast: Int?
  @Option(
    name: .customLong("keep-hourly"), help: ArgumentHelp("Keep the last of each of n hours.", valueName: "n"))
  var keepHourly: Int?
  @Option(name: .customLong("keep-daily"), help: ArgumentHelp("Keep the last of each of n days.", valueName: "n"))
  var keepDaily: Int?
  @Option(name: .customLong("keep-weekly"), help: ArgumentHelp("Keep the last of each of n weeks.", valueName: "n"))
  var keepWeekly: Int?
  @Option(
    name: .customLong("keep-monthly"), help: ArgumentHelp("Keep the last of each of n months.", valueName: "n"))
  var keepMonthly: Int?
  @Option(name: .customLong("keep-yearly"), help: ArgumentHelp("Keep the last of each of n years.", valueName: "n"))
  var keepYearly: Int?
  @Option(
    name: .customLong("keep-within"),
    help: ArgumentHelp("Keep what is so close to the newest: 2m, 1y5m7d2h.", valueName: "age"))
  var keepWithin: String?
  @Option(
    name: .customLong("keep-preset"),
    help: ArgumentHelp("Days, weeks, months and years: 7/4/12, 7/4/12/3.", valueName: "preset"))
  var keepPreset: String?

  private var counts: [Int?] { [keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly, keepDays] }

  func validate() throws {
    let others = counts.contains { $0 != nil } || keepWithin != nil
    if keepPreset != nil, others {
      throw ValidationError("--keep-preset stands for other rules: it cannot be asked for together with one")
    }
  }

  /// What is named on the command line; when nothing is, what is configured.
  /// - Throws: `RetentionPolicyError`.
  func settings(replacing configured: RetentionSettings) throws -> RetentionSettings {
    var settings = configured
    if let keepPreset {
      settings.policy = try RetentionPolicy(preset: keepPreset)
    } else if counts.contains(where: { $0 != nil }) || keepWithin != nil {
      settings.policy = try RetentionPolicy(
        keepLast: keepLast, keepHourly: keepHourly, keepDaily: keepDaily, keepWeekly: keepWeekly,
        keepMonthly: keepMonthly, keepYearly: keepYearly, keepWithin: keepWithin.map { try RetentionAge($0) },
        keepDays: keepDays)
    }
    return settings
  }
}
