/// How far a backup is trusted by what is noted of it, best first.
package enum BackupTrust: CaseIterable {
  case proven
  /// Nothing is known against it.
  case unproven
  /// Every byte is right and the engine fails when it writes a checkpoint; or a failure was noted that a look at the
  /// structure sees again where it is still so; or whether a drill failed cannot be told.
  case doubtful

  /// nil: it failed in a way that a look at its structure does not see.
  ///
  /// - Parameter part: the part that is wanted of it; nil: all of it.
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
