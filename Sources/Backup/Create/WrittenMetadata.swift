internal import DuckDBFile
internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

/// What `metadata.json` says of a backup before its list of files.
///
/// `timestamp` to `hrp_version` are the guide's.
struct WrittenMetadata: Encodable {
  private struct Database: Encodable {
    let path: String
    let name: String
    let storageVersion: UInt64
    let libraryVersion: String
    let blockSize: Int64
  }

  private struct Snapshot: Encodable {
    let method: String
    let sharesStorage: Bool
    let iteration: Nullable<UInt64>
    let walBytes: Int64
    let blocksCopied: Int
    let blocksFree: Int
    let passes: Int
  }

  private struct MLflow: Encodable {
    let directory: String
    let directoryReal: String
    let layout: String
    let remoteTracking: Nullable<String>
    let artifactsInside: Int
    let artifactsOutside: Int
    let artifactsRemote: Int
    let placesNotInBackup: [String: Int]
  }

  /// Which bytes this backup shares with another one, file by file hard-linked.
  private struct Shared: Encodable {
    let backup: String
    let bytes: Int64
    let files: Int
  }

  private let timestamp: String
  private let createdAt: Double
  private let sizeBytes: Int64
  private let sizeMb: Double
  private let includeMlflow: Bool
  private let hrpVersion = Version.current
  private let sourceDir: String
  private let sourceDirReal: String
  private let format = 1
  private let name: String
  private let timestampWithOffset: String
  private let durationSeconds: Double
  private let verified: Bool
  private let complete: Bool
  private let host = ThisProcess.host
  private let database: Database
  private let snapshot: Snapshot
  private let mlflow: Nullable<MLflow>
  private let shared: Nullable<Shared>
  private let unread: [CreateResult.SourceNote]
  private let lost: [String]
  private let unstable: [CreateResult.SourceNote]
  private let skipped: [CreateResult.SourceNote]
  private let checksumsSha256: String
  private let manifestSha256: String
  private let filesCount: Int

  private enum CodingKeys: CodingKey {
    case timestamp, createdAt, sizeBytes, sizeMb, includeMlflow, hrpVersion, sourceDir, sourceDirReal, format, name
    case timestampWithOffset, durationSeconds, verified, complete, host, database, snapshot, mlflow, shared, unread
    case lost, unstable, skipped, checksumsSha256, manifestSha256, filesCount
  }

  init(_ report: BackupRun.Report, of stack: Stack) {
    let began = LocalTime(nanoseconds: report.staging.began)
    let real = { (path: FilePath) in (RealPath.of(path) ?? path).text }
    timestamp = began.iso8601
    createdAt = Double(report.staging.began / 1000) / 1e6
    sizeBytes = report.contents.sizeBytes
    sizeMb = ByteCount.roundedMegabytes(report.contents.sizeBytes)
    includeMlflow = report.mlflow != nil
    sourceDir = stack.dataDirectory.text
    sourceDirReal = real(stack.dataDirectory)
    name = report.staging.name
    timestampWithOffset = began.iso8601WithOffset
    durationSeconds = report.durationSeconds.roundedToMilliseconds
    verified = report.isVerified
    complete = report.isComplete
    database = Self.database(report.database)
    snapshot = Self.snapshot(report.database)
    mlflow = Nullable(
      report.mlflow.map { copied in
        MLflow(
          directory: copied.store.directory.text, directoryReal: real(copied.store.directory),
          layout: copied.store.layout.rawValue, remoteTracking: Nullable(copied.store.remoteScheme),
          artifactsInside: copied.scan.inside, artifactsOutside: copied.scan.outside,
          artifactsRemote: copied.scan.remote, placesNotInBackup: copied.scan.places)
      })
    shared = Nullable(
      report.mlflow.flatMap { copied in
        copied.sharedWith.map {
          Shared(backup: ByteText.escaped($0.bytes), bytes: copied.sharedBytes, files: copied.sharedFiles)
        }
      })
    // Where the whole directory is gone, `include_mlflow` says so.
    let names =
      report.mlflow == nil ? [] : report.lost.compactMap { $0.path.split(separator: "/").last.map(String.init) }
    lost = names.filter { LostParts.isEssential(FileName($0)) }
    (unread, unstable, skipped) = (report.notes.unread, report.notes.unstable, report.notes.skipped)
    checksumsSha256 = report.contents.checksums.hex
    manifestSha256 = report.contents.manifest.hex
    filesCount = report.contents.filesCount
  }

  private static func database(_ copied: CopiedDatabase) -> Database {
    Database(
      path: copied.path.text, name: copied.path.lastComponent.map { FileName($0).path.text } ?? "",
      storageVersion: copied.result.storageVersion, libraryVersion: copied.result.libraryVersion,
      blockSize: copied.result.blockSize)
  }

  private static func snapshot(_ copied: CopiedDatabase) -> Snapshot {
    Snapshot(
      method: copied.result.method.rawValue, sharesStorage: copied.result.method == .reflink,
      iteration: Nullable(copied.result.iteration), walBytes: copied.result.walBytes,
      blocksCopied: copied.result.blocksInUse, blocksFree: copied.result.blocksFree, passes: copied.result.passes)
  }
}
