/// No time zone has this name.
package struct UnknownZone: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name that was asked for.
  package let name: String

  /// This sentence says which name is unknown.
  package var description: String { "there is no time zone named '\(name)'" }
}
