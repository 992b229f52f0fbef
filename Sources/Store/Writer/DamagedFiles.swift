internal import Files
internal import SystemPackage

/// Stored files that a verification or a drill found damaged; they are not hard-linked again from any backup.
///
/// Backups share files by hard links, so one bad sector is in all of them. Which file it is, its inode tells.
struct DamagedFiles {
  private var identities: Set<FileIdentity> = []
  /// Whether damage was noted that is not fully known: then nothing is hard-linked.
  private(set) var isUnknown = false

  /// Reads the proofs of all backups in a directory.
  /// - Throws: `BackupError` `backup-directory.not-found`; `SystemError` of the directory itself.
  init(in directory: FilePath, files: any FileSystem) throws {
    let backups = BackupDirectory(directory, files: files)
    let doubtful: [FileName]
    do throws(SystemError) {
      doubtful = try ProofDirectory(of: directory, files: files).doubtful()
    } catch {
      isUnknown = true
      return
    }
    for name in doubtful {
      guard let backup = try backups.backup(name) else { continue }
      switch backup.proof {
      case .nothing: break
      case .unreadable: isUnknown = true
      case .found(let proof) where proof.isOK: break
      case .found(let proof):
        guard let damaged = proof.damaged else {
          isUnknown = true
          break
        }
        for path in damaged { note(path, in: backup.path, files: files) }
      }
    }
  }

  private mutating func note(_ text: String, in backup: FilePath, files: any FileSystem) {
    // What a note names must lie in the backup.
    guard let path = ByteText.bytes(of: text.utf8).flatMap({ EntryPath(validating: $0) }) else {
      isUnknown = true
      return
    }
    do throws(SystemError) {
      // One that is missing is linked nowhere.
      guard let status = try files.statusIfPresent(backup.pushing(FilePath(bytes: path.bytes))) else { return }
      identities.insert(status.identity)
    } catch {
      isUnknown = true
    }
  }

  /// Whether a file may be damaged.
  func mayHold(_ identity: FileIdentity) -> Bool { isUnknown || identities.contains(identity) }
}
