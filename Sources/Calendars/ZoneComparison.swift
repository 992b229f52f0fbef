/// Whether Foundation's rules for a zone are those of a file of the tz database.
package enum ZoneComparison: Sendable, Equatable {
  /// They agree in all the time that was looked at.
  case same
  /// They differ first at this instant, in nanoseconds since 1970 UTC.
  case differs(from: Int64)
  /// There is no file for the zone, so it cannot be told.
  case noFile

  /// Compares a zone with the bytes of its file, from an instant on (in nanoseconds since 1970 UTC) for some years.
  ///
  /// The caller reads the file, and gives nil if there is none.
  package init(
    of zone: Zone, withFile bytes: [UInt8]?, startingAt instant: Int64, years: Int
  ) throws(MalformedZoneFile) {
    guard let bytes else {
      self = .noFile
      return
    }
    let rules = try ZoneRules(parsing: bytes)
    let difference = rules.firstDifference(from: zone, startingAt: instant, years: years)
    self = difference.map(ZoneComparison.differs(from:)) ?? .same
  }
}
