internal import Files
internal import Store
internal import SystemPackage

/// The record of a restore that the guide asks for: what was there, how healthy it was before and after, what was done.
///
/// A file `logs/restore_YYYYMMDD_HHMMSS.json` in the target.
struct RestoreReport {
  let result: RestoreResult
  let timestamp: LocalTime
  /// What `/health` and `/ready` would have answered before the restore, and would answer now; no server is needed.
  let answersBefore: ReadinessRecord
  let answersAfter: ReadinessRecord

  /// Writes it; a report that cannot be written does not undo a restore.
  func write(in target: FilePath, files: any FileSystem) throws {
    let folder = target.appending("logs")
    if try !files.exists(folder) { try files.makeDirectoryOfItsOwner(folder) }
    // The owner is that of the directory in which the file really lies: a symlink may lead to another user's.
    let owner = try files.status(folder.appending("."), at: nil).owner
    var name = "restore_\(timestamp.compact)"
    var number = 1
    while try files.exists(folder.appending(name + ".json")) {
      number += 1
      name = "restore_\(timestamp.compact)_\(number)"
    }
    let file = try OpenFile(
      folder.appending(name + ".json"), mode: [.write, .create, .exclusive], permissions: 0o644, files: files)
    try file.write(Array((ResultText.json(contents) + "\n").utf8), at: 0)
    try files.give(file.descriptor, to: owner)
    try file.synchronize()
    try file.close()
  }

  private var contents: Contents {
    Contents(
      at: timestamp.iso8601WithOffset, path: result.path, target: result.target, restored: result.restored,
      undo: Nullable(result.undoPath), relocated: result.relocated,
      healthBefore: Nullable(
        result.losses?.health.map {
          .init(status: $0.status, database: $0.database, api: $0.api, asOf: Nullable($0.asOf))
        }), answersBefore: answersBefore, answersAfter: answersAfter, lost: result.losses?.rows ?? [],
      notices: result.losses?.notices ?? [])
  }

  private struct Contents: Encodable {
    struct Health: Encodable {
      let status: String
      let database: String
      let api: String
      let asOf: Nullable<String>
    }

    let at: String
    let path: String
    let target: String
    let restored: [String]
    let undo: Nullable<String>
    let relocated: [RestoreResult.Relocated]
    let healthBefore: Nullable<Health>
    let answersBefore: ReadinessRecord
    let answersAfter: ReadinessRecord
    let lost: [Losses.Row]
    let notices: [String]
  }
}
