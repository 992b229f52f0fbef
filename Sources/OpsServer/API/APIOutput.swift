internal import Advice
internal import Files
internal import Jobs
internal import Settings
internal import Store

/// What `/api/v1/backups` says of one backup.
struct BackupOutput: Encodable {
  private struct Table: Encodable {
    let name: String
    let rows: Int64
    let difference: Nullable<Int64>
  }

  private struct Restore: Encodable {
    let bringsBack: Nullable<String>
    let losesSeconds: Nullable<Int64>
    let comparedWith: Nullable<String>
    let tables: [Table]
    let missingTables: [String]
  }

  private let name: String
  private let timestamp: Nullable<String>
  private let sizeBytes: Nullable<Int64>
  private let sizeMb: Nullable<Double>
  private let sharedBytes: Int64
  private let filesCount: Nullable<Int>
  private let durationSeconds: Nullable<Double>
  private let complete: Bool
  private let includesMlflow: Bool
  private let pinned: Bool
  private let proof: String
  private let provenAt: Nullable<String>
  private let problem: Nullable<String>
  private let restore: Restore

  init(_ backup: BackupView, beside newest: BackupView?, now: Int64) {
    let words = { (timestamp: Int64) in LocalTime(nanoseconds: timestamp).iso8601WithOffset }
    let effect = RestoreEffect(of: backup, beside: newest, now: now)
    name = backup.name
    timestamp = Nullable(backup.timestamp.map(words))
    sizeBytes = Nullable(backup.sizeBytes)
    sizeMb = Nullable(backup.sizeBytes.map(ByteCount.roundedMegabytes))
    sharedBytes = backup.sharedBytes
    filesCount = Nullable(backup.filesCount)
    durationSeconds = Nullable(backup.durationSeconds)
    complete = backup.isComplete
    includesMlflow = backup.includesMLflow
    pinned = backup.isPinned
    proof = backup.proof.rawValue
    provenAt = Nullable(backup.provenAt)
    problem = Nullable(backup.problem)
    restore = Restore(
      bringsBack: Nullable(effect.timestamp.map(words)),
      losesSeconds: Nullable(effect.lostNanoseconds.map { $0 / 1_000_000_000 }),
      comparedWith: Nullable(effect.comparedWith),
      tables: effect.tables.map { Table(name: $0.name, rows: $0.rows, difference: Nullable($0.difference)) },
      missingTables: effect.missing)
  }
}

/// What `/api/v1/jobs` says of one job.
struct JobOutput: Encodable {
  private let id: Int64
  private let operation: String
  private let status: String
  private let beganAt: String
  private let endedAt: Nullable<String>
  private let code: Nullable<String>
  private let message: String
  private let remedy: Nullable<String>

  init(_ job: Job) {
    id = job.id
    operation = job.operation
    status = job.status.rawValue
    beganAt = job.beganAt
    endedAt = Nullable(job.endedAt)
    code = Nullable(job.code)
    message = job.message
    remedy = Nullable(JobRemedy.words(for: job))
  }
}

/// What `/api/v1/system` says: the three blocks of the platform's own page, and the space.
struct SystemOutput: Encodable {
  private struct Status: Encodable {
    let ready: Bool
    let cpuPercent: Nullable<Double>
    let memoryPercent: Nullable<Double>
    let diskPercent: Nullable<Double>
  }

  private struct Pipeline: Encodable {
    let score: Double
    let level: String
    let freshnessDays: Nullable<Double>
    let freshness: String
    let successPercent: Nullable<Double>
    let success: String
  }

  private struct Threshold: Encodable {
    let key: String
    let value: Double
    let source: String
  }

  private struct Space: Encodable {
    let availableBytes: Int64
    let totalBytes: Int64
    let bytesPerDay: Nullable<Int64>
    let daysLeft: Nullable<Int>
  }

  private let asOf: String
  private let system: Status
  private let pipeline: Pipeline
  private let thresholds: [Threshold]
  private let space: Nullable<Space>
  private let problems: [String]

  init(_ view: StackView, isReady: Bool, processorPercent: Double?, memoryPercent: Double?) {
    let health = view.pipeline(isReady: isReady)
    let tenth = { (value: Double) in (value * 10).rounded() / 10 }
    asOf = LocalTime(nanoseconds: view.timestamp).iso8601WithOffset
    system = Status(
      ready: isReady, cpuPercent: Nullable(processorPercent.map(tenth)),
      memoryPercent: Nullable(memoryPercent.map(tenth)), diskPercent: Nullable(view.diskPercent.map(tenth)))
    pipeline = Pipeline(
      score: tenth(health.score), level: health.level.rawValue,
      freshnessDays: Nullable(health.freshnessDays.map(tenth)),
      freshness: health.freshness.rawValue, successPercent: Nullable(health.successPercent.map(tenth)),
      success: health.success.rawValue)
    thresholds = view.thresholds.all.map {
      Threshold(key: $0.key, value: $0.value.value, source: $0.value.source.words)
    }
    space = Nullable(
      view.space.map {
        Space(
          availableBytes: $0.availableBytes, totalBytes: $0.totalBytes, bytesPerDay: Nullable($0.bytesPerDay),
          daysLeft: Nullable($0.days))
      })
    problems = view.problems
  }
}

/// What `/api/v1/status` says when the stack cannot be looked at; else it says what `hrp status --json` does.
struct UnknownStatusOutput: Encodable {
  private struct Reason: Encodable {
    let code: String
    let message: String
    let since: Nullable<String>
    let remedy: String
  }

  private let protected = false
  private let reasons: [Reason]

  private enum CodingKeys: CodingKey { case protected, reasons }

  init(_ protection: Protection) {
    reasons = protection.reasons.map {
      Reason(code: $0.code, message: $0.message, since: Nullable(nil), remedy: $0.remedy)
    }
  }
}
