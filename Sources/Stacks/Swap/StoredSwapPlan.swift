package import Files
internal import Store
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// A plan as `plan.json` has it: names and paths are text, in the escapes of `ByteText`.
///
/// It becomes a ``SwapPlan`` only when every name is one that ours could be.
struct StoredSwapPlan: Codable {
  struct Site: Codable {
    var path: String
    var hidden: String
    var undo: String
    var items: [Item]
    var names: [String]?
    var spared: [String]?
  }

  struct Item: Codable {
    var name: String
    var old: UInt64?
    var new: UInt64?
  }

  /// It is not what a swap of ours wrote.
  struct Malformed: Error {}

  private var format = 1
  private var backup: String
  private var target: String
  private var at: String
  private var nonce: String?
  private var origin: String?
  private var database: String?
  private var headers: String?
  private var oldHeaders: String?
  private var incoming: String
  private var outgoing: String
  /// The database's directory first.
  private var sites: [Site]

  init(_ plan: SwapPlan) {
    backup = plan.backup
    target = plan.target
    at = plan.at
    nonce = plan.nonce
    origin = plan.origin?.text
    database = plan.databaseName.map(Self.text)
    headers = plan.headers
    oldHeaders = plan.oldHeaders
    incoming = plan.incoming.string
    outgoing = plan.outgoing.string
    sites = plan.directories.map { Self.site($0.directory) }
  }

  private static func site(_ directory: SwapPlan.SwapDirectory) -> Site {
    Site(
      path: directory.path.text, hidden: text(directory.hidden), undo: text(directory.undo),
      items: directory.items.map { Item(name: text($0.name), old: $0.old, new: $0.new) },
      names: directory.names.map(text), spared: directory.spared?.map(text))
  }

  /// The plan that it says.
  /// - Throws: `Malformed`.
  func plan() throws -> SwapPlan {
    // Both are opened below the hidden folders, and no other names are ever used.
    guard Set([incoming, outgoing]) == ["a", "b"], (1...2).contains(sites.count) else { throw Malformed() }
    let directories = try sites.map(Self.directory)
    var plan = SwapPlan(
      backup: backup, target: target, at: at, nonce: nonce, databaseName: try database.map(Self.name),
      headers: headers, oldHeaders: oldHeaders, database: directories[0], store: directories.dropFirst().first)
    plan.origin = try origin.map(Self.path)
    (plan.incoming, plan.outgoing) = (FilePath(incoming), FilePath(outgoing))
    return plan
  }

  private static func directory(_ site: Site) throws -> SwapPlan.SwapDirectory {
    SwapPlan.SwapDirectory(
      path: try path(site.path), hidden: try name(site.hidden), undo: try name(site.undo),
      items: try site.items.map { SwapPlan.Item(name: try name($0.name), old: $0.old, new: $0.new) },
      names: try (site.names ?? []).map(name), spared: try site.spared?.map(name))
  }

  private static func text(_ name: FileName) -> String { ByteText.escaped(name.bytes) }

  private static func name(_ text: String) throws -> FileName {
    guard let bytes = ByteText.bytes(of: text.utf8), let path = EntryPath(validating: bytes), path.depth == 1 else {
      throw Malformed()
    }
    return path.name
  }

  private static func path(_ text: String) throws -> FilePath {
    guard let path = ByteText.bytes(of: text.utf8).map({ FilePath(bytes: $0) }), path.isAbsolute else {
      throw Malformed()
    }
    return path
  }
}

extension SwapPlan {
  /// Reads a plan; returns nil when there is no file of that name.
  /// - Throws: `SystemError`; `BackupError` `restore.journal-unreadable` for one that cannot be understood.
  static func read(_ name: FilePath, in folder: OpenFile) throws -> SwapPlan? {
    guard try folder.files.exists(name, at: folder.descriptor) else { return nil }
    let file = try OpenFile(name, at: folder.descriptor, mode: [.noFollow], files: folder.files)
    do {
      return try JSONDecoder().decode(StoredSwapPlan.self, from: Data(try file.read(count: 16 << 20, at: 0))).plan()
    } catch let error as SystemError {
      throw error
    } catch {
      throw BackupError.journalUnreadable(folder.path.text)
    }
  }

  /// Writes the plan in place of one of that name, durable.
  package func write(_ name: FilePath, in folder: OpenFile) throws {
    try folder.files.replace(name, in: folder, with: StoredJSON.bytes(of: StoredSwapPlan(self)))
  }
}
