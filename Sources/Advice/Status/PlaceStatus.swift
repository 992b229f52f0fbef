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
    do {
      let place = stack.place(configured, files: files, time: time)
      try place.check()
      self.init(configured, copies: try Self.copies(in: place, of: stack), newestBackup: newestBackup)
    } catch {
      self.init(configured, outOfReach: BackupError(error, doing: "looking at the place"))
    }
  }

  private init(_ configured: PlaceSettings, outOfReach error: BackupError) {
    name = configured.name
    (newestCopy, problem, remedy) = (nil, error.message, error.remedy)
  }

  /// The copies of a stack in a place that was checked, newest first.
  static func copies(in place: DirectoryPlace, of stack: Stack) throws -> [ListedBackup] {
    try place.backups.list().filter { $0.isOf(stack) != false }
  }

  /// - Parameter copies: those of the stack that are there, newest first.
  init(_ configured: PlaceSettings, copies: [ListedBackup], newestBackup: ProtectionFacts.Event?) {
    name = configured.name
    var damaged: [ListedBackup] = []
    var unknown: (copy: ListedBackup, why: String)?
    var newest: ProtectionFacts.Event?
    for copy in copies {
      let proof = copy.proof
      if let why = copy.problem ?? proof.problem {
        unknown = unknown ?? (copy, why)
      } else if proof.value?.damage != nil {
        damaged.append(copy)
      } else if let timestamp = copy.timestamp, newest == nil {
        newest = .init(name: ByteText.escaped(copy.name.bytes), timestamp: timestamp)
      }
    }
    newestCopy = newest
    if let bad = damaged.first.map({ ByteText.escaped($0.name.bytes) }) {
      problem = "the copy \(bad) there is damaged" + (damaged.count > 1 ? ", and \(damaged.count - 1) more" : "")
      remedy = "hrp backup copy \(bad) \(name) makes it again."
    } else if let unknown {
      problem = "the copy \(ByteText.escaped(unknown.copy.name.bytes)) there cannot be judged: \(unknown.why)"
      remedy = "Look at it: ls -la \(ShellWord.quoted(unknown.copy.path))"
    } else if configured.isScheduled, let newestBackup, newest.map({ $0.timestamp < newestBackup.timestamp }) ?? true {
      problem = newest.map { "the newest copy there is \($0.name)" } ?? "there is no copy yet"
      remedy = "hrp backup copy latest \(name)"
    } else {
      (problem, remedy) = (nil, nil)
    }
  }
}
