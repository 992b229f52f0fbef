extension FileSystem {
  /// Takes an exclusive lock, or says that somebody has kept it for a quarter of a second.
  ///
  /// A process that starts a child just then has its descriptors twice until the child runs its program: a lock that
  /// was given up is held for that moment still.
  package func lockPatiently(_ descriptor: Descriptor) throws(SystemError) -> Bool {
    for _ in 0..<25 {
      if try lock(descriptor, kind: .exclusive) { return true }
      SystemTime().sleep(.milliseconds(10))
    }
    return try lock(descriptor, kind: .exclusive)
  }
}
