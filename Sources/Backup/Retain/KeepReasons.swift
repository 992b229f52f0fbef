package import Files
package import Store

/// Why a backup is kept, as far as that can be told without reading its contents.
package enum KeepReasons {
  /// The reasons, each as a clause; empty when the next rotation with the default retention deletes the backup.
  ///
  /// - Parameter all: the backups of the same directory, newest first.
  package static func of(_ backup: ListedBackup, among all: [ListedBackup], time: any TimeSource) -> [String] {
    var reasons: [String] = []
    switch backup.pin {
    case .nothing: break
    case .found(let pin): reasons.append("it is pinned" + (pin.reason.isEmpty ? "" : ": \(pin.reason)"))
    case .unreadable(let why): reasons.append("it may be pinned: its pin cannot be read (\(why))")
    }
    if let problem = backup.problem { reasons.append("it cannot be judged: \(problem)") }
    let days = RetentionPolicy.defaultKeepDays
    if let timestamp = backup.timestamp,
      !RetentionPolicy(keepDays: days, now: time.nowNanoseconds).isOld(timestamp)
    {
      reasons.append("it is younger than \(days) days (what hrp backup rotate keeps by default)")
    }
    let named = BackupLayout.timestamp(ofName: backup.name)
    if let doubt = RetentionPolicy.doubtAboutAge(backup.timestamp, inName: named) { reasons.append(doubt) }
    let good = all.filter { $0.hasDatabase && $0.metadata?.verified != false && $0.metadata?.complete != false }
    if good.prefix(RetentionPolicy.minimumKept).contains(where: { $0.name == backup.name }) {
      reasons.append("it is one of the newest two complete backups, which stay when they verify")
    }
    return reasons
  }
}
