internal import Files
package import Store
internal import SystemPackage

extension ListedBackup {
  /// Whether it was made of this stack; nil when its metadata does not tell.
  ///
  /// A stack is recognised by its data directory. So after a move, all its backups seem to be of another stack, which
  /// proves nothing.
  package func isOf(_ stack: Stack) -> Bool? {
    let places = [metadata?.sourceDirectory, metadata?.realSourceDirectory].compactMap { text in
      text.flatMap { ByteText.bytes(of: $0.utf8) }.map { FilePath(bytes: $0) }
    }
    guard !places.isEmpty else { return nil }
    return places.contains(stack.dataDirectory)
      || places.contains(RealPath.ofWhatExists(stack.dataDirectory))
  }
}

extension BackupDirectory {
  /// The newest backup of a stack that holds a part; nil when there is none.
  ///
  /// One that may be of the stack counts.
  /// - Throws: `SystemError`, also when it cannot be told whether there is a directory.
  package func newest(of stack: Stack, holding part: StackPart) throws -> ListedBackup? {
    guard try files.exists(path) else { return nil }
    return try newest { $0.isOf(stack) != false && !$0.lacks(part) }
  }
}
