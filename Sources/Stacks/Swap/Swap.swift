internal import DuckDBFile
package import Files
internal import MLflow
internal import Store
internal import SystemPackage

// The swap of a restore: names at the target are exchanged with those in a hidden folder beside them. The invariants:
//
//   W1  Before the commit nothing at the target was touched. The commit is one rename of the hidden folder of the first
//       site (`.NAME.hrp-restore`), when everything in it, and the journal in it, is durable. From then on whoever
//       comes finishes the swap; nobody goes back.
//   W2  Every step can be done again: what a name is now is told by its inode, and a step that was done is seen to be.
//   W3  The database's path is never empty: old and new file change places in one step (else the new one is renamed
//       over the old one, which has a second name by then).
//   W4  No WAL of one database is ever beside another: the old WALs are away, durably, before the database changes, and
//       the new WAL comes after, durably.
//   W5  While the swap runs, DuckDB's own write lock is held on the old and on the new database, each by the one
//       descriptor that this process has of it.
//   W6  What goes out is kept whole, in a folder from which the same swap brings it back.
//
// What a program finds that opens the database after a crash in the swap, before anybody has finished it:
//
//   old WALs away ──▶ the old database without what was in its WAL: older, and right
//   database changed ──▶ the restored one without what was in its WAL: older, and right
//   new WAL in ──▶ the restored one
//
// A program that writes at such a moment is seen by its WAL, or by the database's headers. Where only its WAL is there,
// it is put away. Where the database itself has moved on, it keeps the WAL that the program made, and the one that
// should have come in is set aside: `Interference`. A WAL that belongs to no database any more ends with `.stale`; no
// undo brings it back.

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

  /// A site with its open folders.
  private struct Place {
    let site: SwapPlan.Site
    let directory: OpenFile
    let hidden: OpenFile
    let incoming: OpenFile
    let outgoing: OpenFile
  }

  private let plan: SwapPlan
  private let files: any FileSystem

  init(_ plan: SwapPlan, files: any FileSystem) {
    self.plan = plan
    self.files = files
  }

  /// Does what is not done yet, and makes it durable.
  ///
  /// - Returns: sentences for the user: WALs that were set aside.
  func run() throws -> [String] {
    var isInterfered = false
    var notices: [String] = []
    for (index, site) in plan.sites.enumerated() {
      let place = try open(site, at: index)
      if index == 0, let name = plan.database.flatMap(SwapPlan.name) {
        isInterfered = try !swapDatabase(name, in: place)
      }
      for item in site.items where !isOfDatabase(item, at: index) { try swap(item, in: place) }
      for folder in [place.directory, place.incoming, place.outgoing] { try folder.synchronize() }
      if index == 0 { notices = try staleWALs(place) }
    }
    if isInterfered, let site = plan.sites.first, let path = SwapPlan.path(site.path), let name = plan.database {
      throw Interference(database: path.appending(name))
    }
    return notices
  }

  /// What was set aside in this swap: its words.
  private func staleWALs(_ place: Place) throws -> [String] {
    guard let name = plan.database else { return [] }
    let prefixes = Self.wals(of: name).map { $0 + Self.staleSuffix }
    return try files.entries(of: place.outgoing.descriptor).map { SwapPlan.text($0.name) }
      .filter { found in prefixes.contains { found.hasPrefix($0) } }.sorted()
      .map { "a program wrote to \(name) before the swap was finished; a WAL that fits no database now is kept: \($0)" }
  }

  private func open(_ site: SwapPlan.Site, at index: Int) throws -> Place {
    guard let path = SwapPlan.path(site.path), let hiddenName = SwapPlan.name(site.hidden),
      let undoName = SwapPlan.name(site.undo)
    else { throw BackupError.journalUnreadable(site.path) }
    let directory = try OpenFile(path, mode: [.directory], files: files)
    // A site that is finished already has its folder under the later name.
    let name = try files.exists(hiddenName.path, at: directory.descriptor) ? hiddenName : undoName
    let hidden = try plan.openHidden(name, of: index, in: directory)
    let folder = { (name: String) in
      try OpenFile(FilePath(name), at: hidden.descriptor, mode: [.directory, .noFollow], files: files)
    }
    return Place(
      site: site, directory: directory, hidden: hidden, incoming: try folder(plan.incoming),
      outgoing: try folder(plan.outgoing))
  }

  private func isOfDatabase(_ item: SwapPlan.Item, at index: Int) -> Bool {
    guard index == 0, let database = plan.database else { return false }
    return item.name == database || Self.wals(of: database).contains(item.name)
  }

  /// What DuckDB puts beside a database; `.recovery` comes and goes in 1.5 and later.
  package static func wals(of name: String) -> [String] {
    [".wal", ".wal.checkpoint", ".wal.recovery"].map { name + $0 }
  }

  // MARK: - The database

  /// - Returns: false when a program wrote to it in between.
  private func swapDatabase(_ name: FileName, in place: Place) throws -> Bool {
    guard let item = place.site.items.first(where: { $0.name == plan.database }) else { return true }
    let wals = Self.wals(of: item.name).compactMap(SwapPlan.name)
    if item.new == nil {
      // There was no database before: then the path is to be empty again.
      for wal in wals { try putAway(wal, unless: new(wal, in: place), in: place) }
      try place.directory.synchronize()
      try swap(item, in: place)
    } else if try place.incoming.inode(of: name) == item.new {
      // Logs that are not the plan's: also of somebody who opened the old database meanwhile.
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
      // It goes on with the WAL of whoever moved it on.
      try setAside(wals, in: place.incoming)
      return false
    }
    // WALs of somebody who opened it meanwhile; of two WALs that come in, one may be there already.
    for wal in wals { try putAway(wal, unless: new(wal, in: place), as: Self.stale(wal), in: place) }
    try bringIn(wals, in: place)
    try place.directory.synchronize()
    return true
  }

  /// W4, for what goes out: a program that wrote to the old database after its WAL was away made that WAL another's.
  ///
  /// Such a WAL is kept under another name, so that an undo does not bring the two together.
  private func partStaleWALs(_ wals: [FileName], name: FileName, in place: Place) throws {
    guard let headers = plan.oldHeaders, try Self.headers(of: name, in: place.directory) != headers else { return }
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
    place.site.items.first { $0.name == SwapPlan.text(name) }?.new
  }

  private func old(_ name: FileName, in place: Place) -> UInt64? {
    place.site.items.first { $0.name == SwapPlan.text(name) }?.old
  }

  private func bringIn(_ wals: [FileName], in place: Place) throws {
    for wal in wals where try files.exists(wal.path, at: place.incoming.descriptor) {
      try move(wal, from: place.incoming, to: place.directory)
    }
  }

  /// Whether the database is as it was staged, as far as its headers tell.
  private func isUntouched(_ name: FileName, in place: Place) throws -> Bool {
    guard let headers = plan.headers else { return true }
    return try Self.headers(of: name, in: place.directory) == headers
  }

  /// SHA-256 of the three headers of a DuckDB file; nil: there is none.
  ///
  /// By the descriptor that holds the lock, where there is one: another's end would drop it (W5).
  package static func headers(of name: FileName, in directory: OpenFile) throws -> String? {
    guard try directory.files.exists(name.path, at: directory.descriptor),
      try directory.files.status(name.path, at: directory.descriptor).kind == .regular
    else { return nil }
    let bytes = try DatabaseLock.file(name, in: directory).read(count: Int(HeaderPair.end), at: 0)
    var hash = DigestStream()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finalize().hex
  }

  /// Moves a WAL out of the way; one of the same name that is away already stays.
  private func putAway(
    _ name: FileName, unless kept: UInt64?, as new: FileName? = nil, in place: Place
  ) throws {
    guard let found = try place.directory.inode(of: name), found != kept else { return }
    // One of that name is away already: this one came in between, and fits nothing that an undo brings back.
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
    guard let name = item.fileName else { throw BackupError.journalUnreadable(place.site.path) }
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

  /// W3, where names cannot be exchanged: the old file gets its second name first.
  private func replace(_ name: FileName, in place: Place) throws {
    if try !files.exists(name.path, at: place.outgoing.descriptor) {
      do {
        try files.makeHardLink(
          name.path, at: place.outgoing.descriptor, to: name.path, at: place.directory.descriptor)
      } catch  where [.notPermitted, .notSupported, .notSupportedOnSocket, .noFunction].contains(error.errno) {
        try copyAside(name, in: place)
      }
      try place.outgoing.synchronize()
    }
    try files.renameReplacing(
      name.path, at: place.incoming.descriptor, to: name.path, at: place.directory.descriptor)
  }

  /// For a file system that has neither exchange nor hard links.
  private func copyAside(_ name: FileName, in place: Place) throws {
    let source = try DatabaseLock.file(name, in: place.directory)
    let staged = FilePath(".copy.partial")
    try files.removeTree(staged, at: place.outgoing.descriptor)
    let target = try OpenFile(staged, at: place.outgoing.descriptor, mode: [.write, .create, .exclusive], files: files)
    var offset: Int64 = 0
    while true {
      try Interruption.check()
      let bytes = try source.read(count: 4 << 20, at: offset)
      if bytes.isEmpty { break }
      try target.write(bytes, at: offset)
      offset += Int64(bytes.count)
    }
    try target.synchronize()
    try target.close()
    try files.renameNew(
      staged, at: place.outgoing.descriptor, to: name.path, at: place.outgoing.descriptor)
  }

  /// SQLite replays a WAL that it finds beside a database, whosever it is.
  private func putAwaySQLiteSidecars(of name: FileName, _ place: Place) throws {
    guard name.bytes.suffix(3).elementsEqual(".db".utf8) else { return }
    for suffix in SQLiteFile.sidecars {
      try putAway(FileName(bytes: name.bytes + Array(suffix.utf8)), unless: nil, in: place)
    }
  }

  /// Renames; a folder that cannot be renamed, as in an overlay, is made anew, and what is in it is moved.
  private func move(_ name: FileName, from: OpenFile, to: OpenFile, as new: FileName? = nil) throws {
    let target = new ?? name
    do throws(SystemError) {
      return try files.renameNew(name.path, at: from.descriptor, to: target.path, at: to.descriptor)
    } catch {
      guard [.improperLink, .resourceBusy, .fileExists, .directoryNotEmpty].contains(error.errno),
        try files.status(name.path, at: from.descriptor).kind == .directory
      else { throw error }
    }
    let source = try OpenFile(name.path, at: from.descriptor, mode: [.directory, .noFollow], files: files)
    if try !files.exists(target.path, at: to.descriptor) {
      try files.makeDirectory(target.path, at: to.descriptor, permissions: try source.status().permissions)
    }
    let copy = try OpenFile(target.path, at: to.descriptor, mode: [.directory, .noFollow], files: files)
    try files.give(copy.descriptor, to: source.status().owner)
    for entry in try files.entries(of: source.descriptor) { try move(entry.name, from: source, to: copy) }
    try copy.synchronize()
    try source.close()
    try files.removeDirectory(name.path, at: from.descriptor)
  }
}
