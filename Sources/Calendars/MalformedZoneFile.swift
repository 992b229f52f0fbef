/// A file is no TZif file, or none that can be relied on.
package struct MalformedZoneFile: Error, Sendable, Equatable, CustomStringConvertible {
  /// This clause tells what is wrong with it.
  package let reason: String

  /// This sentence tells what is wrong with it.
  package var description: String { "the time zone file cannot be used: \(reason)" }
}
