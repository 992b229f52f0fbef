package import SystemPackage

extension FilePath {
  /// The text as a path, `~` and `~/…` standing for the home directory.
  package init(expandingTilde text: String) {
    guard text == "~" || text.hasPrefix("~/"), let home = ThisProcess.environment("HOME") else {
      self.init(text)
      return
    }
    self.init(home + text.dropFirst())
  }
}
