internal import Advice
internal import Backup
internal import Calendars
internal import DuckDBFile
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// Turns what is known of a stack into the texts of the page.
struct PageWriter {
  /// Backups in the table; the API has all.
  private static let maximumRows = 60
  private static let maximumTables = 40

  let stack: Stack
  let view: StackView
  let answer: StackWatch.Answer
  let load: (now: MachineLoad, processorPercent: Double?)
  /// The words after a command that name the stack, each after a space; empty when it needs none.
  let flags: String
  /// In nanoseconds since 1970 UTC.
  let now: Int64

  var contents: PageContents {
    let shown = view.backups.prefix(Self.maximumRows)
    let newest = view.newestDrilled
    let isProtected = view.protection.isProtected
    return PageContents(
      title: isProtected ? "Protected" : "Not protected", stack: stack.dataDirectory.text, isProtected: isProtected,
      headline: isProtected ? "This stack is protected" : "This stack is not protected",
      reasons: view.protection.reasons.map { reason in
        PageContents.Reason(
          message: reason.message, since: reason.since.map { "since \(Self.time($0))" } ?? "",
          remedy: completed(reason.remedy))
      },
      facts: facts, timeline: Timeline(view.backups), hasBackups: !view.backups.isEmpty,
      rows: shown.map { row($0, beside: newest) },
      more: view.backups.count > shown.count ? view.backups.count - shown.count : nil,
      checks: answer.readiness.checks.map(Self.check), system: system, pipeline: pipeline,
      tables: newest.map { Self.tables($0) } ?? [], tablesAsOf: tablesAsOf(newest), thresholds: thresholds,
      jobs: view.jobs.prefix(20).map(Self.job), problems: view.problems, actions: actions,
      asOf: Self.time(view.timestamp), version: Version.current)
  }

  private func completed(_ remedy: String) -> String { remedy.hasPrefix("hrp ") ? remedy + flags : remedy }

  private static func time(_ timestamp: Int64) -> String { String(LocalTime(nanoseconds: timestamp).plain.prefix(16)) }

  private func ago(_ timestamp: Int64) -> String { "\(Age.words(since: timestamp, now: now)) ago" }

  // MARK: - At one glance

  private var facts: [PageContents.Fact] {
    let status = view.status
    var facts = [
      fact("Newest verified backup", event: status?.facts.newestBackup),
      fact("Newest drill that passed", event: status?.facts.newestProof),
      PageContents.Fact(name: "Next run", value: nextRun, style: status?.hasScheduler == false ? "warning" : "good"),
      space,
    ]
    if let elsewhere = status?.elsewhere { facts.append(copies(elsewhere)) }
    let failed = view.backups.filter { $0.proof == .failed }
    if let first = failed.first {
      facts.append(
        PageContents.Fact(
          name: "Backups that failed a check", value: "\(failed.count), the newest \(first.name)", style: "critical"))
    }
    for place in status?.places ?? [] {
      let newest = place.newestCopy.map { "\($0.name), \(ago($0.timestamp))" } ?? "no copy"
      facts.append(
        PageContents.Fact(
          name: "Place \(place.name)", value: place.problem ?? newest, style: place.problem == nil ? "good" : "warning")
      )
    }
    if let count = view.trashCount, count > 0 {
      let bytes = view.trashBytes.map { ", \(ByteCount.text($0))" } ?? ""
      facts.append(PageContents.Fact(name: "Trash", value: "\(count) deleted backups\(bytes)", style: "good"))
    }
    return facts
  }

  private func fact(_ name: String, event: ProtectionFacts.Event?) -> PageContents.Fact {
    PageContents.Fact(
      name: name, value: event.map { "\($0.name), \(ago($0.timestamp))" } ?? "none",
      style: event == nil ? "critical" : "good")
  }

  private var nextRun: String {
    guard let status = view.status else { return "unknown" }
    let paused = Set(status.pausedJobs.map(\.job))
    let next = status.nextRuns.filter { !paused.contains($0.job.id) }.min { $0.at < $1.at }
    guard let next else { return "no job is due ever" }
    let idle = status.hasScheduler == false ? "; no scheduler runs" : ""
    return "\(next.job.id), \(next.job.schedule.zone.clock(at: next.at))\(idle)"
  }

