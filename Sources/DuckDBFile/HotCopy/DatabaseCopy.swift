package import Files
package import SystemPackage

/// Makes a consistent copy of any DuckDB file.
///
/// It is a hot copy; an encrypted file is copied as it is, while nobody writes to it.
package enum DatabaseCopy {
  /// Copies into new files of a directory: `name`, and its WALs beside it where there is something in them.
  ///
  /// - Parameter observer: sees the bytes of the main file as they are written; with `keepsClone` it sees none.
  /// - Throws: `HotCopyError`, `SystemError`, `Interruption.Stopped`.
  package static func run(
    of database: DatabaseFile, to name: FilePath, at directory: Descriptor, permissions: UInt16,
    options: HotCopy.Options = HotCopy.Options(), observer: (any WriteObserver)? = nil, files: any FileSystem,
    time: any TimeSource, progress: @escaping (Int64) -> Void = { _ in }
  ) throws -> HotCopy.Result {
    try OtherNames(database: database).check()
    let isEncrypted = try database.mainHeader().isEncrypted
    let result =
      isEncrypted
      ? try EncryptedCopy(
        of: database, to: name, at: directory, permissions: permissions, observer: observer, progress: progress
      ).run()
      : try HotCopy(
        of: database, to: name, at: directory, permissions: permissions, options: options, observer: observer,
        files: files, time: time, progress: progress
      ).run()
    // A writer that came meanwhile may have used another name.
    try OtherNames(database: database).check()
    if !isEncrypted, result.walBytes == 0 { try files.remove(WALNames.wal(of: name), at: directory) }
    return result
  }
}
