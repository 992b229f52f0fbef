/// When a stack counts as not protected: the group `status` of the configuration.
package struct ProtectionLimits: Sendable {
  /// The oldest that the newest verified backup may be, in days; nil for the interval of the schedule and a day more.
  package let backupDays: Setting<Int64?>
  /// The oldest that the newest passed drill may be, in days.
  package let proofDays: Setting<Int64>
  /// How many times as large, or as small, as the one before a backup may be.
  package let sizeFactor: Setting<Double>

  private static let allowedDays = "a number of days from 1 to 3650"

  /// - Parameter map: the group; when it is nil, the defaults hold.
  init(_ map: SettingsMap?) {
    let days = { (text: String) in Int64(text).flatMap { (1...3650).contains($0) ? $0 : nil } }
    let backup = map?.value("backup_days", allowed: Self.allowedDays, read: days)
    backupDays = .first(file: backup.map { ($0.value, $0.line) }, standard: nil)
    proofDays = .first(file: map?.value("proof_days", allowed: Self.allowedDays, read: days), standard: 35)
    let factor = map?.value("size_factor", allowed: "a number from 1.1 to 1000") { (text: String) -> Double? in
      // Hexadecimal numbers and the like are no numbers that somebody meant.
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else { return nil }
      return Double(text).flatMap { (1.1...1000).contains($0) ? $0 : nil }
    }
    sizeFactor = .first(file: factor, standard: 2)
    map?.reportUnknown()
  }
}
