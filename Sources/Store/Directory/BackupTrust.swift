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
  /// A part of the MLflow directory was gone when it was made, so it cannot bring that part back.
  case lacking

  /// Returns nil when the backup failed in a way that a structure check does not find.
  ///
  /// - Parameter part: the part that is wanted; nil for the whole backup.
  package init?(_ backup: ListedBackup, for part: StackPart? = nil) {
    guard let noted = Self.noted(of: backup, for: part) else { return nil }
    self = part != .duckdb && backup.lostWords != nil ? .lacking : noted
  }

  /// What its proof says.
  private static func noted(of backup: ListedBackup, for part: StackPart?) -> BackupTrust? {
    // Why it cannot be looked at is said by whoever looks.
    guard backup.problem == nil else { return .unproven }
    switch backup.proof {
    case .nothing: return .unproven
    case .unreadable: return .doubtful
    case .found(let proof) where proof.isOK: return proof.level == .drill ? .proven : .unproven
    case .found(let proof) where !proof.concerns(part): return .unproven
    case .found(let proof) where proof.isSound || proof.level <= .structure: return .doubtful
    case .found: return nil
    }
  }
}
