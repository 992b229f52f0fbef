package import Files
internal import Store
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// What a swap does, as its journal says it: everything that whoever finishes it must know.
package struct SwapPlan: Codable, Sendable, Equatable {
  /// A directory in which names are exchanged with those in a hidden folder of it.
  package struct Site: Codable, Sendable, Equatable {
    /// Absolute, in the escapes of `ByteText`.
    package var path: String
    /// The hidden folder while the swap runs: a name in `path`.
    package var hidden: String
    /// The hidden folder when it holds what the swap replaced.
    package var undo: String
    package var items: [Item]
    /// Names that an undo exchanges too, when there is something of that name by then.
    package var names: [String]?
    /// Everything else in `path` is exchanged too, but these; nil: nothing else is.
    package var spared: [String]?

    package init(
      path: String, hidden: String, undo: String, items: [Item], names: [String]? = nil, spared: [String]? = nil
    ) {
      self.path = path
      self.hidden = hidden
      self.undo = undo
      self.items = items
      self.names = names
      self.spared = spared
    }
  }

  /// A name that is exchanged; which file it was is told by its inode.
  package struct Item: Codable, Sendable, Equatable {
    package var name: String
    /// nil: there was nothing of this name.
    package var old: UInt64?
    /// nil: nothing comes in its place.
    package var new: UInt64?
  }

  var format = 1
  /// The backup that is restored, in the escapes of `ByteText`; empty: an undo.
  package var backup: String
  /// The directory that the user named, likewise.
  package var target: String
  /// ISO 8601 with offset.
  package var at: String
  /// What the hidden folders of the other sites must hold to be this swap's; nil: an earlier version made it.
  package var nonce: String?
  /// Where the first site was when the swap was made, if the stack was moved since.
  var origin: String?
  /// The name of the DuckDB file in the first site; nil: it is not part of the swap.
  package var database: String?
  /// SHA-256 of the headers of the DuckDB file that comes in: whoever wrote to it in between shows there.
  package var headers: String?
  /// The same of the one that goes out, when the plan was made.
  package var oldHeaders: String?
  /// The folder, in each hidden one, whose names come in, and the one that takes what goes out.
  package var incoming = "a"
  package var outgoing = "b"
  /// The database's first.
  package var sites: [Site]

  package init(
    backup: String, target: String, at: String, nonce: String?, database: String?, headers: String?,
    oldHeaders: String?, sites: [Site]
  ) {
    self.backup = backup
    self.target = target
    self.at = at
    self.nonce = nonce
    self.database = database
    self.headers = headers
    self.oldHeaders = oldHeaders
    self.sites = sites
  }

  /// Reads a plan; nil: there is none of that name.
  /// - Throws: `SystemError`; `BackupError` `restore.journal-unreadable` for one that cannot be understood.
  static func read(_ name: FilePath, in folder: OpenFile) throws -> SwapPlan? {
    guard try folder.files.exists(name, at: folder.descriptor) else { return nil }
    let file = try OpenFile(name, at: folder.descriptor, mode: [.noFollow], files: folder.files)
    do {
      let plan = try JSONDecoder().decode(SwapPlan.self, from: Data(try file.read(count: 16 << 20, at: 0)))
      // They are opened below the hidden folders: nothing else is ever called so.
      guard Set([plan.incoming, plan.outgoing]) == ["a", "b"] else {
        throw BackupError.journalUnreadable(folder.path.text)
      }
      return plan
    } catch let error as SystemError {
      throw error
    } catch {
      throw BackupError.journalUnreadable(folder.path.text)
    }
  }

  /// The plan for the directory in which it was found: a stack may have been moved, or copied, with what it keeps.
  ///
  /// What lies below the old place is looked for below the new one. Sites elsewhere are the moved stack's still, unless
  /// the old place is there and they are its.
  /// - Throws: `BackupError` `undo.elsewhere` for those of another stack.
  package func found(in directory: FilePath, _ files: any FileSystem) throws -> SwapPlan {
    guard let first = sites.first, let old = Self.path(first.path), old != directory else { return self }
    var plan = self
    plan.origin = origin ?? first.path
    plan.sites[0].path = directory.text
    for index in sites.indices.dropFirst() {
      guard var rest = Self.path(sites[index].path) else { continue }
      if rest.removePrefix(old) {
        plan.sites[index].path = directory.pushing(rest).text
      } else if try files.exists(old) {
        throw BackupError(
          "undo.elsewhere", kind: .failed,
          message: "what is kept for undo at \(directory.text) belongs to another stack: \(old.text)",
          remedy: "This directory is a copy of that one: undo there, or restore here to have a stack of its own.")
      }
    }
    return plan
  }

  /// Refuses names that cannot be renamed, because something else is mounted there, before anything is committed.
  /// - Throws: `BackupError` `restore.mount-inside`; `SystemError`.
  package func checkDevices(_ files: any FileSystem) throws {
    for site in sites {
      guard let place = Self.path(site.path) else { continue }
      let device = try files.status(place, at: nil).identity.device
      for item in site.items where item.old != nil {
        guard let name = item.fileName else { throw BackupError.journalUnreadable(site.path) }
        let path = place.appending(name.path.components)
        guard try files.exists(path) else { continue }
        let status = try files.status(path, at: nil)
        // In an overlay a file's device may be that of its layer.
        let isOther = status.kind == .directory && status.identity.device != device
        guard try isOther || ThisProcess.isMountPoint(path) else { continue }
        throw BackupError(
          "restore.mount-inside", kind: .failed,
          message: "\(path.text) is a mount point, and a restore cannot exchange it",
          remedy: "Unmount it, mount the whole MLflow directory instead, or restore elsewhere with --target-dir.")
      }
    }
  }

  /// Whether there was something that the swap put away.
  package var replacesSomething: Bool { sites.contains { $0.items.contains { $0.old != nil } } }

  /// Writes the plan in place of one of that name, durable.
  package func write(_ name: FilePath, in folder: OpenFile) throws {
    try folder.files.replace(name, in: folder, with: StoredJSON.bytes(of: self))
  }
}

extension SwapPlan.Item {
  /// What there is of a name in the place and among what comes in; nil: nothing in either.
  package init?(_ name: FileName, in place: OpenFile, incoming: OpenFile) throws(SystemError) {
    old = try place.inode(of: name)
    new = try incoming.inode(of: name)
    if old == nil, new == nil { return nil }
    self.name = SwapPlan.text(name)
  }

  /// nil: not a name that one of ours could be; a plan is a file like any other.
  package var fileName: FileName? { SwapPlan.name(name) }
}

extension SwapPlan {
  package static func name(_ text: String) -> FileName? {
    guard let bytes = ByteText.bytes(of: text.utf8), let path = EntryPath(validating: bytes), path.depth == 1 else {
      return nil
    }
    return path.name
  }

  package static func text(_ name: FileName) -> String { ByteText.escaped(name.bytes) }

  package static func path(_ text: String) -> FilePath? {
    ByteText.bytes(of: text.utf8).map { FilePath(bytes: $0) }.flatMap { $0.isAbsolute ? $0 : nil }
  }
}
