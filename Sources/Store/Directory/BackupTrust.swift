/// How far a backup is trusted by what is noted of it, best first.
package enum BackupTrust: CaseIterable {
  case proven
  /// Nothing is known against it.
  case unproven
  /// There is a reason for doubt.
  ///
  /// Only a checkpoint failed, while every byte is right; or a failure was noted that a structure check would find
  /// again if it is still there; or it cannot be told whether a drill failed.
  case doubtful

  /// Returns nil when the backup failed in a way that a structure check does not find.
  ///
  /// - Parameter part: the part that is wanted; nil for the whole backup.
  package init?(_ backup: ListedBackup, for part: StackPart? = nil) {
    // Why it cannot be looked at is said by whoever looks.
    if backup.problem != nil {
      self = .unproven
      return
    }
    switch backup.proof {
    case .nothing: self = .unproven
    case .unreadable: self = .doubtful
    case .found(let proof) where proof.isOK: self = proof.level == .drill ? .proven : .unproven
    case .found(let proof) where !proof.concerns(part): self = .unproven
    case .found(let proof) where proof.isSound || proof.level <= .structure: self = .doubtful
    case .found: return nil
    }
  }
}
