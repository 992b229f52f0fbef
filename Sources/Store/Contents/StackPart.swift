/// The parts of a stack that a restore may be limited to.
public enum StackPart: String, Sendable, CaseIterable { case duckdb, mlflow }
