import Foundation

/// File systems of the tests' own, where the machine lets them be mounted (as root, on Linux).
public enum Mount {
  /// Whether a file system in memory can be mounted.
  public static let canMount: Bool = {
    (try? withTemporaryFolder { try withMemory("size=1m", on: $0) { _ in true } }) ?? false
  }()

  /// Whether XFS, which has clones, can be made and mounted.
  public static let hasClones: Bool = {
    (try? withCloningFolder { _ in true }) ?? false
  }()

  /// A file system in memory, mounted as `small` in a folder for as long as the body runs.
  /// - Parameters:
  ///   - options: as `mount` takes them: "size=30m".
  ///   - folder: where the mount point is made.
  ///   - body: is given the mount point.
  /// - Returns: what the body returns.
  /// - Throws: `Unavailable` when the system refuses, and what the body throws.
  public static func withMemory<Result>(
    _ options: String, on folder: String, _ body: (String) throws -> Result
  ) throws -> Result {
    try withMount("mount -t tmpfs -o \(options) tmpfs", below: folder, body)
  }

  /// A folder on XFS, where a file can be cloned (`FICLONE`).
  public static func withCloningFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      let image = folder + "/image"
      let made = try run("/bin/sh", ["-c", "truncate -s 400M '\(image)' && mkfs.xfs -q '\(image)'"])
      guard made.status == 0 else { throw Unavailable(description: made.errors) }
      return try withMount("mount -o loop '\(image)'", below: folder, body)
    }
  }

  /// An overlay, as a container's own file system is one: `lower` is what its image holds, and is not written to.
  /// - Parameters:
  ///   - lower: what the image holds.
  ///   - upperFolder: an empty folder for what is written; on another file system than `lower`, if it is to be so.
  ///   - folder: where the mount point is made.
  ///   - body: is given the mount point.
  /// - Returns: what the body returns.
  /// - Throws: `Unavailable` when the system refuses, and what the body throws.
  public static func withOverlay<Result>(
    of lower: String, upperFolder: String, below folder: String, _ body: (String) throws -> Result
  ) throws -> Result {
    for name in ["upper", "work"] {
      try FileManager.default.createDirectory(atPath: upperFolder + "/" + name, withIntermediateDirectories: true)
    }
    let options = "lowerdir=\(lower),upperdir=\(upperFolder)/upper,workdir=\(upperFolder)/work"
    return try withMount("mount -t overlay -o '\(options)' overlay", below: folder, body)
  }

  /// The mount was refused: the system's words.
  public struct Unavailable: Error, CustomStringConvertible {
    /// What the command said.
    public let description: String
  }

  private static func withMount<Result>(
    _ command: String, below folder: String, _ body: (String) throws -> Result
  ) throws -> Result {
    let place = folder + "/small"
    let done = try run("/bin/sh", ["-c", "mkdir '\(place)' && \(command) '\(place)'"])
    guard done.status == 0 else { throw Unavailable(description: done.errors) }
    defer {
      // Lazily where it must be: a process that ends just now may still be in it.
      _ = try? run("/bin/sh", ["-c", "umount '\(place)' || umount -l '\(place)'"])
    }
    return try body(place)
  }
}
