/// One mistake in the configuration, and what is allowed in its place.
package struct SettingsProblem: Error, Equatable, Sendable {
  /// The line in the file, counted from 1; nil for an environment variable.
  package let line: Int?
  /// What is wrong, and what is allowed, as a sentence without a full stop.
  package let message: String

  package init(line: Int?, message: String) {
    self.line = line
    self.message = message
  }
}
