internal import Jobs

/// What to do about a job that did not go well.
enum JobRemedy {
  /// Codes whose remedy is always the same.
  private static let known: [String: String] = [
    "disk.full": "hrp backup rotate --dry-run says what can go; hrp backup trash empty frees what is deleted",
    "duckdb.wal-damaged": "hrp recover", "duckdb.damaged": "hrp recover", "duckdb.not-a-database": "hrp recover",
    "source.not-found": "hrp doctor", "configuration.invalid": "hrp config validate",
    "drill.failed": "hrp backup list shows which backups are proven; hrp backup drill tries again",
  ]

  /// As a sentence or a command; nil when the job went well, or still runs.
  static func words(for job: Job) -> String? {
    guard job.status == .failed || job.status == .interrupted else { return nil }
    if let code = job.code {
      if let remedy = known[code] { return remedy }
      if code.hasSuffix(".busy") || code.hasSuffix("-in-use") {
        return "hrp \(job.operation), when that program is done"
      }
      if code.hasPrefix("place.") { return "hrp status says what is wrong with the place" }
    }
    return "hrp doctor; logs/backup.log has what it said"
  }
}
