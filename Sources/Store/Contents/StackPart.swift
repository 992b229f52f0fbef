/// The parts of a stack that a restore may be limited to.
public enum StackPart: String, Sendable, CaseIterable {
  /// The database with its WAL.
  case duckdb
  /// The MLflow directory.
  case mlflow
}
