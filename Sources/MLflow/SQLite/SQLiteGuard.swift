private import CSQLite
private import Files
internal import GRDB
private import Synchronization

/// What makes a connection safe for a database that a stranger made.
///
/// Its triggers and views do not run and its functions are not trusted; no value is longer than MLflow writes. A
/// statement ends when the process is asked to stop, and when it works on for much longer than its size explains.
final class SQLiteGuard: Sendable {
  /// MLflow's longest values have 16 MiB (`dataset_profile` in `mlflow/store/tracking/dbmodels/models.py`).
  private static let maximumValueBytes: Int32 = 64 << 20
  /// Steps of SQLite's virtual machine between two checks: only a few rows, since one row may take long.
  private static let steps: Int32 = 200
  /// Time of a processor for a database of any size, and for each mebibyte of it.
  private static let allowedNanoseconds: Int64 = 5_000_000_000
  private static let allowedNanosecondsPerMebibyte: Int64 = 1_000_000_000

  private struct State {
    var worked: Int64 = 0
    /// What the clock of the thread said when it was asked last.
    var clock: Int64?
    var isOverdue = false
  }

  private let allowed: Int64
  private let state = Mutex(State())

  /// Whether it ended a statement because that took too long.
  var isOverdue: Bool { state.withLock { $0.isOverdue } }

  /// - Parameter bytes: the size of the database.
  init(bytes: Int64) {
    let (product, isBeyond) = (bytes >> 20).multipliedReportingOverflow(by: Self.allowedNanosecondsPerMebibyte)
    allowed = (isBeyond ? .max : product).addingClamped(Self.allowedNanoseconds)
  }

  /// Guards a connection that was just opened; this value must live as long as it.
  func protect(_ database: Database) throws {
    guard let connection = database.sqliteConnection.map({ UnsafeMutableRawPointer($0) }) else { return }
    let result = hrp_sqlite_distrust(connection, Self.maximumValueBytes)
    guard result == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: result)) }
    // Safe because the connection is closed before this value goes: whoever opens it keeps both.
    hrp_sqlite_ask(
      connection, Self.steps,
      { context in
        guard let context else { return 0 }
        return Unmanaged<SQLiteGuard>.fromOpaque(context).takeUnretainedValue().ends ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private var ends: Bool {
    // A request to stop is thrown by whoever waits for the statement.
    do { try Interruption.check() } catch { return true }
    let now = SystemTime.workedNanoseconds
    return state.withLock { state in
      // Another thread's clock begins elsewhere.
      state.worked += max(0, now - (state.clock ?? now))
      state.clock = now
      if state.worked > allowed { state.isOverdue = true }
      return state.isOverdue
    }
  }
}
