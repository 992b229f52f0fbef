package import Files
package import Settings
package import Stacks
internal import Store
package import SystemPackage

/// Every mistake in the configuration of a stack.
package struct ConfigurationCheck: Sendable {
  /// The configuration file.
  package let file: FilePath
  /// Whether there is one.
  package let exists: Bool
  /// The mistakes in the file, in the order of its lines.
  package let problems: [SettingsProblem]
  /// The second places that cannot be meant, in the order of the file: only what works with them refuses them.
  package let placeProblems: [SettingsProblem]
  /// What is wrong with environment variables, each as a sentence.
  package let warnings: [String]

  /// - Parameter stack: the stack that flags and environment name; its configuration is read here.
  /// - Throws: `BackupError` when the file is there and cannot be read.
  package init(_ stack: Stack, files: any FileSystem) throws {
    let configuration = stack.configurationFile(files)
    file = configuration.path
    let text: String?
    do {
      text = try configuration.text()
    } catch let problem as SettingsProblem {
      (exists, problems, placeProblems, warnings) = (true, [problem], [], [])
      return
    }
    exists = text != nil
    let (settings, problems) = Settings.read(text ?? "", variables: ThisProcess.environmentNames) {
      ThisProcess.environment($0)
    }
    warnings = settings.warnings
    self.problems = problems
    // What the places mean can be told only of a configuration without other mistakes.
    placeProblems =
      problems.isEmpty ? try stack.reading(settings).problemsOfPlaces(files: files, time: SystemTime()) : []
  }
}
