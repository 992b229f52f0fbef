internal import Backup

/// A copy of a backup in a second place, as it was when it was made: the place may be out of reach now.
package struct CopyRecord: Sendable, Equatable {
  /// The name of the backup, in readable form.
  package var backup: String
  /// The place, by its name in the configuration, or where it was.
  package var place: String
  /// The id in its marker.
  package var placeID: String
  /// When it was copied there last, ISO 8601 with offset.
  package var copiedAt: String
  /// Whether the place was on another device than the database.
  package var isOnOtherDevice: Bool

  package init(backup: String, place: String, placeID: String, copiedAt: String, isOnOtherDevice: Bool) {
    self.backup = backup
    self.place = place
    self.placeID = placeID
    self.copiedAt = copiedAt
    self.isOnOtherDevice = isOnOtherDevice
  }

  init(_ result: CopyResult, at: String) {
    self.init(
      backup: result.name, place: result.place, placeID: result.placeID, copiedAt: at,
      isOnOtherDevice: result.isOnOtherDevice ?? false)
  }
}
