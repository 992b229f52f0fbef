private import CFiles
package import SystemPackage

/// What is mounted where.
package enum Mounts {
  /// Whether something is mounted at a path itself: a directory, or a file alone.
  ///
  /// The path must be without symlinks. Linux says it of the path (`statx`); before 5.8 its table of mounts does
  /// (`/proc/self/mountinfo`, man 5 proc).
  /// - Throws: `SystemError` when the table is there and cannot be read.
  package static func isMountPoint(_ path: FilePath) throws(SystemError) -> Bool {
    let answer = path.withPlatformString { hrp_is_mount_root($0) }
    if answer >= 0 { return answer == 1 }
    guard let file = try OpenFile.ifPresent("/proc/self/mountinfo", files: Kernel()) else { return false }
    var table: [UInt8] = []
    while true {
      let bytes = try file.read(count: 1 << 16, at: Int64(table.count))
      if bytes.isEmpty { break }
      table += bytes
    }
    return String(decoding: table, as: UTF8.self).split(separator: "\n").contains { line in
      let fields = line.split(separator: " ")
      // The table writes a blank as a backslash and three octal digits. Its device is compared instead.
      return fields.count > 4 && fields[4] == path.string
    }
  }
}
