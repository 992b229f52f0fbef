/// The operations of this program, by the name that the log, the history and `--json` have for them.
package enum JobKind: String, Sendable, CaseIterable {
  case create = "backup create"
  case list = "backup list"
  case show = "backup show"
  case verify = "backup verify"
  case restore = "backup restore"
  case undo = "backup undo"
  case drill = "backup drill"
  case rotate = "backup rotate"
  case copy = "backup copy"
  case trash = "backup trash"
  case find = "backup find"
  case pin = "backup pin"
  case unpin = "backup unpin"
  case validate, doctor, recover

  /// What the operation does, as it stands after "while".
  package var doing: String {
    switch self {
    case .create: "making the backup"
    case .list: "listing the backups"
    case .show: "looking at the backup"
    case .verify: "verifying"
    case .restore: "restoring"
    case .undo: "undoing the restore"
    case .drill: "drilling"
    case .rotate: "deleting old backups"
    case .copy: "copying the backup"
    case .trash: "looking into the trash"
    case .find: "searching the backups"
    case .pin, .unpin: "pinning"
    case .validate: "reading the database"
    case .doctor: "looking at the stack"
    case .recover: "recovering"
    }
  }
}
