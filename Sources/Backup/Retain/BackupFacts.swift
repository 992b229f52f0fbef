internal import Files
package import Retention
internal import Stacks
package import Store
internal import SystemPackage

extension RetentionFacts {
  /// What is noted of a backup, without reading its contents.
  package init(_ backup: ListedBackup) {
    self.init(
      name: ByteText.escaped(backup.name.bytes), timestamp: backup.timestamp,
      timestampInName: BackupLayout.timestamp(ofName: backup.name), problem: backup.problem,
      pin: Pin(backup.pin), condition: Condition(notedOf: backup),
      isComplete: backup.metadata?.complete != false && backup.hasDatabase,
      databaseIdentity: Self.databaseIdentity(of: backup))
  }

  /// Which file its database is; nil when that cannot be told, and then it proves nothing.
  private static func databaseIdentity(of backup: ListedBackup) -> DatabaseIdentity? {
    forPeople { try backup.status(of: BackupLayout.database)?.identity }.flatMap { $0 }.map {
      DatabaseIdentity(device: $0.device, inode: $0.inode)
    }
  }
}

extension RetentionFacts.Pin {
  init(_ pin: Noted<Store.Pin>) {
    switch pin {
    case .nothing: self = .none
    case .found(let pin): self = .pinned(pin.reason)
    case .unreadable(let why): self = .unreadable(why)
    }
  }
}

extension RetentionFacts.Condition {
  /// What its proof says; where there is none, what its metadata says of the read-back when it was made.
  init(notedOf backup: ListedBackup) {
    switch backup.proof {
    case .unreadable(let why): self = .unreadable(why)
    case .found(let proof): self = proof.failure.map { .failed($0) } ?? .verified
    case .nothing:
      self =
        switch backup.metadata?.verified {
        case true?: .verified
        case false?: .failed("its metadata says that it was not verified")
        case nil: .notVerified
        }
    }
  }
}
