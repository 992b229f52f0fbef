import Foundation

/// File systems of the tests' own, where the machine lets them be mounted (as root, on Linux).
public enum Mount {
  /// Whether a file system in memory can be mounted.
  public static let canMount: Bool = {
    (try? withMount("mount -t tmpfs -o size=1M none") { _ in true }) ?? false
  }()

  /// Whether XFS, which has clones, can be made and mounted.
  public static let hasClones: Bool = {
    (try? withCloningFolder { _ in true }) ?? false
  }()

  /// A folder on a file system in memory that holds so much and no more.
  public static func withSmallFolder<Result>(_ megabytes: Int, _ body: (String) throws -> Result) throws -> Result {
    try withMount("mount -t tmpfs -o size=\(megabytes)M none", body)
  }

  /// A folder on XFS, where a file can be cloned (`FICLONE`).
  public static func withCloningFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      let image = folder + "/image"
      let made = try run("/bin/sh", ["-c", "truncate -s 400M '\(image)' && mkfs.xfs -q '\(image)'"])
      guard made.status == 0 else { throw Unavailable(description: made.errors) }
      return try withMount("mount -o loop '\(image)'", body)
    }
  }

  /// The mount was refused: the system's words.
  public struct Unavailable: Error, CustomStringConvertible {
    /// What the command said.
    public let description: String
  }

  private static func withMount<Result>(_ command: String, _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      let place = folder + "/mounted"
      let done = try run("/bin/sh", ["-c", "mkdir '\(place)' && \(command) '\(place)'"])
      guard done.status == 0 else { throw Unavailable(description: done.errors) }
      defer {
        // Lazily: a process that ends just now may still be in it. What stays mounted is seen by the next who looks.
        _ = try? run("/bin/sh", ["-c", "umount '\(place)' || umount -l '\(place)'"])
      }
      return try body(place)
    }
  }
}
