internal import Advice
internal import Backup
internal import DuckDBFile
internal import Files
internal import Store

/// The bodies of `/health` and `/ready`.
enum ReadyAnswer {
  private struct Holder: Encodable {
    let pid: Int32
    let program: Nullable<String>
    let mayWrite: Bool
  }

  private struct Database: Encodable {
    let sizeBytes: Int64
    let encrypted: Bool
    let iteration: Nullable<UInt64>
    let blocksInUse: Nullable<Int>
    let walBytes: Nullable<Int64>
    let walCommits: Nullable<Int>
    let holder: Nullable<Holder>

    init(_ look: LiveLook) {
      sizeBytes = look.fileBytes
      encrypted = look.contents == nil
      iteration = Nullable(look.contents?.iteration)
      blocksInUse = Nullable(look.contents?.blocksInUse)
      walBytes = Nullable(look.contents?.walBytes)
      walCommits = Nullable(look.contents?.walCommits)
      holder = Nullable(
        look.holder.map {
          Holder(pid: $0.pid, program: Nullable(OtherProcess.program(of: $0.pid)), mayWrite: $0.mayWrite)
        })
    }
  }

  private struct Scrub: Encodable {
    let progress: Nullable<Double>
    let blocksRead: Int
    let began: Nullable<String>
    let ageSeconds: Nullable<Int64>
    let lastFullPass: Nullable<String>
    let lastFullPassAgeSeconds: Nullable<Int64>
    let damagedBlocks: [Int]

    init(_ scrub: ScrubView, now: Int64) {
      let age = { (timestamp: Int64) in max(0, now - timestamp) / 1_000_000_000 }
      progress = Nullable(scrub.progress.map { ($0 * 1000).rounded() / 1000 })
      blocksRead = scrub.position.blocks
      began = Nullable(scrub.position.began.map(Self.words))
      ageSeconds = Nullable(scrub.position.began.map(age))
      lastFullPass = Nullable(scrub.position.lastPass.map { Self.words($0.ended) })
      lastFullPassAgeSeconds = Nullable(scrub.position.lastPass.map { age($0.ended) })
      damagedBlocks = scrub.damaged
    }

    private static func words(_ timestamp: Int64) -> String { LocalTime(nanoseconds: timestamp).iso8601WithOffset }
  }

  private struct Past: Encodable {
    let backup: String
    let at: String
    let ageSeconds: Int64

    init(_ name: String, at timestamp: Int64, now: Int64) {
      backup = name
      at = LocalTime(nanoseconds: timestamp).iso8601WithOffset
      ageSeconds = max(0, now - timestamp) / 1_000_000_000
    }
  }

  private struct Table: Encodable {
    let name: String
    let rows: Int64
  }

  private struct Tables: Encodable {
    let asOf: Past
    let tables: [Table]
  }

  /// `{"status":"ok","timestamp":"…"}`; the timestamp is the guide's: local, without an offset.
  static func health(at now: Int64) throws -> String {
    var json = OrderedJSON()
    try json.add("status", value: "ok")
    try json.add("timestamp", value: LocalTime(nanoseconds: now).iso8601)
    return json.text
  }

  /// What `/ready` says.
  static func ready(_ answer: StackWatch.Answer, view: StackView, now: Int64) throws -> String {
    var checks = OrderedJSON()
    for check in answer.readiness.checks { try checks.add(check.name, value: check.words) }
    var json = OrderedJSON()
    try json.add("status", value: answer.readiness.status)
    try json.add("timestamp", value: LocalTime(nanoseconds: answer.readiness.timestamp).iso8601)
    try json.add("checks", value: checks)
    try json.add("database", value: Nullable(answer.look.map { Database($0) }))
    try json.add("scrub", value: Scrub(answer.scrub, now: now))
    try json.add("protected", value: view.protection.isProtected)
    let verified = view.status?.facts.newestBackup.map { Past($0.name, at: $0.timestamp, now: now) }
    let drill = view.status?.facts.newestProof.map { Past($0.name, at: $0.timestamp, now: now) }
    try json.add("last_verified_backup", value: Nullable(verified))
    try json.add("last_drill", value: Nullable(drill))
    let tables = view.newestDrilled.flatMap { backup in
      backup.drilledAt.map { at in
        Tables(
          asOf: Past(backup.name, at: at, now: now),
          tables: backup.tables.map { Table(name: $0.name, rows: $0.rows) })
      }
    }
    try json.add("tables", value: Nullable(tables))
    return json.text
  }
}
