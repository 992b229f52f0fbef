internal import Backup
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// How the copies in a second place are.
package struct PlaceStatus: Sendable {
  /// Its name in the configuration.
  package let name: String
  /// The newest copy there that is not known to be damaged; nil when there is none, or the place is out of reach.
  package let newestCopy: ProtectionFacts.Event?
  /// What is not as it should be, as a clause; nil when nothing is.
  package let problem: String?
  /// What to do about it.
  package let remedy: String?

  /// - Parameter newestBackup: the newest verified backup of the stack.
  init(
    _ configured: PlaceSettings, of stack: Stack, newestBackup: ProtectionFacts.Event?, files: any FileSystem,
    time: any TimeSource
  ) {
    name = configured.name
    let place = stack.place(configured, files: files, time: time)
    let copies: [ListedBackup]
    do {
      try place.check()
      copies = try place.backups.list().filter { $0.isOf(stack) != false }
    } catch {
      let error = BackupError(error, doing: "looking at the place")
      (newestCopy, problem, remedy) = (nil, error.message, error.remedy)
      return
    }
    let damaged = copies.filter { copy in
      copy.problem != nil || copy.proof.value.map { $0.failure != nil && $0.state != .checkpointFailed } ?? false
    }.map { ByteText.escaped($0.name.bytes) }
    let good = copies.first { !damaged.contains(ByteText.escaped($0.name.bytes)) && $0.timestamp != nil }
    newestCopy = good.map { .init(name: ByteText.escaped($0.name.bytes), timestamp: $0.timestamp ?? 0) }
    if let bad = damaged.first {
      problem = "the copy \(bad) there is damaged" + (damaged.count > 1 ? ", and \(damaged.count - 1) more" : "")
      remedy = "hrp backup copy \(bad) \(name) makes it again."
    } else if configured.isScheduled, let newestBackup,
      newestCopy.map({ $0.timestamp < newestBackup.timestamp }) ?? true
    {
      problem = newestCopy.map { "the newest copy there is \($0.name)" } ?? "there is no copy yet"
      remedy = "hrp backup copy latest \(name)"
    } else {
      (problem, remedy) = (nil, nil)
    }
  }
}
