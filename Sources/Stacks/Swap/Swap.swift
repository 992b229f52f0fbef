internal import DuckDBFile
package import Files
internal import MLflow
internal import Store
internal import SystemPackage

// The swap of a restore: names at the target are exchanged with those in a hidden folder beside them. The invariants:
//
//   W1  Before the commit nothing at the target is touched. The commit is one rename, to `.NAME.hrp-restore`, of the
//       hidden folder in the database's directory. It is done when everything in the folder is durable, with the
//       journal. From then on the next `hrp` command finishes the swap; no command goes back.
//   W2  Every step can be repeated. The inode of a name tells which file it is now, so a step that was done is
//       recognised.
//   W3  The database's path is never empty. The old and the new file are exchanged in one step. Where that is not
//       possible, the old file gets a second name, and then the new one is renamed over it.
//   W4  The WAL of one database never lies beside another database. The old WALs are moved away, durably, before the
//       database changes; the new WAL is moved in, durably, after that. Example: the power fails right after the
//       exchange. The path then has the restored database without its WAL: it is older than the backup, but right.
//   W5  While the swap runs, it has DuckDB's own write lock on the old and on the new database, each by the only
//       descriptor that this process has of that file.
//   W6  What is replaced is kept complete, in a folder from which the same swap brings it back.
//
// When a program opens the database after a crash in the swap, and before the swap is finished, it finds:
//
//   old WALs away ──▶ the old database without what was in its WAL: older, and right
//   database changed ──▶ the restored one without what was in its WAL: older, and right
//   new WAL in ──▶ the restored one
//
// A program that writes in that state is detected by its WAL, or by the database's headers. When only its WAL is there,
// the WAL is moved away. When the database itself has changed, it keeps the program's WAL, and the WAL that should have
// come in is set aside: `Interference`. A WAL that fits no database any more gets a name that ends with `.stale`, and
// no undo brings it back.

