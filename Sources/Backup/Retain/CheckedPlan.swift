internal import Files
internal import Retention
internal import Store

/// A plan of what to delete that relies on no backup which was not read during this run (D2).
struct CheckedPlan {
  /// So many good backups are read before anything is deleted.
  private static let minimumRead = 2

  let plan: RetentionPlan
  /// What was found wrong with backups that were read, by name, as a clause.
  let doubts: [String: String]

  /// - Parameter backups: newest first.
  /// - Parameter read: reads all of a backup, and says what that showed.
  init(
    of backups: [ListedBackup], policy: RetentionPolicy, run: RetentionRun,
    read: (ListedBackup) throws -> RetentionFacts.Condition
  ) throws {
    var seen = Seen(backups: backups, policy: policy, run: run)
    // A backup that turns out worse makes no other one go (K15): where nothing goes now, nothing needs to be read.
    let most = seen.plan(believing: true)
    if most.deletions.isEmpty {
      (plan, doubts) = (most, [:])
      return
    }
    while let next = seen.nextToRead { seen.conditions[next.name] = try read(next) }
    var plan = seen.plan(believing: false)
    // All of its metadata is read only of what would go.
    while seen.findProblems(in: plan) { plan = seen.plan(believing: false) }
    self.plan = plan
    doubts = seen.doubts
  }

  /// What is known of the backups so far.
  private struct Seen {
    let backups: [ListedBackup]
    let policy: RetentionPolicy
    let run: RetentionRun
    /// What is noted of each backup: read once, so that all plans of a run go by the same.
    private let noted: [FileName: RetentionFacts]
    var conditions: [FileName: RetentionFacts.Condition] = [:]
    private var problems: [FileName: String] = [:]
    private var looked: Set<FileName> = []

    init(backups: [ListedBackup], policy: RetentionPolicy, run: RetentionRun) {
      self.backups = backups
      self.policy = policy
      self.run = run
      noted = Dictionary(backups.map { ($0.name, RetentionFacts($0)) }) { first, _ in first }
    }

    /// The plan by what is known.
    /// - Parameter believing: whether what was never verified, and not read yet, counts as verified.
    func plan(believing: Bool) -> RetentionPlan {
      RetentionPlan(of: backups.map { facts(of: $0, believing: believing) }, policy: policy, run: run)
    }

    private func facts(of backup: ListedBackup, believing: Bool) -> RetentionFacts {
      var facts = noted[backup.name] ?? RetentionFacts(backup)
      if let condition = conditions[backup.name] { facts.condition = condition }
      facts.problem = facts.problem ?? problems[backup.name]
      if believing, facts.condition == .notVerified { facts.condition = .verified }
      return facts
    }

    /// The newest backup that may be good and was not read; nil when enough was read.
    var nextToRead: ListedBackup? {
      var good: [RetentionFacts] = []
      for backup in backups {
        let facts = facts(of: backup, believing: true)
        let isDated = facts.timestamp.map { $0 <= run.now } ?? false
        guard facts.condition == .verified, facts.isComplete, facts.problem == nil, isDated else { continue }
        guard conditions[backup.name] != nil else { return backup }
        good.append(facts)
        // Two links to one database are one copy (K4).
        if good.count >= CheckedPlan.minimumRead, Set(good.map(\.databaseIdentity)).count > 1 { return nil }
      }
      return nil
    }

    /// What reading backups found wrong with them.
    var doubts: [String: String] {
      var doubts: [String: String] = [:]
      for (name, condition) in conditions {
        switch condition {
        case .failed(let why), .unreadable(let why): doubts[ByteText.escaped(name.bytes)] = why
        case .verified, .notVerified: break
        }
      }
      return doubts
    }

    /// Reads all the metadata of what a plan would delete.
    /// - Returns: whether something was found that the plan did not know.
    mutating func findProblems(in plan: RetentionPlan) -> Bool {
      let names = Set(plan.deletions.map(\.name))
      var isNew = false
      for backup in backups
      where names.contains(ByteText.escaped(backup.name.bytes)) && looked.insert(backup.name).inserted {
        guard let problem = backup.metadataProblem else { continue }
        problems[backup.name] = problem
        isNew = true
      }
      return isNew
    }
  }
}
