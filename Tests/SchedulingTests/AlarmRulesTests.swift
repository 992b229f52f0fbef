import Scheduling
import TestKit
import Testing

/// L1 to L5.
@Suite("When people are told")
struct AlarmRulesTests {
  private static let day: Int64 = 86_400 * 1_000_000_000

  @Test("lost and back are told once each; a new stack that is protected is told to nobody (L1, L5)")
  func once() {
    var (state, alarm) = AlarmRules.decide(after: nil, subjects: [], now: 0)
    #expect(alarm == nil)
    (state, alarm) = AlarmRules.decide(after: state, subjects: ["backup"], now: 1)
    #expect(alarm == .unprotected)
    (state, alarm) = AlarmRules.decide(after: state, subjects: ["backup"], now: 2)
    #expect(alarm == nil)
    (state, alarm) = AlarmRules.decide(after: state, subjects: [], now: 3)
    #expect(alarm == .protected)
    (state, alarm) = AlarmRules.decide(after: state, subjects: [], now: 3 + 30 * Self.day)
    #expect(alarm == nil)
  }

  @Test("a new reason is told at once, one that is gone is not (L2)")
  func reasons() {
    var state: AlarmState? = AlarmState(subjects: ["backup"], toldAt: 0, lookedAt: 0)
    var alarm: Alarm?
    (state, alarm) = AlarmRules.decide(after: state, subjects: ["backup", "job"], now: 60)
    #expect(alarm == .unprotected)
    (state, alarm) = AlarmRules.decide(after: state, subjects: ["job"], now: 120)
    #expect(alarm == nil)
    (state, alarm) = AlarmRules.decide(after: state, subjects: ["backup", "job"], now: 180)
    #expect(alarm == .unprotected)
  }

  @Test("a reminder a day, also after the clock was set back (L3, L4)")
  func reminders() {
    var state: AlarmState? = AlarmState(subjects: ["job"], toldAt: 10 * Self.day, lookedAt: 10 * Self.day)
    var told: [Int64] = []
    let hours: [Int64] = Array(stride(from: 240, to: 300, by: 1)) + Array(stride(from: 100, to: 160, by: 1))
    for hour in hours {
      let (next, alarm) = AlarmRules.decide(after: state, subjects: ["job"], now: hour * Self.day / 24)
      state = next
      if let alarm {
        #expect(alarm == .reminder)
        told.append(hour)
      }
    }
    #expect(told == [264, 288, 124, 148])
  }
}
