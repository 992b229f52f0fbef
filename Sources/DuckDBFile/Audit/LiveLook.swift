package import Files

/// What a database in use looks like at one moment, from outside.
package struct LiveLook: Sendable, Equatable {
  /// A program that has the database open.
  package struct Holder: Sendable, Equatable {
    /// It is 0 when the process cannot be seen from here.
    package let pid: Int32
    /// Whether it may write.
    package let mayWrite: Bool
  }

  /// What can be seen of a database that is not encrypted.
  package struct Contents: Sendable, Equatable {
    /// Grows by one with each checkpoint.
    package let iteration: UInt64
    package let blocksInUse: Int
    /// Bytes of the WAL that an engine would replay.
    package let walBytes: Int64
    /// Commits in it.
    package let walCommits: Int
  }

  /// Which file it is.
  package let identity: FileIdentity
  /// Bytes of the main file.
  package let fileBytes: Int64
  package let holder: Holder?
  /// nil when the database is encrypted: then only its main header can be read.
  package let contents: Contents?
}
