internal import Advice
internal import ArgumentParser
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp config show`.
struct ConfigShowCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show each setting and where its value comes from.",
    discussion: """
      Secrets in addresses are not shown.

      Examples:
        hrp config show
        hrp config show --json | jq -r '.settings[] | select(.source != "default") | .key'
      """)

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let report = try ConfigurationReport(
      place.stack, flags: (place.dataDirectory, place.backupDirectory), files: Kernel())
    let console = output.console
    let width = report.rows.map(\.key.count).max() ?? 0
    let values = report.rows.map { $0.value.isEmpty ? "-" : $0.value }
    let valueWidth = min(60, values.map(\.count).max() ?? 0)
    for (row, value) in zip(report.rows, values) {
      console.result(
        "\(TextColumns.padded(row.key, to: width))  \(TextColumns.padded(value, to: valueWidth))  \(row.source)")
    }
    for problem in try place.stack.settings.warnings { console.warning("hrp: warning: \(problem)") }
    console.notice("hrp: \(report.exists ? "configuration" : "no configuration"): \(report.file.text)")
    try console.json(ConfigurationOutput(report))
  }
}
