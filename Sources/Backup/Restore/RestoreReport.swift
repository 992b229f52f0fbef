internal import Files
package import Store
internal import SystemPackage

/// The record of a restore that the guide asks for: what was there, how healthy it was, what was done.
///
/// A file `logs/restore_YYYYMMDD_HHMMSS.json` in the target.
struct RestoreReport {
  let result: RestoreResult
  let timestamp: LocalTime

  /// Writes it; a report that cannot be written does not undo a restore.
  func write(in target: FilePath, files: any FileSystem) throws {
    let folder = target.appending("logs")
    if try !files.exists(folder) { try files.makeDirectoryOfItsOwner(folder) }
    // Of the directory that it lies in: a symlink may lead into somebody else's.
    let owner = try files.status(folder.appending("."), at: nil).owner
    var name = "restore_\(timestamp.compact)"
    var number = 1
    while try files.exists(folder.appending(name + ".json")) {
      number += 1
      name = "restore_\(timestamp.compact)_\(number)"
    }
    let file = try OpenFile(
      folder.appending(name + ".json"), [.write, .create, .exclusive], permissions: 0o644, files: files)
    try file.write(Array((json.rendered() + "\n").utf8), at: 0)
    try files.give(file.descriptor, to: owner)
    try file.synchronize()
    try file.close()
  }

  private var json: JSONText {
    .object([
      ("at", .text(timestamp.iso8601WithOffset)), ("path", .text(result.path)), ("target", .text(result.target)),
      ("restored", .list(result.restored.map { .text($0) })), ("undo", .optional(result.undoPath)),
      (
        "relocated",
        .list(
          result.relocated.map { .object([("place", .text($0.place)), ("count", .whole(Int64($0.count)))]) })
      ),
      ("health_before", health), ("lost", .list((result.losses?.rows ?? []).map { $0.json })),
      ("notices", .list((result.losses?.notices ?? []).map { .text($0) })),
    ])
  }

  private var health: JSONText {
    guard let health = result.losses?.health else { return .null }
    return .object([
      ("status", .text(health.status)), ("database", .text(health.database)), ("api", .text(health.api)),
      ("as_of", .optional(health.asOf)),
    ])
  }
}

extension Losses.Row {
  /// The row with the keys `name`, `now`, `backup`.
  package var json: JSONText {
    .object([("name", .text(name)), ("now", .optional(now)), ("backup", .optional(backup))])
  }
}
