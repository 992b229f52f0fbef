public import Backup
internal import Files
private import Stacks
private import SystemPackage

/// Reads a stack in use: is it healthy, what are the prices.
///
/// Every question is put to a hot copy of the database, never to the database itself: it works while another program
/// holds it, and no program that starts meanwhile is kept out. The copy stays in `scratch/` of the data directory, and
/// answers again as long as nothing was written. DuckDB's library runs in a child process, the program `hrp`.
public struct PlatformAPI: Sendable {
  private let stack: Stack
  private let executable: String?
  private let profile: StackProfile

  /// Touches no file yet.
  /// - Parameters:
  ///   - dataDirectory: the stack; when it is nil, `HRP_DATA_DIR` names it, else it is the folder of `HRP_DB_PATH`,
  ///     else `~/hrp-data`.
  ///   - profile: the tables that are expected.
  ///   - executable: the program `hrp`; when it is nil, `HRP_EXECUTABLE` names it, else it is the first on `PATH`.
  public init(dataDirectory: String? = nil, profile: StackProfile = .found, executable: String? = nil) {
    stack = Stack(StackSettings(dataDirectory: dataDirectory))
    self.executable = executable
    self.profile = profile
  }

  /// Whether the database can be read, and how many rows its tables have; never throws: what fails is in the answer.
  /// - Returns: the state of the database, and when that was.
  public func healthCheck() -> HealthReport {
    do {
      return try database.health(expecting: profile)
    } catch {
      return HealthReport(BackupError(error, doing: "reading the database"))
    }
  }

  /// The prices of some symbols, first and last day included, in the order of date and symbol.
  /// - Parameters:
  ///   - symbols: as the table `universe` has them; one that is named twice counts once.
  ///   - start: the first day.
  ///   - end: the last day.
  /// - Returns: a row for each symbol and day that has one; none is no error, but a notice.
  /// - Throws: ``BackupError``: `prices.invalid` for a day in the future, a start after the end, no symbols, symbols
  ///   that were never in the universe; `prices.no-table`; `source.not-found`, `duckdb.…`, `engine.…`.
  public func getPrices(symbols: [String], start: CalendarDay, end: CalendarDay) throws(BackupError) -> PriceHistory {
    do {
      return try PriceQuery(symbols: symbols, start: start, end: end).run(on: database, time: SystemTime())
    } catch {
      throw BackupError(error, doing: "reading the prices")
    }
  }

  private var database: LiveDatabase {
    LiveDatabase(stack, executable: executable.map { FilePath($0) }, files: Kernel(), time: SystemTime())
  }
}
