import Advice
import Jobs
import Settings
import TestKit
import Testing

/// When a stack counts as not protected.
@Suite("Protection")
struct ProtectionTests {
  private static let hour: Int64 = 3600 * 1_000_000_000
  private static let day = 24 * hour
  private static let now = 20_000 * day

  private func limits(_ text: String = "") -> ProtectionLimits { Settings.read(text) { _ in nil }.settings.protection }

  private func facts(backup: Int64? = 0, proof: Int64? = 0) -> ProtectionFacts {
    ProtectionFacts(
      newestBackup: backup.map { .init(name: "backup", timestamp: Self.now - $0) },
      newestProof: proof.map { .init(name: "backup", timestamp: Self.now - $0) })
  }

  private func codes(_ facts: ProtectionFacts, _ text: String = "") -> [String] {
    Protection(facts, limits: limits(text), now: Self.now).reasons.map(\.code)
  }

  @Test("a young verified backup with a young proof protects; no backup, and no proof, do not")
  func plain() {
    #expect(codes(facts()) == [])
    #expect(codes(facts(backup: nil, proof: nil)) == ["backup.none"])
    #expect(codes(facts(proof: nil)) == ["proof.none"])
  }

  @Test("a backup may be as old as the interval and a day: 8 days without a schedule, 25 hours with an hourly job")
  func age() {
    #expect(codes(facts(backup: 8 * Self.day)) == [])
    #expect(codes(facts(backup: 8 * Self.day + 1)) == ["backup.too-old"])
    var hourly = facts(backup: 25 * Self.hour)
    hourly.intervalSeconds = 3600
    #expect(codes(hourly) == [])
    hourly.newestBackup?.timestamp -= 1
    let reason = Protection(hourly, limits: limits(), now: Self.now).reasons.first
    #expect(reason?.code == "backup.too-old" && reason?.since == Self.now - 1)
    #expect(codes(facts(backup: 3 * Self.day), "status: {backup_days: 2}") == ["backup.too-old"])
    #expect(codes(facts(backup: 100 * Self.day), "status: {backup_days: 200}") == [])
  }

  @Test("a proof may be 35 days old, or what is configured")
  func proof() {
    #expect(codes(facts(proof: 35 * Self.day)) == [])
    #expect(codes(facts(proof: 35 * Self.day + 1)) == ["proof.too-old"])
    #expect(codes(facts(proof: 3 * Self.day), "status: {proof_days: 2}") == ["proof.too-old"])
  }

  @Test("a job whose last run failed, or was interrupted, is named; one that runs, or is incomplete, is not")
  func jobs() {
    let run = { (state: SlotRecord.State) in
      SlotRecord(job: "nightly", due: 1, state: state, beganAt: 2, endedAt: state == .running ? nil : 3, message: "why")
    }
    var facts = facts()
    for (state, expected) in [(SlotRecord.State.failed, ["job.failed"]), (.completed, []), (.partial, [])] {
      facts.lastRuns = [run(state)]
      #expect(codes(facts) == expected)
    }
    facts.lastRuns = [run(.running)]
    #expect(codes(facts) == ["job.interrupted"])
    facts.isJobRunning = true
    #expect(codes(facts) == [])
  }

  @Test("a size that doubled or halved is named; small growth is not", .guide(97))
  func size() {
    var facts = facts()
    for (newest, before, expected) in [
      (200 << 20, 100 << 20, []), (201 << 20, 100 << 20, ["size.grown"]), (3 << 20, 1 << 20, []),
      (50 << 20, 100 << 20, []), (49 << 20, 100 << 20, ["size.shrunk"]), (1 << 20, 3 << 20, ["size.shrunk"]),
    ] as [(Int64, Int64, [String])] {
      facts.sizes = (newest, before)
      #expect(codes(facts) == expected, "\(newest) after \(before)")
    }
    facts.sizes = (300 << 20, 100 << 20)
    #expect(codes(facts, "status: {size_factor: 4}") == [])
  }

  @Test("a service that is installed and does not run is named")
  func service() {
    var facts = facts()
    facts.isServiceIdle = true
    #expect(codes(facts) == ["service.not-running"])
  }

  @Test("what cannot be read is a reason: protection is not claimed on it")
  func unknown() {
    var facts = facts()
    facts.unreadable = ["the backup directory cannot be read"]
    #expect(codes(facts) == ["unknown"])
  }
}
