import Backup
import Testing

/// The decisions of a rotation, without a file: D1, D2 and D5.
@Suite("What stays")
struct RetentionPolicyTests {
  private static let day: Int64 = 86_400 * 1_000_000_000
  private static let now: Int64 = 1_770_000_000_000_000_000
  private let policy = RetentionPolicy(keepDays: 30, now: now)

  private func facts(
    days: Int64?, inName: Int64?? = nil, problem: String? = nil, pin: RetentionPolicy.Pin = .none,
    _ reading: RetentionPolicy.Reading = .unread
  ) -> RetentionPolicy.Facts {
    let timestamp = { (days: Int64) in Self.now - days * Self.day }
    return RetentionPolicy.Facts(
      timestamp: days.map(timestamp), timestampInName: (inName ?? days).map(timestamp), problem: problem, pin: pin,
      reading: reading)
  }

  @Test("D1: only what is older than the days goes; at the limit itself it stays")
  func age() {
    #expect(policy.decision(on: facts(days: 31)) == .delete)
    #expect(policy.decision(on: facts(days: 30)) == .young)
    #expect(policy.decision(on: facts(days: 0, pin: .pinned)) == .young)
    #expect(policy.decision(on: facts(days: nil)) == .keep(because: "nothing says how old it is"))
    #expect(
      policy.decision(on: facts(days: 40, inName: .some(nil))) == .keep(because: "its name is not one that hrp gives"))
    #expect(policy.decision(on: facts(days: 40, inName: 41)) == .delete)
    #expect(
      policy.decision(on: facts(days: 40, inName: 42))
        == .keep(because: "its name and its metadata differ by more than a day"))
  }

  @Test("D2: a good one of the newest two stays, one that was read and is not right stays to be looked at")
  func readings() {
    #expect(policy.decision(on: facts(days: 40, .good)) == .keep(because: "it is one of the newest 2 good ones"))
    #expect(
      policy.decision(on: facts(days: 40, .doubtful("its drill failed")))
        == .keepInDoubt(because: "its drill failed; look at it before you delete it"))
  }

  @Test("D5: what is pinned stays, and so does what cannot be told, before all else")
  func doubts() {
    #expect(policy.decision(on: facts(days: 40, pin: .pinned)) == .keep(because: "it is pinned"))
    #expect(
      policy.decision(on: facts(days: 40, pin: .unreadable("EIO")))
        == .keepInDoubt(because: "whether it is pinned cannot be told (EIO)"))
    #expect(
      policy.decision(on: facts(days: nil, problem: "metadata.json cannot be read"))
        == .keepInDoubt(because: "metadata.json cannot be read"))
  }
}
