internal import ArgumentParser
internal import Files
internal import Settings
internal import Stacks
internal import Store

/// Whether a command looks at the copies in a second place, and not at the backup directory.
struct PlaceOption: ParsableArguments {
  @Option(
    name: .customLong("at"),
    help: ArgumentHelp("Look at the copies in this place: a name under places:, or a directory.", valueName: "place"),
    completion: .places)
  var place: String?

  /// The stack whose backups are those in the place.
  /// - Throws: `BackupError` `place.unknown`, `place.not-found`, `place.not-mounted`.
  func stack(_ stack: Stack) throws -> Stack {
    guard let place else { return stack }
    let directory = try stack.place(named: place, files: Kernel(), time: SystemTime())
    try directory.check()
    return stack.looking(in: directory.path)
  }

  /// What a rotation goes by there when no rule is named on the command line.
  func rotation(of stack: Stack) -> RetentionSettings {
    let configured = stack.secondPlaces.first { $0.name == place }
    return configured.map { stack.settings.rotation(of: $0) } ?? stack.settings.rotation
  }
}