  private var space: PageContents.Fact {
    guard let space = view.space else {
      return PageContents.Fact(name: "Space for backups", value: "unknown", style: "warning")
    }
    let free = "\(ByteCount.text(space.availableBytes)) free of \(ByteCount.text(space.totalBytes))"
    guard let perDay = space.bytesPerDay else {
      return PageContents.Fact(name: "Space for backups", value: free, style: "good")
    }
    let lasts = space.days.map { "enough for \($0) days without rotation" } ?? "enough for years"
    return PageContents.Fact(
      name: "Space for backups", value: "\(free); new backups take \(ByteCount.text(perDay)) a day: \(lasts)",
      style: space.days.map { $0 < 14 ? "warning" : "good" } ?? "good")
  }

  private func copies(_ elsewhere: CopiesElsewhere) -> PageContents.Fact {
    let name = "Copies on another disk"
    return switch elsewhere {
    case .present(let place): PageContents.Fact(name: name, value: place, style: "good")
    case .none:
      PageContents.Fact(name: name, value: "none: a broken disk takes data and backups", style: "warning")
    case .unknown(let why): PageContents.Fact(name: name, value: "unknown: \(why)", style: "warning")
    }
  }

  // MARK: - Backups

  private func row(_ backup: BackupView, beside newest: BackupView?) -> PageContents.Row {
    let effect = RestoreEffect(of: backup, beside: newest, now: now)
    let rows = effect.tables.reduce(0) { $0 + $1.rows }
    let drilled = effect.tables.isEmpty ? "" : ": \(ItemCount.text(effect.tables.count, of: "table")), \(rows) rows"
    return PageContents.Row(
      name: backup.name, when: backup.timestamp.map(Self.time) ?? "unknown", age: backup.timestamp.map(ago) ?? "",
      size: backup.sizeBytes.map(ByteCount.text) ?? "unknown",
      duration: backup.durationSeconds.map(Timeline.duration) ?? "unknown",
      proof: Self.words(of: backup), style: backup.isComplete ? backup.proof.rawValue : "incomplete",
      pinned: backup.isPinned, problem: backup.problem,
      bringsBack: backup.timestamp.map { "the state of \(Self.time($0))\(drilled)" } ?? "a state of unknown age",
      loses: effect.lostNanoseconds.map { _ in
        "whatever was written since, in the last \(Age.words(since: backup.timestamp ?? now, now: now))"
      } ?? "it cannot be told what",
      tables: Self.differences(effect), command: "hrp backup restore \(backup.name)\(flags)",
      exact: "hrp backup restore \(backup.name) --dry-run\(flags)")
  }

  private static func words(of backup: BackupView) -> String {
    if !backup.isComplete { return "incomplete" }
    let at = backup.provenAt.map { " on \($0.prefix(10))" } ?? ""
    return switch backup.proof {
    case .proven: "proven by a drill\(at)"
    case .verified: "verified"
    case .unverified: "not verified"
    case .failed: "failed\(at)"
    case .unknown: "unknown"
    }
  }

  /// Only tables whose number of rows is another one than in the newest drill.
  private static func differences(_ effect: RestoreEffect) -> [PageContents.TableRow] {
    let changed = effect.tables.filter { $0.difference.map { $0 != 0 } ?? false }
    let gone = effect.missing.map { PageContents.TableRow(name: $0, rows: "0", difference: "the table is missing") }
    return changed.prefix(maximumTables).map {
      PageContents.TableRow(name: $0.name, rows: "\($0.rows)", difference: signed($0.difference ?? 0))
    } + gone.prefix(maximumTables)
  }

  private static func signed(_ number: Int64) -> String { number > 0 ? "+\(number)" : "\(number)" }

  // MARK: - The platform's blocks

  private static func check(_ check: StackReadiness.Check) -> PageContents.Check {
    let style =
      switch check.state {
      case .good, .absent: "good"
      case .unknown: "warning"
      case .failure: "critical"
      }
    return PageContents.Check(name: check.name, words: check.words, style: style)
  }

