package import Files
package import SystemPackage

/// A backup as a list shows it.
package struct ListedBackup: Sendable {
  package let name: FileName
  package let path: FilePath
  /// When it was made, in nanoseconds since 1970 UTC; nil when nothing tells.
  package let timestamp: Int64?
  /// What `metadata.json` says; nil when the file is missing or cannot be read, and then there is a `problem`.
  package let metadata: BackupMetadata?
  /// Whether its database is there; what is in it only a verification tells.
  package let hasDatabase: Bool
  /// What in it cannot be read, and why, as a clause; nil when everything that a list needs could be read.
  ///
  /// Such a backup is not deleted, and nothing is believed of it.
  package let problem: String?
  let files: any FileSystem

  /// What its last drill showed.
  ///
  /// Read when it is asked for: most who list backups do not want to know.
  package var proof: Noted<Proof> {
    // Without metadata it cannot be told whether a proof is of these contents.
    if metadata == nil, let problem { return .unreadable(problem) }
    return ProofDirectory(of: path.folder, files: files).proof(of: name, checksums: metadata?.checksumsDigest)
  }

  /// Whether a part of the stack is certainly not in it.
  package func lacks(_ part: StackPart) -> Bool {
    let names = part == .duckdb ? [BackupLayout.database] : BackupLayout.stores
    do {
      return try !names.contains { try files.exists(path.appending($0.name.path.components)) }
    } catch {
      return false
    }
  }

  /// Which parts of the MLflow directory were gone when it was made, as a clause; nil when none was.
  package var lostWords: String? {
    if metadata?.complete == false, lacks(.mlflow) {
      return "it has no MLflow directory, which was missing when it was made"
    }
    guard let lost = metadata?.lost, !lost.isEmpty else { return nil }
    let names = lost.prefix(3).joined(separator: ", ") + (lost.count > 3 ? " and more" : "")
    return "it lacks \(names), which was missing from the MLflow directory when it was made"
  }

  /// What is wrong with its metadata when all of it is read, with its seal; nil when nothing is wrong.
  package var metadataProblem: String? {
    do throws(SystemError) {
      guard let root = try OpenFile.ifPresent(path, mode: [.directory, .noFollow], files: files) else { return nil }
      return BackupDirectory.metadata(in: root).problem
    } catch {
      return "it cannot be looked at: \(error.errno)"
    }
  }

  /// The status of what lies at a path in it, without following a symlink; nil when nothing is there.
  package func status(of path: EntryPath) throws(SystemError) -> FileStatus? {
    try files.statusIfPresent(self.path.pushing(FilePath(bytes: path.bytes)))
  }

  /// Opens it for reading.
  /// - Throws: `BackupError` as ``DirectoryBackup/init(_:files:)``.
  package func open() throws -> DirectoryBackup { try DirectoryBackup(path, files: files) }

  /// The pin, which keeps the backup from rotation.
  package var pin: Noted<Pin> { PinDirectory(of: path.folder, files: files).pin(of: name) }
}

