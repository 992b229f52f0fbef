package import DuckDBFile
package import Files
internal import MLflow
package import Stacks
internal import Store
internal import SystemPackage

/// Looks whether a stack can be used, again and again; for one thread at a time.
package final class ReadinessWatch {
  private typealias Check = StackReadiness.Check

  /// How often what may be being written is looked at again, and the pause between: together they are longer than a
  /// running program needs to put a new WAL in the place of the old one.
  private static let attempts = 4
  private static let pause: Duration = .milliseconds(50)

  private let stack: Stack?
  private let target: RestoreTarget?
  private let files: any FileSystem
  private let time: any TimeSource
  private let database: DatabaseWatch
  private let path: FilePath
  /// What the last look saw of the database; nil when it could not be read.
  package private(set) var look: LiveLook?

  /// Watches a stack that other processes may restore: a restore that runs is seen, and not disturbed.
  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource) {
    self.stack = stack
    target = nil
    self.files = files
    self.time = time
    path = stack.database
    database = DatabaseWatch(stack.database, files: files, time: time)
  }

  /// Watches the target of this process's own restore.
  init(_ target: RestoreTarget, files: any FileSystem, time: any TimeSource) {
    stack = nil
    self.target = target
    self.files = files
    self.time = time
    path = target.database
    database = DatabaseWatch(target.database, files: files, time: time)
  }

  /// Looks; what cannot be looked at is part of the answer.
  package func readiness() -> StackReadiness {
    let timestamp = time.nowNanoseconds
    do {
      return StackReadiness(timestamp: timestamp, checks: try checks())
    } catch let busy as AdvisoryLock.Busy {
      look = nil
      let holder = busy.holder.map { " (\($0.words))" } ?? ""
      return StackReadiness(
        timestamp: timestamp,
        checks: [
          Check("database", state: .unknown("a restore is running")), Check("api", state: .good),
          Check("restore", state: .failure("a restore or an undo is running\(holder)")),
        ])
    } catch {
      // Only the lock can be asked and not tell.
      return StackReadiness(
        timestamp: timestamp, checks: [Check("database", state: failure(error)), Check("api", state: .good)])
    }
  }

  /// Runs the body while no restore can begin: a restore would take our look for a program that uses the database.
  /// - Throws: `AdvisoryLock.Busy` while one runs; what the body throws.
  package func withoutRestore<Result>(_ body: () throws -> Result) throws -> Result {
    guard let stack else { return try body() }
    let lock = try AdvisoryLock.glance(.shared, of: .stack, on: stack.dataDirectory, files: files)
    defer { ignoringFailure { try lock?.release() } }
    return try body()
  }

  private func checks() throws -> [Check] {
    var checks = try databaseChecks()
    checks.insert(Check("api", state: .good), at: 1)
    return checks + [mlflow(), restore()]
  }

  // MARK: - The database

  /// - Throws: `AdvisoryLock.Busy`, or what the kernel says of the lock.
  private func databaseChecks() throws -> [Check] {
    look = nil
    do {
      let look = try settledLook()
      self.look = look
      guard look.contents != nil else {
        return [Check("database", state: .good), Check("wal", state: .unknown("the database is encrypted"))]
      }
      return [Check("database", state: .good), Check("wal", state: .good)]
    } catch let unsettled as DatabaseWatch.Unsettled {
      if let problem = unsettled.problem { return databaseChecks(of: problem) }
      return [Check("database", state: .good), Check("wal", state: .unknown("it is being written"))]
    } catch let error as HotCopyError {
      return databaseChecks(of: error)
    } catch let error as AdvisoryLock.Busy {
      throw error
    } catch {
      return [Check("database", state: failure(error))]
    }
  }

  /// What kept us from looking; too little of something here says nothing of the stack.
  private func failure(_ error: any Error) -> Check.State {
    (error as? SystemError)?.meansShortage == true ? .unknown(words(error)) : .failure(words(error))
  }

  /// Looks, and again where somebody may be writing; the lock is free in between.
  private func settledLook() throws -> LiveLook {
    for _ in 1..<Self.attempts {
      do {
        return try withoutRestore { try database.look() }
      } catch is DatabaseWatch.Unsettled {
        time.sleep(Self.pause)
      }
    }
    return try withoutRestore { try database.look() }
  }

  private func databaseChecks(of error: HotCopyError) -> [Check] {
    switch error {
    case .unknownVersion: [Check("database", state: .unknown(error.message))]
    case .unknownEntry: [Check("database", state: .good), Check("wal", state: .unknown(error.message))]
    case .foreignWAL, .walDamaged, .damaged(WALNames.wal(of: path), _):
      // No engine opens such a database.
      [Check("database", state: .failure(error.message)), Check("wal", state: .failure(error.message))]
    default: [Check("database", state: .failure(words(error)))]
    }
  }

  /// DuckDB's own words where it has some, else ours.
  private func words(_ error: any Error) -> String {
    let known = BackupError(error, doing: "looking at the stack")
    if let words = LiveDatabase.words(for: isAbsent(error) ? BackupError.sourceNotFound(path) : error, at: path) {
      return words
    }
    return known.message + (known.cause.map { ": \($0)" } ?? "")
  }

  private func isAbsent(_ error: any Error) -> Bool { (error as? SystemError)?.meansAbsent ?? false }

  // MARK: - The rest

  private func mlflow() -> Check {
    do {
      guard let store = try store() else { return Check("mlflow", state: .absent) }
      return Check("mlflow", state: try problem(of: store).map { .failure($0) } ?? .good)
    } catch {
      let known = BackupError(error, doing: "looking at the MLflow directory")
      let words = known.message + (known.cause.map { ": \($0)" } ?? "")
      let isShort = (error as? SystemError)?.meansShortage == true
      return Check("mlflow", state: isShort ? .unknown(words) : .failure(words))
    }
  }

  /// The store that is there; nil when there is none.
  private func store() throws -> RestoreTarget.Store? {
    if let stack {
      // A store that is named and missing is an error.
      guard try stack.mlflow(files: files) != nil else { return nil }
      return try RestoreTarget(stack, files: files).store(of: nil)
    }
    guard let store = target?.store(of: nil), try files.exists(store.path) else { return nil }
    return store
  }

  /// What is wrong with the tracking database of a store, by its first bytes: SQLite is not asked, so it is not
  /// disturbed.
  private func problem(of store: RestoreTarget.Store) throws -> String? {
    let folder = try OpenFile(store.path, mode: [.directory], files: files)
    _ = try files.entries(of: folder.descriptor)
    let name = store.databaseName
    let path = store.path.appending(name.path.components)
    // A store of files alone has none.
    guard try files.exists(name.path, at: folder.descriptor) else { return nil }
    guard let real = RealPath.of(path) else { return "\(path.text) is a symlink that leads to nothing" }
    let kind = try files.status(real, at: nil).kind
    guard kind == .regular else { return "\(path.text) is \(kind.words)" }
    let file = try OpenFile(real, mode: [.noFollow], displayPath: path, files: files)
    let status = try file.status()
    // Empty: SQLite has made it and written nothing yet.
    if status.size == 0 { return nil }
    let head = try file.read(count: 100, at: 0)
    guard head.count == 100, head.starts(with: SQLiteFile.magic) else {
      return "\(path.text) is not an SQLite database"
    }
    return nil
  }

  private func restore() -> Check {
    do {
      let target = try self.target ?? stack.map { try RestoreTarget($0, files: files) }
      guard let target, try PendingRestore.isThere(target, files: files) else { return Check("restore", state: .good) }
      return Check(
        "restore",
        state: .failure("a restore was interrupted, and is finished by the next hrp command: hrp backup list"))
    } catch {
      // What is wrong with MLflow is said above.
      return Check("restore", state: .unknown(BackupError(error, doing: "looking for a restore").message))
    }
  }
}
