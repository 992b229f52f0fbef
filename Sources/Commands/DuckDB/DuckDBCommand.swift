internal import ArgumentParser

/// The command `hrp duckdb`.
struct DuckDBCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "duckdb",
    abstract: "Look at any DuckDB file, or copy it while it is in use.",
    subcommands: [InspectCommand.self, CopyCommand.self])
}
