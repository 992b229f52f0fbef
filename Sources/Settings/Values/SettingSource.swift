/// Where a value comes from.
package enum SettingSource: Equatable, Sendable {
  case flag(String)
  case environment(String)
  /// A line of the configuration file, counted from 1.
  case file(line: Int)
  case standard

  /// For people: "HRP_UNDO_DAYS", "line 3", "default".
  package var words: String {
    switch self {
    case .flag(let name), .environment(let name): name
    case .file(let line): "line \(line)"
    case .standard: "default"
    }
  }
}
