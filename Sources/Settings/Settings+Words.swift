package import Retention

extension Settings {
  /// What a rotation goes by when no rule is named on the command line.
  package var rotation: RetentionSettings {
    RetentionSettings(policy: retention.policy, zone: zone.value, trashDays: retention.trashDays.value)
  }

  /// The same with a number of days in place of the configured rules, when one is named.
  /// - Throws: `RetentionPolicyError`.
  package func rotation(keepingDays days: Int?) throws(RetentionPolicyError) -> RetentionSettings {
    var rotation = rotation
    if let days { rotation.policy = try RetentionPolicy(keepDays: days) }
    return rotation
  }

  /// What a rotation of the copies in a place goes by.
  package func rotation(of place: PlaceSettings) -> RetentionSettings {
    guard let retention = place.retention else { return rotation }
    return RetentionSettings(policy: retention.policy, zone: zone.value, trashDays: retention.trashDays.value)
  }

  /// Why nothing is kept for an undo, for people; nil when something is kept.
  package var reasonToKeepNothing: String? {
    guard undoDays.value == 0 else { return nil }
    if case .environment(let name) = undoDays.source { return "\(name)=0" }
    return "undo_days is 0"
  }

  /// Why no backup is made, as a clause; nil when backups are made.
  package var reasonToMakeNone: String? {
    guard isSwitchedOff.value else { return nil }
    if case .environment(let name) = isSwitchedOff.source { return "\(name) is set" }
    return "no_backup is true in the configuration file"
  }
}
