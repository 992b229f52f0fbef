/// How long the space of the backup directory lasts.
package struct SpaceForecast: Sendable {
  private static let dayNanoseconds: Int64 = 86_400_000_000_000
  /// Days that are looked back.
  private static let windowDays: Int64 = 30

  package let availableBytes: Int64
  package let totalBytes: Int64
  /// What new backups took a day, on average; nil when there are too few to tell.
  package let bytesPerDay: Int64?
  /// How many days the space lasts when nothing is rotated away; nil when that cannot be told, or it lasts ten years.
  package let days: Int?

  /// - Parameter backups: newest first.
  package init(availableBytes: Int64, totalBytes: Int64, backups: [BackupView], now: Int64) {
    self.availableBytes = availableBytes
    self.totalBytes = totalBytes
    let recent = backups.compactMap { backup -> (at: Int64, bytes: Int64)? in
      guard let at = backup.timestamp, let size = backup.sizeBytes, at <= now,
        now - at <= Self.windowDays * Self.dayNanoseconds
      else { return nil }
      return (at, max(0, size - backup.sharedBytes))
    }
    // The oldest one begins the time that is looked at: what it took itself was taken before.
    guard recent.count >= 3, let first = recent.last, let last = recent.first,
      last.at - first.at >= Self.dayNanoseconds
    else {
      (bytesPerDay, days) = (nil, nil)
      return
    }
    let bytes = recent.dropLast().reduce(0) { $0 + $1.bytes }
    let perDay = Int64(Double(bytes) / (Double(last.at - first.at) / Double(Self.dayNanoseconds)))
    bytesPerDay = perDay
    let left = perDay > 0 ? availableBytes / perDay : Int64.max
    days = left < 3650 ? Int(left) : nil
  }
}
