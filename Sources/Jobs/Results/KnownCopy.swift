package import SystemPackage

/// Where a copy of a backup is, as far as can be told now.
package struct KnownCopy: Sendable, Equatable {
  /// The place, by its name in the configuration, or where it was.
  package var place: String
  /// Where the copy is; nil when the place is out of reach.
  package var path: FilePath?
  /// Whether it is there now; nil when the place is out of reach.
  package var isPresent: Bool?
  /// When it was copied there last, ISO 8601 with offset; nil when nothing was noted.
  package var copiedAt: String?
}
