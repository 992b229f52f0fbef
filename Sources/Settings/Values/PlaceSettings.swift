/// A second place for copies of backups, as it is configured.
package struct PlaceSettings: Sendable {
  /// Its name, which stands before a colon: `offsite:latest`.
  package let name: String
  /// Where it is, as it was written; relative to the data directory.
  package let path: String
  /// Which place it must be, by its marker; nil when any will do.
  package let id: String?
  /// Which copies stay there; nil for the rules of the backup directory.
  package let retention: RetentionValues?
  /// Whether scheduled backups are copied there.
  package let isScheduled: Bool
  /// The line of the configuration file.
  package let line: Int
}
