/// How much of what an operation tells is written to the log.
package enum LogLevel: String, CaseIterable, Comparable, Sendable {
  case debug, info, warning, error, critical

  /// The level of this name, in capital or small letters; nil when there is no such level.
  ///
  /// Names that other programs have for the same are taken too.
  package init?(named name: String) {
    switch name.lowercased() {
    case "trace": self = .debug
    case "notice", "success": self = .info
    case "warn": self = .warning
    case "fatal": self = .critical
    case let name:
      guard let level = LogLevel(rawValue: name) else { return nil }
      self = level
    }
  }

  /// What may stand for one, as it stands after "must be".
  package static let allowed = "one of " + allCases.map(\.rawValue).joined(separator: ", ")

  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
