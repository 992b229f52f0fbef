package import Store

/// What `hrp backup copy` did.
package struct CopyResult: Sendable {
  /// The name of the backup, in readable form.
  package let name: String
  /// The place, by its name in the configuration, or where it is.
  package let place: String
  /// The id in its marker.
  package let placeID: String
  /// Whether the place is on another device than the database; nil when that cannot be told.
  package let isOnOtherDevice: Bool?
  package let receipt: Receipt
  package let durationSeconds: Double
}
