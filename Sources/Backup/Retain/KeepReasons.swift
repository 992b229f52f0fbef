package import Files
package import Store

/// Why a backup is kept, as far as that can be told without reading its contents.
package enum KeepReasons {
  /// The days that `hrp backup rotate` keeps when nothing else is asked for.
  package static let defaultKeepDays = 30

  private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000

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
    if let timestamp = backup.timestamp {
      let age = time.nowNanoseconds - timestamp
      if age < Int64(defaultKeepDays) * dayNanoseconds {
        reasons.append("it is younger than \(defaultKeepDays) days (what hrp backup rotate keeps by default)")
      }
      if let named = BackupLayout.timestamp(ofName: backup.name) {
        if abs(named - timestamp) > dayNanoseconds {
          reasons.append("its name and its metadata differ by more than a day")
        }
      } else {
        reasons.append("its name is not one that hrp gives")
      }
    } else {
      reasons.append("nothing says how old it is")
    }
    let good = all.filter { $0.hasDatabase && $0.metadata?.verified != false && $0.metadata?.complete != false }
    if good.prefix(2).contains(where: { $0.name == backup.name }) {
      reasons.append("it is one of the newest two complete backups, which stay when they verify")
    }
    return reasons
  }
}
