package import Files
internal import Store
package import SystemPackage

/// What a swap does, as its journal records it: everything that is needed to finish the swap.
///
/// Names and paths are checked when the plan is read (``StoredSwapPlan``), since anybody may have written the file.
package struct SwapPlan: Sendable, Equatable {
  /// Which of its two directories.
  package enum Role: Sendable { case database, store }

  /// A swap directory: names in it are exchanged with those in a hidden folder of it.
  package struct SwapDirectory: Sendable, Equatable {
    package var path: FilePath
    /// The hidden folder while the swap runs: a name in `path`.
    package var hidden: FileName
    /// The hidden folder when it holds what the swap replaced.
    package var undo: FileName
    package var items: [Item]
    /// Names that an undo exchanges too, when there is something of that name by then.
    package var names: [FileName]
    /// Names in `path` that are not exchanged, while all others are; nil when only `items` and `names` are exchanged.
    package var spared: [FileName]?

    package init(
      path: FilePath, hidden: FileName, undo: FileName, items: [Item], names: [FileName] = [],
      spared: [FileName]? = nil
    ) {
      self.path = path
      self.hidden = hidden
      self.undo = undo
      self.items = items
      self.names = names
      self.spared = spared
    }
  }

  /// A name that is exchanged, with the inodes that tell which files it was.
  package struct Item: Sendable, Equatable {
    package var name: FileName
    /// The inode of the file that had this name; nil when there was none.
    package var old: UInt64?
    /// The inode of the file that gets this name; nil when no file takes its place.
    package var new: UInt64?
  }

  /// The backup that is restored, in the escapes of `ByteText`; empty for an undo.
  package var backup: String
  /// The directory that the user named, likewise.
  package var target: String
  /// ISO 8601 with offset.
  package var at: String
  /// The nonce in the hidden folder of the store's directory; nil when an earlier version wrote the plan.
  package var nonce: String?
  /// The path of the database's directory when the swap was made, if the stack was moved since.
  var origin: FilePath?
  /// The name of the DuckDB file in the database's directory; nil when the swap does not include the database.
  package var databaseName: FileName?
  /// SHA-256 of the headers of the incoming DuckDB file, to detect that a program wrote to it in between.
  package var headers: String?
  /// The same of the one that goes out, when the plan was made.
  package var oldHeaders: String?
  /// The subfolder of each hidden folder for incoming names; `outgoing` is the one for what they replace.
  package var incoming: FilePath = "a"
  package var outgoing: FilePath = "b"
  /// The directory that the stack's database lies in; the journal is kept there, whatever is exchanged.
  package var database: SwapDirectory
  /// The store's directory; nil when it is the database's directory, or when the swap does not include the store.
  package var store: SwapDirectory?

  package init(
    backup: String, target: String, at: String, nonce: String?, databaseName: FileName?, headers: String?,
    oldHeaders: String?, database: SwapDirectory, store: SwapDirectory?
  ) {
    self.backup = backup
    self.target = target
    self.at = at
    self.nonce = nonce
    self.databaseName = databaseName
    self.headers = headers
    self.oldHeaders = oldHeaders
    self.database = database
    self.store = store
  }

  /// The swap directories, the database's first.
  package var directories: [(role: Role, directory: SwapDirectory)] {
    [(.database, database)] + (store.map { [(.store, $0)] } ?? [])
  }

  /// Every name that is exchanged, in both directories.
  package var items: [Item] { directories.flatMap(\.directory.items) }

  /// Whether the swap replaced something.
  package var replacesSomething: Bool { items.contains { $0.old != nil } }

  /// The plan for the directory in which it was found: a stack may have been moved, or copied, with what it keeps.
  ///
  /// Paths below the old place are replaced by paths below the new one. A store elsewhere belongs to the stack that was
  /// moved, unless a stack is still at the old place: then it belongs to that one.
  /// - Throws: `BackupError` `undo.elsewhere` for those of another stack.
  package func found(in directory: FilePath, _ files: any FileSystem) throws -> SwapPlan {
    let old = database.path
    guard old != directory else { return self }
    var plan = self
    plan.origin = origin ?? old
    plan.database.path = directory
    guard var rest = store?.path else { return plan }
    if rest.removePrefix(old) {
      plan.store?.path = directory.pushing(rest)
    } else if try files.exists(old) {
      throw BackupError(
        "undo.elsewhere", kind: .failed,
        message: "what is kept for undo at \(directory.text) belongs to another stack: \(old.text)",
        remedy: "This directory is a copy of that one: undo there, or restore here to have a stack of its own.")
    }
    return plan
  }

  /// Refuses names that cannot be renamed, because something else is mounted there, before anything is committed.
  /// - Throws: `BackupError` `restore.mount-inside`; `SystemError`.
  package func checkDevices(_ files: any FileSystem) throws {
    for (_, directory) in directories {
      let device = try files.status(directory.path, at: nil).identity.device
      for item in directory.items where item.old != nil {
        let path = directory.path.appending(item.name.path.components)
        guard try files.exists(path) else { continue }
        let status = try files.status(path, at: nil)
        // In an overlay a file's device may be that of its layer.
        let isOther = status.kind == .directory && status.identity.device != device
        guard try isOther || Mounts.isMountPoint(path) else { continue }
        throw BackupError(
          "restore.mount-inside", kind: .failed,
          message: "\(path.text) is a mount point, and a restore cannot exchange it",
          remedy: "Unmount it, mount the whole MLflow directory instead, or restore elsewhere with --target-dir.")
      }
    }
  }
}

extension SwapPlan.Item {
  /// Finds the files of a name, in the directory and among what comes in; returns nil when neither has one.
  package init?(_ name: FileName, in place: OpenFile, incoming: OpenFile) throws(SystemError) {
    old = try place.inode(of: name)
    new = try incoming.inode(of: name)
    if old == nil, new == nil { return nil }
    self.name = name
  }
}
