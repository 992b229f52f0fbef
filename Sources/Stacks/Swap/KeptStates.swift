package import Files
internal import SystemPackage

/// What a restore replaced, kept to be brought back.
public struct UndoState: Sendable {
  /// 1 is what the last swap replaced, 2 what the one before it did.
  public let number: Int
  /// The folder that holds it, absolute, in readable form.
  public let path: String
  /// The backup that was restored then; empty when it was an undo.
  public let backup: String
  /// When it was replaced, ISO 8601 with offset.
  public let at: String
  /// Bytes of disk space that it takes.
  public let bytes: Int64
  /// When it may be removed, in nanoseconds since 1970 UTC.
  public let expires: Int64
}

/// What the swaps of a stack replaced and what is kept of it, by its journal.
package struct KeptStates {
  private let journal: SwapJournal
  private var files: any FileSystem { journal.directory.files }

  package init(in journal: SwapJournal) { self.journal = journal }

  /// What can be brought back, the newest first.
  /// - Parameter days: for how many days what is replaced is kept.
  package func all(keptFor days: Int64) throws -> [UndoState] {
    try replaced().enumerated().map { index, kept in
      UndoState(
        number: index + 1, path: journal.directory.path.appending(kept.name.path.components).text,
        backup: kept.plan.backup, at: kept.plan.at, bytes: try bytes(of: kept),
        expires: try expiry(of: kept, keptFor: days))
    }
  }

  /// The swaps that replaced something, the newest first.
  ///
  /// A restore into an empty place is left out, since to undo it would take the stack away.
  package func replaced() throws -> [SwapJournal.Kept] {
    try journal.kept().filter { $0.plan.replacesSomething }
  }

  /// When one of them may be removed, in nanoseconds since 1970 UTC.
  package func expiry(of kept: SwapJournal.Kept, keptFor days: Int64) throws -> Int64 {
    let folder = journal.directory.path.appending(kept.name.path.components)
    // The plan was written last before the swap.
    let written = try files.status(folder.appending(SwapJournal.planName.components), at: nil).modifiedNanoseconds
    let (end, isBeyond) = written.addingReportingOverflow(days * 86_400 * 1_000_000_000)
    return isBeyond ? .max : end
  }

  /// Bytes of disk space that one of them takes.
  package func bytes(of kept: SwapJournal.Kept) throws -> Int64 {
    try folders(of: kept).reduce(0) { try $0 + Self.allocatedBytes(of: $1) }
  }

  /// Bytes that what is kept of a target takes on the file system of a folder.
  package static func bytes(of target: RestoreTarget, on place: OpenFile, files: any FileSystem) throws -> Int64 {
    try SwapJournal(of: target, files: files).map { try KeptStates(in: $0).bytes(on: place) } ?? 0
  }

  private func bytes(on place: OpenFile) throws -> Int64 {
    let device = try place.status().identity.device
    return try journal.kept().flatMap { try folders(of: $0) }
      .filter { try $0.status().identity.device == device }.reduce(0) { try $0 + Self.allocatedBytes(of: $1) }
  }

  /// Bytes of disk space that a folder and everything in it takes.
  package static func allocatedBytes(of folder: OpenFile) throws -> Int64 {
    var bytes: Int64 = 0
    try TreeWalk(files: folder.files).walk(folder) { step in
      if case .entry(let entry) = step { bytes += entry.status.allocatedBytes }
      return true
    }
    return bytes
  }

  private func folders(of kept: SwapJournal.Kept) throws -> [OpenFile] {
    // What is on a disk that is not mounted now, or cannot be read, is not counted.
    let own = try OpenFile(
      kept.name.path, at: journal.directory.descriptor, mode: [.directory, .noFollow], files: files)
    let half = forPeople { try kept.half(in: journal.directory) } ?? nil
    return [own] + (half.map { [$0.folder] } ?? [])
  }
}
