internal import Advice
internal import Backup
internal import DuckDBFile
internal import Files
internal import Stacks
internal import Store

/// What `/metrics` says of a stack.
struct StackMetrics {
  let view: StackView
  let answer: StackWatch.Answer
  /// In nanoseconds since 1970 UTC.
  let now: Int64

  private func seconds(_ timestamp: Int64?) -> Double? { timestamp.map { Double($0 / 1_000_000) / 1000 } }

  private func age(_ timestamp: Int64?) -> Double? { timestamp.map { Double(max(0, now - $0)) / 1e9 } }

  func write(to text: inout MetricsText) {
    writeProtection(to: &text)
    writeBackups(to: &text)
    writePlaces(to: &text)
    writeReadiness(to: &text)
  }

  private func writeProtection(to text: inout MetricsText) {
    text.gauge(
      "hrp_protected", help: "1 when the stack is protected, 0 when it is not or when that cannot be told.",
      value: view.protection.isProtected ? 1 : 0)
    text.begin("hrp_unprotected_reason", kind: .gauge, help: "1 for each reason why the stack is not protected.")
    for code in Set(view.protection.reasons.map(\.code)).sorted() {
      text.add("hrp_unprotected_reason", labels: ["code": code], value: 1)
    }
    text.gauge(
      "hrp_backup_rpo_breached", help: "1 when the newest verified backup is too old, or there is none.",
      value: view.protection.reasons.contains { $0.subject == "backup" } ? 1 : 0)
    text.gauge(
      "hrp_view_age_seconds", help: "How old what is said of backups and jobs is.", value: age(view.timestamp))
  }

  private func writeBackups(to text: inout MetricsText) {
    let newest = view.newestBackup
    text.gauge(
      "hrp_backup_last_success_timestamp_seconds", help: "When the newest complete backup was made.",
      value: seconds(newest?.timestamp))
    text.gauge(
      "hrp_backup_last_verified_timestamp_seconds", help: "When the newest verified backup was made.",
      value: seconds(view.status?.facts.newestBackup?.timestamp))
    text.gauge(
      "hrp_backup_last_drill_timestamp_seconds", help: "When the newest drill that passed was made.",
      value: seconds(view.status?.facts.newestProof?.timestamp))
    text.gauge("hrp_backup_age_seconds", help: "How old the newest complete backup is.", value: age(newest?.timestamp))
    text.gauge(
      "hrp_backup_size_bytes", help: "The size of the newest complete backup.",
      value: newest?.sizeBytes.map { Double($0) })
    text.gauge(
      "hrp_backup_duration_seconds", help: "How long making the newest complete backup took.",
      value: newest?.durationSeconds)
    text.gauge("hrp_backups", help: "Backups in the backup directory.", value: Double(view.backups.count))
    let failures = "hrp_backup_failures_total"
    text.begin(failures, kind: .counter, help: "Operations that failed, of those that the catalogue remembers.")
    for operation in [
      "backup create", "backup verify", "backup drill", "backup rotate", "backup copy", "backup restore",
    ] {
      text.add(failures, labels: ["operation": operation], value: Double(view.failures[operation] ?? 0))
    }
    text.gauge(
      "hrp_backup_next_run_timestamp_seconds", help: "When the next job is due.",
      value: seconds(view.status?.nextRuns.map(\.at).min()))
    text.gauge(
      "hrp_scheduler_running", help: "1 while a scheduler runs for the stack.",
      value: view.status?.hasScheduler.map { $0 ? 1 : 0 })
    text.gauge(
      "hrp_backup_free_bytes", help: "Free space of the backup directory.",
      value: view.space.map { Double($0.availableBytes) })
    text.gauge(
      "hrp_trash_backups", help: "Deleted backups that can be brought back.", value: view.trashCount.map { Double($0) })
    text.gauge(
      "hrp_trash_bytes", help: "Space that comes free when the trash is emptied.",
      value: view.trashBytes.map { Double($0) })
  }

  private func writePlaces(to text: inout MetricsText) {
    guard let places = view.status?.places, !places.isEmpty else { return }
    text.begin("hrp_place_ok", kind: .gauge, help: "1 when the copies in a second place are as they should be.")
    for place in places {
      text.add("hrp_place_ok", labels: ["place": place.name], value: place.problem == nil ? 1 : 0)
    }
    let name = "hrp_place_newest_copy_timestamp_seconds"
    text.begin(name, kind: .gauge, help: "When the backup was made that is the newest copy in a second place.")
    for place in places {
      guard let copy = seconds(place.newestCopy?.timestamp) else { continue }
      text.add(name, labels: ["place": place.name], value: copy)
    }
  }

  private func writeReadiness(to text: inout MetricsText) {
    text.gauge("hrp_ready", help: "1 when the stack can be used.", value: answer.readiness.isReady ? 1 : 0)
    text.begin("hrp_check_ok", kind: .gauge, help: "0 for each check of readiness that failed.")
    for check in answer.readiness.checks {
      text.add("hrp_check_ok", labels: ["check": check.name], value: check.isFailure ? 0 : 1)
    }
    text.gauge(
      "hrp_database_bytes", help: "The size of the database.", value: answer.look.map { Double($0.fileBytes) })
    text.gauge(
      "hrp_wal_bytes", help: "Bytes of the WAL that are not in the database yet.",
      value: answer.look?.contents.map { Double($0.walBytes) })
    text.gauge(
      "hrp_scrub_progress_ratio", help: "The share of the blocks that this pass has read.",
      value: answer.scrub.progress ?? 0)
    text.gauge(
      "hrp_scrub_last_pass_timestamp_seconds", help: "When all blocks had been read last.",
      value: seconds(answer.scrub.position.lastPass?.ended))
    text.gauge(
      "hrp_damaged_blocks", help: "Blocks in use whose checksums do not match.",
      value: Double(answer.scrub.damaged.count))
  }
}
