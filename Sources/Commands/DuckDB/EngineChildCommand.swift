internal import ArgumentParser
internal import DuckDBEngine

/// The hidden command that runs DuckDB's library in a process of its own; nobody types it.
struct EngineChildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: EngineChild.command, shouldDisplay: false)

  func run() { EngineChild.serve() }
}
