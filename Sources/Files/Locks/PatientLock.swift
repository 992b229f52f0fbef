extension FileSystem {
  /// Takes an exclusive lock, or says that somebody has kept it for a quarter of a second.
  ///
  /// While a process starts a child, the child has copies of its descriptors, until it runs its program. So a lock that
  /// was released may stay taken for a short time.
  package func lockPatiently(_ descriptor: Descriptor) throws(SystemError) -> Bool {
    for _ in 0..<25 {
      if try lock(descriptor, kind: .exclusive) { return true }
      SystemTime().sleep(.milliseconds(10))
    }
    return try lock(descriptor, kind: .exclusive)
  }
}
