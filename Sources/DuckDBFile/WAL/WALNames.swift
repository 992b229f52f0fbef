private import Files
package import SystemPackage

/// The names of the WALs beside a database (`src/main/attached_database.cpp`, `single_file_storage_manager`).
package enum WALNames {
  /// `<db>.wal`: what was committed since the last checkpoint.
  package static func wal(of path: FilePath) -> FilePath { adding(".wal", to: path) }
  /// `<db>.wal.checkpoint` (1.5 and later): what is committed while a checkpoint runs.
  package static func checkpointWAL(of path: FilePath) -> FilePath { adding(".wal.checkpoint", to: path) }

  /// A question mark in the path begins parameters: the suffix goes before it.
  private static func adding(_ suffix: String, to path: FilePath) -> FilePath {
    let bytes = path.bytes
    let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
    return FilePath(bytes: bytes[..<end] + Array(suffix.utf8) + bytes[end...])
  }
}
