import Calendars
import Testing

/// The small values that a schedule is made of.
@Suite("Values of a schedule")
struct ValueTests {
  @Test(
    "a time of day is read from hours and minutes",
    arguments: [
      ("2:00", 2, 0), ("02:00", 2, 0), ("23:59", 23, 59), ("0:00", 0, 0), ("00:01", 0, 1), ("2:5", 2, 5),
    ])
  func times(text: String, hour: Int, minute: Int) throws {
    #expect(try TimeOfDay(parsing: text) == TimeOfDay(hour: hour, minute: minute))
  }

  @Test(
    "what is no time of day is refused in these words",
    arguments: [
      ("", "backup_time must be in HH:MM format, got ''"), ("2", "backup_time must be in HH:MM format, got '2'"),
      ("2:0:0", "backup_time must be in HH:MM format, got '2:0:0'"),
      ("02:00am", "backup_time contains non-numeric values: '02:00am'"),
      (" 02:00", "backup_time contains non-numeric values: ' 02:00'"),
      ("02:00 ", "backup_time contains non-numeric values: '02:00 '"),
      ("+2:00", "backup_time contains non-numeric values: '+2:00'"),
      ("-0:00", "backup_time contains non-numeric values: '-0:00'"),
      ("--1:00", "backup_time contains non-numeric values: '--1:00'"),
      (":", "backup_time contains non-numeric values: ':'"), ("2:", "backup_time contains non-numeric values: '2:'"),
      ("１:00", "backup_time contains non-numeric values: '１:00'"),
      ("２:００", "backup_time contains non-numeric values: '２:００'"),
      ("２：００", "backup_time must be in HH:MM format, got '２：００'"),
      ("-1:00", "Hour must be 0-23, got -1 in '-1:00'"), ("24:00", "Hour must be 0-23, got 24 in '24:00'"),
      ("024:61", "Hour must be 0-23, got 24 in '024:61'"),
      ("99999999999999999999:00", "Hour must be 0-23, got 99999999999999999999 in '99999999999999999999:00'"),
      ("02:60", "Minute must be 0-59, got 60 in '02:60'"), ("02:-5", "Minute must be 0-59, got -5 in '02:-5'"),
      ("2:0\u{301}", "backup_time contains non-numeric values: '2:0\u{301}'"),
    ])
  func badTimes(text: String, message: String) {
    let error = #expect(throws: UnusableTime.self) { try TimeOfDay(parsing: text) }
    #expect(error?.message == message)
  }

  @Test("an hour or a minute that does not exist makes no time of day")
  func impossibleTimes() {
    #expect(TimeOfDay(hour: 24, minute: 0) == nil)
    #expect(TimeOfDay(hour: -1, minute: 0) == nil)
    #expect(TimeOfDay(hour: 0, minute: 60) == nil)
  }

  @Test("a weekday is read by its short and its long name, in any case")
  func weekdays() {
    #expect(Weekday(named: "sat") == .sat)
    #expect(Weekday(named: "Saturday") == .sat)
    #expect(Weekday(named: "MON") == .mon)
    for text in ["", "sa", "satur", " sat", "sat ", "6", "samstag", "saturdays"] {
      #expect(Weekday(named: text) == nil)
    }
    #expect(Weekday.allCases.map(\.daysAfterMonday) == Array(0...6))
  }

  @Test("a rule with a minute or a day that does not exist is refused")
  func rules() throws {
    let zone = try Zone("UTC")
    for minute in [-1, 60] {
      let error = #expect(throws: UnusableRule.self) { try Schedule(.hourly(minute: minute), in: zone) }
      #expect(error?.message == "Minute must be 0-59, got \(minute)")
    }
    for day in [-1, 0, 32] {
      let error = #expect(throws: UnusableRule.self) { try Schedule(.monthly(day: day, .standard), in: zone) }
      #expect(error?.message == "Day must be 1-31, got \(day)")
    }
  }

  @Test("a rule has the text of an APScheduler trigger, and the seconds between its slots")
  func triggers() throws {
    let time = try Instants.time("02:05")
    #expect(Rule.standard.triggerText == "cron[day_of_week='sat', hour='2', minute='0']")
    #expect(Rule.daily(time).triggerText == "cron[hour='2', minute='5']")
    #expect(Rule.hourly(minute: 0).triggerText == "cron[minute='0']")
    #expect(Rule.monthly(day: 31, time).triggerText == "cron[day='31', hour='2', minute='5']")
    let rules = [Rule.hourly(minute: 0), .daily(time), .standard, .monthly(day: 1, time)]
    #expect(rules.map(\.nominalSeconds) == [3600, 86_400, 604_800, 2_678_400])
  }

  @Test("a date and its parts are the same day, from year 1 to 9999")
  func days() throws {
    for number in stride(from: Int64(-719_162), through: 2_932_896, by: 97) {
      let day = CivilDay(number: number)
      let parts = day.parts
      #expect(CivilDay(year: parts.year, month: parts.month, day: parts.day) == day)
    }
    #expect(CivilDay(year: 1970, month: 1, day: 1)?.number == 0)
    #expect(CivilDay(year: 2026, month: 11, day: 28)?.daysAfterMonday == 5)
    #expect(CivilDay(year: 2027, month: 2, day: 29) == nil)
    #expect(CivilDay(year: 10_000, month: 1, day: 1) == nil)
    #expect(CivilDay(year: 2027, month: 13, day: 1) == nil)
  }
}