/// Carries out a plan, from wherever it stands (W1, W2).
package struct Swap {
  /// A program wrote to the half-restored database: what it wrote is set aside, and the restore must be made again.
  struct Interference: ExplainedError {
    let database: FilePath

    package var explanation: BackupError {
      BackupError(
        "restore.interfered", kind: .failed,
        message: "a restore had been interrupted, and a program wrote to \(database.text) before it was finished: "
          + "what the WAL of the restored state held is missing from it",
        remedy:
          "Run hrp backup undo, which brings back what was there before, and then restore again; what that program "
          + "wrote is kept.")
    }
  }

  /// A swap directory with its open folders.
  struct Place {
    let planned: SwapPlan.SwapDirectory
    let directory: OpenFile
    let hidden: OpenFile
    let incoming: OpenFile
    let outgoing: OpenFile
  }

  private let plan: SwapPlan
  let files: any FileSystem

  /// The locks on the database that goes out and on the one that comes in (W5).
  let lock: DatabaseLock

  init(_ plan: SwapPlan, lock: DatabaseLock, files: any FileSystem) {
    self.plan = plan
    self.lock = lock
    self.files = files
  }

  /// Does what is not done yet, and makes it durable.
  ///
  /// - Returns: sentences for the user: WALs that were set aside.
  func run() throws -> [String] {
    var isInterfered = false
    var notices: [String] = []
    for (role, directory) in plan.directories {
      let place = try open(directory, as: role)
      if role == .database, let name = plan.databaseName { isInterfered = try !swapDatabase(name, in: place) }
      for item in directory.items where !(role == .database && isOfDatabase(item)) { try swap(item, in: place) }
      for folder in [place.directory, place.incoming, place.outgoing] { try folder.synchronize() }
      if role == .database { notices = try staleWALs(place) }
    }
    if isInterfered, let name = plan.databaseName {
      throw Interference(database: plan.database.path.appending(name.path.components))
    }
    return notices
  }

  /// A sentence for each WAL that was set aside in this swap.
  private func staleWALs(_ place: Place) throws -> [String] {
    guard let name = plan.databaseName else { return [] }
    let prefixes = Self.wals(of: name).map { $0.bytes + Array(Self.staleSuffix.utf8) }
    return try files.entries(of: place.outgoing.descriptor).map(\.name)
      .filter { found in prefixes.contains { found.bytes.starts(with: $0) } }.sorted()
      .map {
        "a program wrote to \(ByteText.escaped(name.bytes)) before the swap was finished; a WAL that fits no database "
          + "now is kept: \(ByteText.escaped($0.bytes))"
      }
  }

  private func open(_ planned: SwapPlan.SwapDirectory, as role: SwapPlan.Role) throws -> Place {
    let directory = try OpenFile(planned.path, mode: [.directory], files: files)
    // In a swap directory that is finished, the folder has its later name.
    let name = try files.exists(planned.hidden.path, at: directory.descriptor) ? planned.hidden : planned.undo
    let hidden = try plan.openHidden(name, of: role, in: directory)
    let folder = { (name: FilePath) in
      try OpenFile(name, at: hidden.descriptor, mode: [.directory, .noFollow], files: files)
    }
    return Place(
      planned: planned, directory: directory, hidden: hidden, incoming: try folder(plan.incoming),
      outgoing: try folder(plan.outgoing))
  }

  private func isOfDatabase(_ item: SwapPlan.Item) -> Bool {
    guard let name = plan.databaseName else { return false }
    return item.name == name || Self.wals(of: name).contains(item.name)
  }

  /// What the names end with that DuckDB puts beside a database; `.recovery` comes and goes in 1.5 and later.
  static let walSuffixes = [".wal", ".wal.checkpoint", ".wal.recovery"]

  package static func wals(of name: FileName) -> [FileName] {
    walSuffixes.map { FileName(bytes: name.bytes + Array($0.utf8)) }
  }

  // MARK: - The database

  /// - Returns: false when a program wrote to it in between.
  private func swapDatabase(_ name: FileName, in place: Place) throws -> Bool {
    guard let item = place.planned.items.first(where: { $0.name == name }) else { return true }
    let wals = Self.wals(of: name)
    if item.new == nil {
      // There was no database before: then the path is to be empty again.
      for wal in wals { try putAway(wal, unless: new(wal, in: place), in: place) }
      try place.directory.synchronize()
      try swap(item, in: place)
    } else if try place.incoming.inode(of: name) == item.new {
      // These WALs are not in the plan; a program that opened the old database meanwhile may have made them.
      for wal in wals { try putAway(wal, unless: item.old == nil ? new(wal, in: place) : nil, in: place) }
      try place.directory.synchronize()  // W4
      if item.old == nil { try bringIn(wals, in: place) } else { try partStaleWALs(wals, name: name, in: place) }
      try swap(item, in: place, isDatabase: true)
      try place.directory.synchronize()
    }
    // An exchange that ended before what came out was put away.
    if item.old != nil, try place.incoming.inode(of: name) == item.old {
      try move(name, from: place.incoming, to: place.outgoing)
    }
    // With its WAL in, the database is whole: what is written from then on is written to the restored one.
    guard try wals.contains(where: { try files.exists($0.path, at: place.incoming.descriptor) }) else { return true }
    guard try isUntouched(name, in: place) else {
      // The database keeps the WAL of the program that changed it.
      try setAside(wals, in: place.incoming)
      return false
    }
    // WALs of somebody who opened it meanwhile; of two WALs that come in, one may be there already.
    for wal in wals { try putAway(wal, unless: new(wal, in: place), as: Self.stale(wal), in: place) }
    try bringIn(wals, in: place)
    try place.directory.synchronize()
    return true
  }

  /// Keeps W4 for the outgoing files: a program may have written to the old database after its WAL was moved away.
  ///
  /// Then that WAL does not fit any more. It is kept under another name, so that an undo does not combine the two.
  private func partStaleWALs(_ wals: [FileName], name: FileName, in place: Place) throws {
    guard let headers = plan.oldHeaders, try Self.headers(of: name, in: place.directory, by: lock) != headers else {
      return
    }
    // A WAL that the plan does not know is of whoever moved the database on, and fits it.
    try setAside(wals.filter { try place.outgoing.inode(of: $0) == old($0, in: place) }, in: place.outgoing)
  }

  private static let staleSuffix = ".stale"

  private static func stale(_ wal: FileName) -> FileName { FileName(bytes: wal.bytes + Array(staleSuffix.utf8)) }

  private func setAside(_ wals: [FileName], in folder: OpenFile) throws {
    for wal in wals where try files.exists(wal.path, at: folder.descriptor) {
      try move(wal, from: folder, to: folder, as: try free(Self.stale(wal), in: folder))
    }
    try folder.synchronize()
  }

  private func new(_ name: FileName, in place: Place) -> UInt64? {
    place.planned.items.first { $0.name == name }?.new
  }

  private func old(_ name: FileName, in place: Place) -> UInt64? {
    place.planned.items.first { $0.name == name }?.old
  }

  private func bringIn(_ wals: [FileName], in place: Place) throws {
    for wal in wals where try files.exists(wal.path, at: place.incoming.descriptor) {
      try move(wal, from: place.incoming, to: place.directory)
    }
  }

  /// Whether the database is as it was staged, as far as its headers tell.
  private func isUntouched(_ name: FileName, in place: Place) throws -> Bool {
    guard let headers = plan.headers else { return true }
    return try Self.headers(of: name, in: place.directory, by: lock) == headers
  }

  /// SHA-256 of the three headers of a DuckDB file; nil when there is no such file.
  ///
  /// It is read by the descriptor that has the lock, if there is one: closing another descriptor would release it (W5).
  package static func headers(
    of name: FileName, in directory: OpenFile, by lock: DatabaseLock
  ) throws -> String? {
    guard try directory.files.exists(name.path, at: directory.descriptor),
      try directory.files.status(name.path, at: directory.descriptor).kind == .regular
    else { return nil }
    let file = try lock.file(name, in: directory)
    let bytes = try file.read(count: Int(HeaderPair.end), at: 0)
    try file.close()
    var hash = DigestStream()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finalize().hex
  }

  /// Moves a WAL out of the way; one of the same name that is away already stays.
  private func putAway(
    _ name: FileName, unless kept: UInt64?, as new: FileName? = nil, in place: Place
  ) throws {
    guard let found = try place.directory.inode(of: name), found != kept else { return }
    // A WAL of that name was moved away before. This one was written later, and fits nothing that an undo brings back.
    let isTaken = try files.exists(name.path, at: place.outgoing.descriptor)
    let target = try free(new ?? (isTaken ? Self.stale(name) : name), in: place.outgoing)
    try move(name, from: place.directory, to: place.outgoing, as: target)
  }

  private func free(_ name: FileName, in folder: OpenFile) throws -> FileName {
    var candidate = name
    var number = 1
    while try files.exists(candidate.path, at: folder.descriptor) {
      number += 1
      candidate = FileName(bytes: name.bytes + Array(".\(number)".utf8))
    }
    return candidate
  }

  // MARK: - Any name

  /// A file in the hidden folder that says that an old name is away, where names cannot be exchanged.
  private static let markerPrefix = "away."

  /// Removes the marks of a swap that is over: the next one brings the same files in again.
  static func removeMarks(in hidden: OpenFile) throws(SystemError) {
    for entry in try hidden.files.entries(of: hidden.descriptor) where entry.name.hasPrefix(markerPrefix) {
      try hidden.files.remove(entry.name.path, at: hidden.descriptor)
    }
    try hidden.synchronize()
  }

  private func swap(_ item: SwapPlan.Item, in place: Place, isDatabase: Bool = false) throws {
    let name = item.name
    let found = try place.directory.inode(of: name)
    guard item.new != nil else {
      // Nothing comes in; only what the plan saw goes out.
      if found != nil, found == item.old { try move(name, from: place.directory, to: place.outgoing) }
      return
    }
    guard let staged = try place.incoming.inode(of: name) else { return }  // Done.
    if staged == item.old { return try move(name, from: place.incoming, to: place.outgoing) }  // Exchanged.
    let marker = FilePath(Self.markerPrefix + "\(item.new ?? 0)")
    let isAway = try files.exists(marker, at: place.hidden.descriptor)
    if found == nil || isAway {
      // A folder that cannot be renamed is there before all of it is, and must not be taken for an old one.
      let isFolder = try files.status(name.path, at: place.incoming.descriptor).kind == .directory
      if !isAway, isFolder { try mark(marker, in: place) }
      return try move(name, from: place.incoming, to: place.directory)
    }
    try putAwaySQLiteSidecars(of: name, place)
    if try !files.exists(name.path, at: place.outgoing.descriptor),
      try files.exchange(name.path, at: place.incoming.descriptor, with: name.path, at: place.directory.descriptor)
    {
      // Of two renames that are not durable, the first may be lost and the second not.
      try place.directory.synchronize()
      try place.incoming.synchronize()
      return try move(name, from: place.incoming, to: place.outgoing)
    }
    if isDatabase { return try replace(name, in: place) }
    try move(name, from: place.directory, to: place.outgoing)
    for folder in [place.directory, place.outgoing] { try folder.synchronize() }
    try mark(marker, in: place)
    try move(name, from: place.incoming, to: place.directory)
  }

  private func mark(_ marker: FilePath, in place: Place) throws(SystemError) {
    try OpenFile(marker, at: place.hidden.descriptor, mode: [.write, .create], files: files).close()
    try place.hidden.synchronize()
  }

  /// SQLite replays any WAL that it finds beside a database, even that of another database.
  private func putAwaySQLiteSidecars(of name: FileName, _ place: Place) throws {
    guard name.bytes.suffix(3).elementsEqual(".db".utf8) else { return }
    for suffix in SQLiteFile.sidecars {
      try putAway(FileName(bytes: name.bytes + Array(suffix.utf8)), unless: nil, in: place)
    }
  }
}
