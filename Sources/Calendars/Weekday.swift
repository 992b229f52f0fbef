/// A day of the week; its raw value is the short name that cron uses.
package enum Weekday: String, Sendable, CaseIterable {
  case mon, tue, wed, thu, fri, sat, sun

  private static let longNames: [String: Weekday] = [
    "monday": .mon, "tuesday": .tue, "wednesday": .wed, "thursday": .thu, "friday": .fri, "saturday": .sat,
    "sunday": .sun,
  ]

  /// Reads the short or the long English name, in any case.
  package init?(named name: String) {
    let lower = name.lowercased()
    guard let day = Weekday(rawValue: lower) ?? Self.longNames[lower] else { return nil }
    self = day
  }

  /// How many days lie between Monday and this day.
  package var daysAfterMonday: Int {
    switch self {
    case .mon: 0
    case .tue: 1
    case .wed: 2
    case .thu: 3
    case .fri: 4
    case .sat: 5
    case .sun: 6
    }
  }
}