  private var system: [PageContents.Fact] {
    let percent = { (value: Double?) in value.map { "\(ByteCount.rounded($0, decimals: 1)) %" } ?? "unknown" }
    let isReady = answer.readiness.isReady
    var facts = [
      PageContents.Fact(
        name: "Ready", value: isReady ? "ready" : "not ready", style: isReady ? "good" : "critical"),
      PageContents.Fact(name: "CPU", value: percent(load.processorPercent), style: "good"),
      PageContents.Fact(name: "Memory", value: percent(load.now.memoryPercent), style: "good"),
      PageContents.Fact(name: "Disk", value: percent(view.diskPercent), style: "good"),
    ]
    if let look = answer.look {
      let holder = look.holder.map { "\(OtherProcess.name(of: $0.pid)) \($0.mayWrite ? "writes" : "reads")" }
      facts.append(PageContents.Fact(name: "In use by", value: holder ?? "nobody", style: "good"))
      if let contents = look.contents {
        facts.append(
          PageContents.Fact(
            name: "Database",
            value: "\(ByteCount.text(look.fileBytes)), checkpoint \(contents.iteration), "
              + "WAL \(ByteCount.text(contents.walBytes))", style: "good"))
      }
    }
    let scrub = answer.scrub
    let last = scrub.position.lastPass.map { "all read \(ago($0.ended)); " } ?? ""
    let progress = scrub.progress.map { "this pass has read \(Int($0 * 100)) %" } ?? "nothing read yet"
    facts.append(
      PageContents.Fact(
        name: "Blocks of the disk", value: last + progress, style: scrub.damaged.isEmpty ? "good" : "critical"))
    return facts
  }

  private var pipeline: [PageContents.Fact] {
    let health = view.pipeline(isReady: answer.readiness.isReady)
    let one = { (value: Double) in ByteCount.rounded(value, decimals: 1) }
    return [
      PageContents.Fact(
        name: "Health score", value: "\(one(health.score)) (\(health.level.rawValue))",
        style: Self.style(health.level)),
      PageContents.Fact(
        name: "Days since the last write", value: health.freshnessDays.map(one) ?? "unknown",
        style: Self.style(health.freshness)),
      PageContents.Fact(
        name: "Jobs that went well", value: health.successPercent.map { "\(one($0)) %" } ?? "none yet",
        style: Self.style(health.success)),
    ]
  }

  private static func style(_ level: PipelineHealth.Level) -> String {
    level == .unknown ? "warning" : level == .good ? "good" : level.rawValue
  }

  private static func tables(_ backup: BackupView) -> [PageContents.TableRow] {
    backup.tables.prefix(maximumTables).map { .init(name: $0.name, rows: "\($0.rows)", difference: "") }
  }

  private func tablesAsOf(_ backup: BackupView?) -> String {
    guard let backup, let at = backup.drilledAt else { return "no drill has read the tables yet" }
    return "as the drill of \(backup.name) read them \(ago(at))"
  }

  private var thresholds: [PageContents.Fact] {
    view.thresholds.all.map { threshold in
      let value = threshold.value.value
      let text = Int64(exactly: value).map { "\($0)" } ?? "\(value)"
      return PageContents.Fact(name: threshold.key, value: text, style: threshold.value.source.words)
    }
  }

  private static func job(_ job: Job) -> PageContents.JobRow {
    PageContents.JobRow(
      operation: job.operation, status: job.status.rawValue,
      style: job.status == .failed ? "critical" : job.status == .interrupted ? "warning" : "good",
      when: job.beganAt.prefix(16).split(separator: "T").joined(separator: " "), message: job.message, code: job.code,
      remedy: JobRemedy.words(for: job))
  }

  private var actions: [PageContents.Action] {
    [
      ("Make a backup", "hrp backup create"), ("Verify the newest", "hrp backup verify latest"),
      ("Prove that it restores", "hrp backup drill"), ("Keep it for ever", "hrp backup pin latest"),
    ].map { PageContents.Action(name: $0.0, command: $0.1 + flags) }
  }
}
