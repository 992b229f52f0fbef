package import SystemPackage

/// A folder of our own with a hidden name that nobody else uses, locked as long as its maker lives.
///
/// The name is random, so two processes with one PID in two containers never meet. The lock tells what a killed process
/// left from what a living one is making.
package final class HiddenFolder {
  private static let suffix = ".partial"

  package let folder: OpenFile
  package let name: FilePath
  private let parent: OpenFile

  /// Makes and locks a folder `PREFIX<16 digits>.partial`, which only its owner may look into.
  package init(_ prefix: String, in parent: OpenFile) throws(SystemError) {
    self.parent = parent
    let files = parent.files
    while true {
      let name = FilePath(RandomName.make(prefix) + Self.suffix)
      try files.makeDirectory(name, at: parent.descriptor, permissions: 0o700)
      do throws(SystemError) {
        let folder = try OpenFile(name, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
        // Somebody who looks for what was left behind may have been quicker than our lock: then it is gone.
        if try files.lock(folder.descriptor, kind: .exclusive), try files.exists(name, at: parent.descriptor) {
          (self.folder, self.name) = (folder, name)
          return
        }
      } catch  where error.errno == .noSuchFileOrDirectory {
        continue
      }
    }
  }

  /// Removes the folder and what is in it.
  package func remove() throws(SystemError) { try parent.files.removeTree(name, at: parent.descriptor) }

  /// Removes the folders of that prefix whose makers are dead.
  package static func removeAbandoned(_ prefix: String, in parent: OpenFile) throws(SystemError) {
    let files = parent.files
    for entry in try files.entries(of: parent.descriptor)
    where RandomName.matches(entry.name, prefix: prefix, suffix: suffix) {
      let folder: OpenFile
      do throws(SystemError) {
        folder = try OpenFile(entry.name.path, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
      } catch {
        continue  // It is gone, another user's, or nothing of ours.
      }
      // Held on while it is removed.
      guard try files.lock(folder.descriptor, kind: .exclusive) else { continue }
      try files.removeTree(entry.name.path, at: parent.descriptor)
    }
  }
}
