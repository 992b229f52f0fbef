internal import DuckDBEngine
package import Store
internal import SystemPackage

/// What a stack's database holds, as one word and in numbers.
///
/// It is read from a hot copy: it works while another program holds the database, and keeps none out.
public struct HealthReport: Sendable {
  /// A table that was found, or that was expected.
  public struct Table: Sendable, Equatable {
    /// Without the schema when that is `main`.
    public let name: String
    /// Whether it is there.
    public let isThere: Bool
    /// How many rows it has.
    public let count: Int64

    /// In the form `ok` or `missing`.
    public var status: String { isThere ? "ok" : "missing" }
  }

  /// One of `ok`, `degraded` (expected tables are missing), `error` (the database cannot be read).
  public var status: String { isOK ? "ok" : isReadable ? "degraded" : "error" }
  /// Whether the database can be read, and every expected table is there.
  public var isOK: Bool { isReadable && tables.allSatisfy(\.isThere) }
  /// Whether the database can be read.
  public let isReadable: Bool
  /// Always `ok`: this program answers.
  public let api = "ok"
  /// In the form `ok`, or `error: ` and the engine's words.
  public let database: String
  /// Tables that were found; with a profile in its order, missing ones among them.
  public let tables: [Table]
  /// The timestamp of the state that was read, ISO 8601 with offset; nil when the database could not be read.
  public let asOf: String?
  /// The version of DuckDB that read it.
  public let engine: String?

  /// What to do when the database cannot be read; nil when it can be read, or when no remedy is known.
  public let remedy: String?
  /// The code of the error that kept us from reading it.
  package let code: String?
  /// The same, where this program decides by it.
  package var known: BackupError.Known? { code.flatMap { BackupError.Known(rawValue: $0) } }

  /// What is wrong, without the word `error`.
  package var words: String { database.hasPrefix("error: ") ? String(database.dropFirst(7)) : database }

  /// Whether the database itself is what cannot be read; not: a full disk, rights, an engine that is too old.
  package var isDamaged: Bool {
    if code == nil || known == .engineRefused { return !isReadable && EngineWords(words)?.isOfDatabase != false }
    return switch known {
    case .notADatabase, .databaseDamaged, .foreignWAL, .walDamaged: true
    default: false
    }
  }

  /// A database that was opened.
  init(_ problem: String?, tables: [Table], asOf: String, engine: String) {
    isReadable = problem == nil
    database = problem.map { "error: \($0)" } ?? "ok"
    self.tables = tables
    self.asOf = asOf
    self.engine = engine
    remedy = problem.flatMap { EngineWords($0)?.remedy }
    code = nil
  }

  /// A database that could not be opened.
  /// - Parameter words: what DuckDB would say of it; when it is nil, the error's own message is used.
  package init(_ error: BackupError, words: String? = nil) {
    // DuckDB's words are looked up; a loader's may be the same, and mean something else.
    let isOfEngine = words != nil || error.known == .engineRefused
    let words = words ?? error.message + (error.cause.map { ": \($0)" } ?? "")
    isReadable = false
    database = "error: \(words)"
    tables = []
    asOf = nil
    engine = nil
    remedy = isOfEngine ? EngineWords(words)?.remedy ?? error.remedy : error.remedy
    code = error.code
  }
}

/// The tables that are expected in a stack.
public enum StackProfile: String, Sendable, CaseIterable {
  /// Whatever is found is right.
  case found
  /// The research platform of the operations guide.
  case hrp

  /// In the order in which they are reported.
  var tables: [String] {
    switch self {
    case .found: []
    case .hrp:
      [
        "symbols", "data_sources", "hypotheses", "feature_definitions", "test_set_evaluations",
        "hyperparameter_trials", "universe", "prices", "features", "corporate_actions", "fundamentals",
        "ingestion_log", "hypothesis_experiments", "lineage", "agent_checkpoints", "agent_token_usage",
        "model_drift_checks", "model_performance_history", "model_deployments", "executed_trades", "live_positions",
        "intraday_bars", "intraday_features", "recommendations", "user_profiles", "track_record", "universe_history",
        "sec_filings", "sec_filing_sentiment", "settings",
      ]
    }
  }
}
