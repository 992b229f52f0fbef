internal import ArgumentParser
internal import Backup

/// The days between which prices are read, both included.
struct PriceDays: ParsableArguments {
  @Option(
    help: ArgumentHelp("The first day, YYYY-MM-DD (default: 2020-01-01).", valueName: "day"),
    transform: PriceDays.day)
  var start: CalendarDay = .guideStart
  @Option(help: ArgumentHelp("The last day, YYYY-MM-DD (default: today).", valueName: "day"), transform: PriceDays.day)
  var end: CalendarDay?

  @Sendable private static func day(_ text: String) throws -> CalendarDay {
    guard let day = CalendarDay(text) else {
      throw ValidationError("'\(text)' is not a day in the form YYYY-MM-DD")
    }
    return day
  }
}
