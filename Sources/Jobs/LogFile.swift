package import Files
package import SystemPackage

/// A file of `logs/` in the data directory, bounded in size and age.
///
/// At 10 MB it is set aside under the time of day; what was set aside over 30 days ago, or beyond the newest five, is
/// deleted.
package struct LogFile: Sendable {
  package static let maximumBytes: Int64 = 10 << 20
  package static let maximumAgeNanoseconds: Int64 = 30 * 86_400 * 1_000_000_000
  package static let maximumKept = 5

  private let folder: FilePath
  /// Without its ending: "backup".
  private let name: String
  private let files: any FileSystem
  private let time: any TimeSource

  /// - Parameter name: without its ending: "backup".
  package init(_ name: String, in dataDirectory: FilePath, files: any FileSystem, time: any TimeSource) {
    folder = dataDirectory.appending("logs")
    self.name = name
    self.files = files
    self.time = time
  }

  private var path: FilePath { folder.appending("\(name).log") }

  /// Appends a line; the file and its folder are made when they are missing.
  package func append(_ line: [UInt8]) throws(SystemError) {
    if try !files.exists(folder) { try files.makeDirectoryOfItsOwner(folder) }
    // The owner is that of the directory in which the file really lies: a symlink may lead to another user's.
    let owner = try files.status(folder.appending("."), at: nil).owner
    let file = try OpenFile(path, mode: [.write, .create, .append, .noFollow], permissions: 0o644, files: files)
    // What root writes into a user's stack is the user's to go on with.
    try files.giveNew(file.descriptor, to: owner)
    var failure: SystemError?
    line.withUnsafeBytes { bytes in
      do throws(SystemError) { _ = try files.append(file.descriptor, bytes: bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    let size = try file.status().size
    try file.close()
    if size > Self.maximumBytes { try setAside() }
  }

  /// Sets aside what is in the file and empties it, when it is large.
  ///
  /// Only the file that a stream of this process writes to: whoever started this process has it open.
  package func rotate(writtenBy stream: StandardStream) throws(SystemError) {
    guard let status = try files.statusIfPresent(path), status.kind == .regular, status.size > Self.maximumBytes,
      try files.status(of: Descriptor(number: stream.rawValue)).identity == status.identity
    else { return }
    let file = try OpenFile(path, mode: [.write, .noFollow], files: files)
    let copy = try OpenFile(
      asideName, mode: [.write, .create, .exclusive, .noFollow], permissions: status.permissions & 0o644, files: files)
    try files.giveNew(copy.descriptor, to: status.owner)
    var offset: Int64 = 0
    while true {
      let bytes = try file.read(count: 1 << 20, at: offset)
      if bytes.isEmpty { break }
      try copy.write(bytes, at: offset)
      offset += Int64(bytes.count)
    }
    try copy.close()
    // The writer appends, so it goes on at the beginning.
    try file.truncate(to: 0)
    try removeOld()
  }

  private var asideName: FilePath {
    folder.appending("\(name).\(LocalTime(nanoseconds: time.nowNanoseconds).compact).log")
  }

  private func setAside() throws(SystemError) {
    try files.renameReplacing(path, at: nil, to: asideName, at: nil)
    try removeOld()
  }

  private func removeOld() throws(SystemError) {
    let directory = try OpenFile(folder, mode: [.directory], files: files)
    let old = try files.entries(of: directory.descriptor).map(\.name).filter {
      $0.hasPrefix("\(name).2") && $0.bytes.suffix(4).elementsEqual(".log".utf8)
    }.sorted().reversed()
    for (index, name) in old.enumerated() {
      let age = time.nowNanoseconds - (try files.status(name.path, at: directory.descriptor).modifiedNanoseconds)
      if index >= Self.maximumKept || age > Self.maximumAgeNanoseconds {
        try files.remove(name.path, at: directory.descriptor)
      }
    }
  }
}
