internal import Advice
internal import Backup
internal import DuckDBFile
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// What is known of a stack's backups and jobs, as of one moment.
struct StackView: Sendable {
  /// Jobs that are shown.
  private static let maximumJobs = 50
  /// Jobs that count for the success rate.
  private static let countedJobs = 20

  /// When it was looked at, in nanoseconds since 1970 UTC.
  let timestamp: Int64
  let protection: Protection
  /// nil when the stack has no database.
  let status: StackStatus?
  /// The backups of the directory, newest first.
  let backups: [BackupView]
  /// What could not be read, each as a sentence.
  let problems: [String]
  let jobs: [Job]
  /// How many jobs of each operation failed.
  let failures: [String: Int]
  let space: SpaceForecast?
  let trashCount: Int?
  let trashBytes: Int64?
  let thresholds: AlertThresholds
  /// When the database was written to last, in nanoseconds since 1970 UTC.
  let changedAt: Int64?
  /// The share of the disk of the data directory that is in use, in percent.
  let diskPercent: Double?

  /// The newest backup of the stack that is complete, verified, and not known to be damaged.
  var newestBackup: BackupView? {
    backups.first {
      $0.isOfStack && $0.isComplete && ($0.proof == .verified || $0.proof == .proven) && $0.timestamp != nil
    }
  }

  /// The backup of the stack whose drill is the newest.
  var newestDrilled: BackupView? {
    backups.filter { $0.isOfStack && $0.drilledAt != nil }.max { ($0.drilledAt ?? 0) < ($1.drilledAt ?? 0) }
  }

  /// The health of the data, given whether the stack is ready.
  func pipeline(isReady: Bool) -> PipelineHealth {
    let outcomes = jobs.filter { $0.status != .running }.prefix(Self.countedJobs).map { $0.status == .completed }
    return PipelineHealth(
      isReady: isReady, changedAt: changedAt, outcomes: outcomes, thresholds: thresholds, now: timestamp)
  }

  /// Looks; what cannot be read is a problem that is shown.
  /// - Parameter problem: what is wrong with the configuration; nil when nothing is.
  init(
    _ stack: Stack, problem: String?, hasService: Bool, trashBytes: Int64?, files: any FileSystem, time: any TimeSource
  ) {
    let now = time.nowNanoseconds
    var problems = problem.map { [$0] } ?? []
    /// A value that is only shown; why it is not there is shown too.
    func shown<Value>(_ what: String, body: () throws -> Value) -> Value? {
      do {
        return try body()
      } catch {
        problems.append("\(what): \(BackupError(error, doing: "looking at \(what)", on: stack).message)")
        return nil
      }
    }
    timestamp = now
    let status = shown("the stack") { try StackStatus(stack, hasService: hasService, files: files, time: time) }
    self.status = status
    protection = status?.protection ?? Protection(unknown: problems.first ?? "the stack cannot be looked at")
    backups =
      shown("the backups") {
        guard try files.exists(stack.backupDirectory) else { return [] }
        return try BackupDirectory(stack.backupDirectory, files: files).list().map {
          BackupView($0, isOfStack: $0.isOf(stack) != false)
        }
      } ?? []
    let catalogue = shown("the history of jobs") { try Catalogue.existing(of: stack, files: files, time: time) } ?? nil
    jobs = shown("the history of jobs") { try catalogue?.jobs(limit: Self.maximumJobs) ?? [] } ?? []
    failures = shown("the history of jobs") { try catalogue?.failures() ?? [:] } ?? [:]
    let room = shown("the space") { try Self.space(of: stack.backupDirectory, files: files) }
    space = room.map { [backups] in
      SpaceForecast(
        availableBytes: Int64(clamping: $0.availableBytes), totalBytes: Int64(clamping: $0.totalBytes),
        backups: backups, now: now)
    }
    let trash = Trash(of: stack.backupDirectory, files: files, time: time)
    trashCount = shown("the trash") { try trash.entries().count }
    self.trashBytes = trashBytes
    let text = shown("config/thresholds.yaml") {
      try SettingsFile(in: stack.dataDirectory, named: "thresholds.yaml", files: files).text()
    }
    thresholds = AlertThresholds(text ?? nil) { ThisProcess.environment($0) }
    problems += thresholds.problems
    changedAt = shown("the database") { try Self.lastChange(of: stack, files: files) } ?? nil
    diskPercent = shown("the disk") {
      let room = try Self.space(of: stack.dataDirectory, files: files)
      return room.totalBytes > 0
        ? Double(room.totalBytes - min(room.availableBytes, room.totalBytes)) / Double(room.totalBytes) * 100 : 0
    }
    self.problems = problems
  }

  private static func space(of path: FilePath, files: any FileSystem) throws -> FileSystemSpace {
    let folder = try OpenFile.nearestDirectory(of: path, files: files)
    let space = try files.space(of: folder.descriptor)
    try folder.close()
    return space
  }

  private static func lastChange(of stack: Stack, files: any FileSystem) throws -> Int64? {
    let path = RealPath.ofWhatExists(stack.database)
    return try [path, WALNames.wal(of: path), WALNames.checkpointWAL(of: path)]
      .compactMap { try files.statusIfPresent($0)?.modifiedNanoseconds }.max()
  }
}
