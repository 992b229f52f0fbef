import Calendars
import Testing

@Suite("Ten simulated years")
struct SimulatedYearsTests {
  @Test(
    "Z1, Z2: of sleep, crashes, failures and clock jumps: no slot is missed without being caught up, none is doubled",
    arguments: [1, 2, 3] as [UInt64])
  func tenYears(seed: UInt64) throws {
    let time = TimeOfDay.standard
    let rules: [Rule] = [.weekly(.sat, time), .daily(time), .hourly(minute: 0), .monthly(day: 31, time)]
    for (rule, zone) in zip(rules, ["America/New_York", "Australia/Lord_Howe", "Europe/Berlin", "Asia/Kathmandu"]) {
      var years = SimulatedYears(try Schedule(rule, in: Zone(zone)), seed: seed)
      years.run()
      let figures = years.figures
      print("\(zone) \(rule.triggerText) seed \(seed): \(figures)")
      #expect(figures.missed == 0 && figures.doubled == 0)
      #expect(figures.sleeps > 10 && figures.killed > 1 && figures.failed > 1 && figures.jumps > 1, "it happened")
      #expect(figures.caughtUp > 1)
      #expect(figures.alarms == figures.gaps && figures.wrongAlarms == 0 && figures.gaps > 1, "one alarm for each gap")
    }
  }
}