/// The directory that holds the backups of a stack.
package struct BackupDirectory {
  package let path: FilePath
  package let files: any FileSystem

  package init(_ path: FilePath, files: any FileSystem) {
    self.path = path
    self.files = files
  }

  /// The finished backups, newest first.
  ///
  /// What a crash left behind, and what has no `checksums.txt`, is not one. One that cannot be looked at is listed with
  /// its `problem`: the newest must not be passed over without a word.
  /// - Throws: `BackupError` `backup-directory.not-found`.
  package func list() throws -> [ListedBackup] {
    let directory = try open()
    var backups: [ListedBackup] = []
    for entry in try files.entries(of: directory.descriptor) where entry.name.hasPrefix(BackupLayout.prefix) {
      guard let backup = try read(entry.name, in: directory) else { continue }
      backups.append(backup)
    }
    return backups.sorted { left, right in
      let (a, b) = (left.timestamp ?? .min, right.timestamp ?? .min)
      return a == b ? left.name > right.name : a > b
    }
  }

  /// Names of folders that are called like backups and have no `checksums.txt`, in readable form.
  package func unlisted() throws -> [String] {
    let directory = try open()
    return try files.entries(of: directory.descriptor).map(\.name).sorted().filter { name in
      guard BackupLayout.timestamp(ofName: name) != nil else { return false }
      do throws(SystemError) {
        guard try files.statusIfPresent(name.path, at: directory.descriptor)?.kind == .directory else { return false }
        return try !files.exists(
          name.path.appending(BackupLayout.checksums.name.path.components), at: directory.descriptor)
      } catch {
        // It cannot be looked at: the list has it, and says so.
        return false
      }
    }.map { ByteText.escaped($0.bytes) }
  }

  /// The names that a backup may have, in no order.
  /// - Throws: `BackupError` `backup-directory.not-found`.
  package func names() throws -> [FileName] {
    let directory = try open()
    return try files.entries(of: directory.descriptor).map(\.name).filter { $0.hasPrefix(BackupLayout.prefix) }
  }

  /// Whether a pin or a proof was written or removed since a timestamp, in nanoseconds since 1970 UTC.
  package func notesHaveChanged(since timestamp: Int64) -> Bool {
    // The clock of a file system may be behind by so much.
    [PinDirectory.folderName, ProofDirectory.folderName].contains { folder in
      BackupNotes(folder, of: path, files: files).haveChanged(since: timestamp - 2_000_000_000)
    }
  }

  /// The newest backup that fits, by the timestamps in their names; what has none in its name is asked last.
  ///
  /// Reads no more of them than it must.
  /// - Throws: `BackupError` `backup-directory.not-found`; what the question throws.
  package func newest(where fits: (ListedBackup) throws -> Bool) throws -> ListedBackup? {
    let directory = try open()
    let order = try names().map { (timestamp: BackupLayout.timestamp(ofName: $0) ?? .min, name: $0) }
      .sorted { ($1.timestamp, $1.name) < ($0.timestamp, $0.name) }
    for (_, name) in order {
      if let backup = try read(name, in: directory), try fits(backup) { return backup }
    }
    return nil
  }

  private func open() throws -> OpenFile {
    do {
      return try OpenFile(path, mode: [.directory], files: files)
    } catch  where error.errno == .noSuchFileOrDirectory {
      if forPeople({ try files.statusIfPresent(path)?.kind }) == .link {
        throw BackupError(
          "backup-directory.not-found", kind: .notFound,
          message: "Backup directory not found: \(path.text) is a symlink to nothing",
          remedy: "Is the disk mounted? See where it leads: ls -l \(ShellWord.quoted(path))")
      }
      throw BackupError.backupDirectoryNotFound(path)
    } catch {
      throw BackupError.of(error, doing: "opening the backup directory")
    }
  }

  /// One of the backups, whatever its name is, the seal of its metadata looked at; nil when it is not a backup.
  /// - Throws: `BackupError` `backup-directory.not-found`.
  package func backup(_ name: FileName) throws -> ListedBackup? {
    try read(name, in: try open(), isWhole: true)
  }

  /// Reads what a list says of a backup; returns nil when it is not one.
  ///
  /// - Parameter isWhole: whether all of its metadata is read, so that its seal is looked at.
  private func read(_ name: FileName, in directory: OpenFile, isWhole: Bool = false) throws -> ListedBackup? {
    var metadata: BackupMetadata?
    var hasDatabase = false
    var problem: String?
    do throws(SystemError) {
      // A symlink is not followed: it may lead anywhere, and rotation would follow it too.
      guard try files.statusIfPresent(name.path, at: directory.descriptor)?.kind == .directory,
        let root = try OpenFile.ifPresent(
          name.path, at: directory.descriptor, mode: [.directory, .noFollow], files: files),
        try files.statusIfPresent(BackupLayout.checksums.name.path, at: root.descriptor)?.kind == .regular
      else { return nil }
      let reading = isWhole ? Self.metadata(in: root) : Self.head(in: root)
      (metadata, problem) = (reading.value, reading.problem)
      hasDatabase = try files.statusIfPresent(BackupLayout.database.name.path, at: root.descriptor)?.kind == .regular
    } catch {
      problem = "it cannot be looked at: \(error.errno)"
    }
    return ListedBackup(
      name: name, path: path.appending(name.path.components),
      timestamp: metadata.flatMap(Self.timestamp) ?? BackupLayout.timestamp(ofName: name), metadata: metadata,
      hasDatabase: hasDatabase, problem: problem, files: files)
  }

  /// The metadata of an open backup as a list needs it: the seal is looked at only where the whole file is read.
  private static func head(in root: OpenFile) -> Noted<BackupMetadata> {
    do {
      let name = BackupLayout.metadata.name.path
      guard let file = try OpenFile.ifPresent(name, at: root.descriptor, mode: [.noFollow], files: root.files),
        try file.status().kind == .regular, let head = try MetadataReader.readHead(file)
      else { return metadata(in: root) }
      return .found(head)
    } catch {
      return metadata(in: root)
    }
  }

  /// The metadata of an open backup, its seal looked at.
  package static func metadata(in root: OpenFile) -> Noted<BackupMetadata> {
    let name = BackupLayout.metadata.name.path
    do {
      guard let file = try OpenFile.ifPresent(name, at: root.descriptor, mode: [.noFollow], files: root.files) else {
        return .nothing
      }
      guard try file.status().kind == .regular else { return .unreadable("metadata.json is not a file") }
      let reading = try MetadataReader.read(file)
      return reading.metadata.map { .found($0) } ?? .unreadable("metadata.json \(reading.problem ?? "says nothing")")
    } catch {
      return .unreadable("metadata.json cannot be read: \((error as? SystemError).map { "\($0.errno)" } ?? "\(error)")")
    }
  }

  /// `created_at`, else `timestamp`, which is local time in the Python tool's and in ours.
  private static func timestamp(of metadata: BackupMetadata) -> Int64? {
    if let seconds = metadata.createdAt, seconds >= 0, seconds < 7e9 {
      // The number is exact to microseconds; smaller digits are rounding errors.
      return Int64((seconds * 1e6).rounded()) * 1000
    }
    return metadata.timestamp.flatMap(timestamp(ofTimestamp:)).flatMap { believable.contains($0) ? $0 : nil }
  }

  /// Timestamps from 1970 to 2191: no backup has another one, and the difference of two of them cannot overflow.
  private static let believable: Range<Int64> = 0..<7_000_000_000_000_000_000

  /// The timestamp of `2026-01-24T14:30:52.123456`, local time, or with an offset or `Z`; nil for another form.
  static func timestamp(ofTimestamp text: String) -> Int64? {
    let numbers = text.prefix(19).split { !$0.isNumber }.compactMap { Int($0) }
    guard text.count >= 19, numbers.count == 6 else { return nil }
    let zone = text.dropFirst(19).drop { $0 == "." || $0.isNumber }
    if zone.isEmpty {
      return LocalTime.nanoseconds(
        year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4], second: numbers[5])
    }
    guard let offset = offsetSeconds(zone) else { return nil }
    return LocalTime.nanoseconds(utc: numbers).map { $0 &- Int64(offset) * 1_000_000_000 }
  }

  /// `Z`, `+05:00`, `-0530`: seconds east of UTC.
  private static func offsetSeconds(_ zone: Substring) -> Int? {
    if zone == "Z" { return 0 }
    let digits = zone.dropFirst().filter { $0 != ":" }
    guard let sign = zone.first, sign == "+" || sign == "-", digits.count == 4, let value = Int(digits) else {
      return nil
    }
    return (sign == "-" ? -1 : 1) * (value / 100 * 3600 + value % 100 * 60)
  }
}

extension BackupDirectory {
  /// Removes what crashed runs left: hidden folders whose owner no longer holds them.
  package func removeDebris() throws {
    let directory = try open()
    for entry in try files.entries(of: directory.descriptor) {
      let bytes = entry.name.bytes
      guard entry.name.hasPrefix("." + BackupLayout.prefix), bytes.suffix(8).elementsEqual(".partial".utf8) else {
        continue
      }
      let folder: OpenFile
      do throws(SystemError) {
        folder = try OpenFile(entry.name.path, at: directory.descriptor, mode: [.directory, .noFollow], files: files)
      } catch {
        // Another user's, or gone by now: it stays, and whoever may open it removes it.
        continue
      }
      guard try files.lock(folder.descriptor, kind: .exclusive) else { continue }
      // The lock was free, so its maker is dead. The lock is kept until the folder is removed.
      // What is in it may be another user's.
      ignoringFailure { try files.removeTree(entry.name.path, at: directory.descriptor) }
    }
  }
}
