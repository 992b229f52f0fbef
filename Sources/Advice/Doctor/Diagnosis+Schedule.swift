internal import Calendars
internal import Files
internal import Settings
internal import Stacks
internal import SystemPackage

// What the schedule depends on.

extension Diagnosis {
  /// Where systems keep the tz database.
  private static let zoneFiles: FilePath = "/usr/share/zoneinfo"
  /// More is no file of the tz database.
  private static let maximumZoneBytes: Int64 = 1 << 20
  private static let comparedYears = 5

  /// Whether the rules that hrp brings along for the configured timezone are those of this system.
  func timezone() throws -> [DiagnosisRow] {
    let zone = stack.settings.zone.value
    let name = "timezone"
    let comparison: ZoneComparison
    do {
      comparison = try ZoneComparison(
        of: zone, withFile: zoneFile(zone.name), startingAt: time.nowNanoseconds, years: Self.comparedYears)
    } catch let malformed as MalformedZoneFile {
      return [
        DiagnosisRow(
          name, state: .warning,
          detail: "\(zone.name): this system's rules cannot be read (\(malformed.reason)), so they were not compared")
      ]
    }
    switch comparison {
    case .same, .noFile:
      // Without a file of the system there is nothing to compare with; the rules that hrp brings along hold.
      return [DiagnosisRow(name, state: .good, detail: zone.name)]
    case .differs(let from):
      return [
        DiagnosisRow(
          name, state: .warning,
          detail: "\(zone.name): from \(zone.clock(at: from)) on this system has other rules than hrp "
            + "(\(Zone.databaseVersion)): jobs may run at another hour than you expect",
          remedy: "Update the system's tzdata and hrp; until then name another timezone with the same clock.")
      ]
    }
  }

  /// The bytes of the system's file of a zone; nil when there is none.
  private func zoneFile(_ name: String) throws -> [UInt8]? {
    guard let path = EntryPath(validating: Array(name.utf8)) else { return nil }
    guard let file = try OpenFile.ifPresent(Self.zoneFiles.pushing(FilePath(bytes: path.bytes)), files: files) else {
      return nil
    }
    let status = try file.status()
    guard status.kind == .regular, status.size <= Self.maximumZoneBytes else { return nil }
    return try file.read(count: Int(status.size), at: 0)
  }
}
