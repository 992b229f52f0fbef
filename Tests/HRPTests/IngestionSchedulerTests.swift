import Foundation
import HRP
import TestKit
import Testing

@Suite("The library's scheduler")
struct IngestionSchedulerTests {
  // docs example: begin
  /// The guide's schedule, as a program has it.
  func schedule(_ data: String) throws -> IngestionScheduler {
    let scheduler = IngestionScheduler(dataDirectory: data, executable: Checkout.hrp)
    try scheduler.setupWeeklyBackup(backupTime: "02:00", dayOfWeek: "sat", keepDays: 30, includeMLflow: true)
    try scheduler.start()
    return scheduler
  }
  // docs example: end

  private func withData<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withGuideHome { home in try body(home + "/hrp-data") }
  }

  private func waitUntil(_ isTrue: () throws -> Bool) rethrows {
    let end = Date().addingTimeInterval(90)
    while try !isTrue(), Date() < end { usleep(50_000) }
  }

  @Test("it lists what was set up, with its true next run; it is replaced, paused, resumed and removed", .guide(19))
  func jobs() throws {
    try withData { data in
      let scheduler = IngestionScheduler(dataDirectory: data)
      #expect(scheduler.listJobs().isEmpty && !scheduler.running)
      #expect(try scheduler.setupWeeklyBackup() == "weekly_backup")
      #expect(scheduler.jobInfo("weekly_backup")?.trigger == "cron[day_of_week='sat', hour='2', minute='0']")
      try scheduler.setupWeeklyBackup(backupTime: "03:30", dayOfWeek: "sun")
      let job = try #require(scheduler.jobInfo("weekly_backup"))
      #expect(scheduler.listJobs() == [job] && job.name == "Weekly Backup")
      #expect(job.trigger == "cron[day_of_week='sun', hour='3', minute='30']")
      #expect(job.nextRun.wholeMatch(of: /20\d\d-\d\d-\d\d 03:30:00-0[45]:00/) != nil && job.pausedSince == nil)
      try scheduler.pauseJob("weekly_backup")
      #expect(IngestionScheduler(dataDirectory: data).listJobs().isEmpty)
      #expect(scheduler.jobInfo("weekly_backup")?.pausedSince?.hasPrefix("20") == true)
      try scheduler.resumeJob("weekly_backup")
      #expect(scheduler.jobInfo("weekly_backup")?.pausedSince == nil)
      #expect(scheduler.removeJob("weekly_backup") && !scheduler.removeJob("weekly_backup"))
      for (time, day) in [("25:00", "sat"), ("02:00", "someday")] {
        #expect(throws: BackupError.self) { try scheduler.setupWeeklyBackup(backupTime: time, dayOfWeek: day) }
      }
      #expect(throws: BackupError.self) { try scheduler.setupWeeklyBackup(keepDays: 0) }
    }
  }

  @Test("it makes the first backup at once; a second one stands by and says so; the end waits for a running job")
  func runs() throws {
    try withData { data in
      let scheduler = try schedule(data)
      waitUntil { scheduler.running }
      let notices = Notices()
      waitUntil { FileManager.default.fileExists(atPath: data + "/.hrp-scheduler.lock") }
      let second = IngestionScheduler(
        dataDirectory: data, executable: Checkout.hrp,
        events: EventStream([{ event in if case .notice(let text) = event { notices.add(text) } }]))
      try second.setupWeeklyBackup()
      try second.start()
      waitUntil { second.isStandingBy }
      #expect(
        second.isStandingBy && second.running && notices.all.contains { $0.hasPrefix("this scheduler stands by") })
      second.shutdown()
      waitUntil { ((try? listBackups(backupDirectory: data + "/backups")) ?? []).count == 1 }
      scheduler.shutdown(wait: true)
      #expect(!scheduler.running && !second.running)
      #expect(try listBackups(backupDirectory: data + "/backups").map(\.isVerified) == [true])
      let history = try run(Checkout.hrp, ["scheduler", "history", "--json", "--data-dir", data]).output
      #expect(history.contains("\"state\": \"completed\""), "\(history)")
    }
  }

  @Test("a copy goes to a second place")
  func copy() throws {
    try withData { data in
      _ = try createBackup(dataDirectory: data)
      let path = try copyBackup("latest", to: data + "/../place", beginsAnew: true, dataDirectory: data)
      #expect(verifyBackup(path, level: .structure))
    }
  }

  private final class Notices: @unchecked Sendable {
    private let lock = NSLock()
    private var texts: [String] = []
    func add(_ text: String) { lock.withLock { texts.append(text) } }
    var all: [String] { lock.withLock { texts } }
  }
}
