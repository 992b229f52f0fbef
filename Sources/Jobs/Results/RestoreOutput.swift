package import Backup
internal import Files
package import Stacks
internal import Store

/// What `hrp backup restore --json` says.
package struct RestoreOutput: Encodable {
  private let path: String
  private let target: String
  private let restored: [String]
  private let undo: Nullable<String>
  private let relocated: [RestoreResult.Relocated]
  private let lost: [Losses.Row]
  private let notCompared: [String]
  private let left: Int
  private let mentioned: Int
  private let dryRun: Bool

  /// - Parameter keepsUndo: whether what was there is kept.
  package init(_ result: RestoreResult, isDryRun: Bool, keepsUndo: Bool) {
    path = result.path
    target = result.target
    restored = result.restored
    undo = Nullable(keepsUndo ? result.undoPath : nil)
    relocated = result.relocated
    lost = result.losses?.rows ?? []
    notCompared = result.losses?.notices ?? []
    left = result.left
    mentioned = result.mentioned
    dryRun = isDryRun
  }
}

/// What `hrp backup undo --json` says.
package struct UndoOutput: Encodable {
  private let undone = true
  private let names: [String]
  private let removed: [String]
  private let of: Nullable<String>
  private let at: Nullable<String>

  private enum CodingKeys: CodingKey { case undone, names, removed, of, at }

  package init(_ done: UndoResult) {
    names = done.names
    removed = done.removed
    of = Nullable(done.names.isEmpty ? nil : done.isOfUndo ? "undo" : "restore")
    at = Nullable(done.at.isEmpty ? nil : done.at)
  }
}

/// What `hrp backup undo --kept --json` says of one kept state.
package struct UndoStateOutput: Encodable {
  private let number: Int
  private let path: String
  private let backup: Nullable<String>
  private let at: String
  private let expires: String
  private let sizeBytes: Int64

  package init(_ state: UndoState) {
    number = state.number
    path = state.path
    backup = Nullable(state.backup.isEmpty ? nil : state.backup)
    at = state.at
    expires = LocalTime(nanoseconds: state.expires).iso8601WithOffset
    sizeBytes = state.bytes
  }
}
