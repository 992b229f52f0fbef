/// Reads a POSIX TZ string with the extensions of RFC 9636, such as `EST5EDT,M3.2.0,M11.1.0`.
struct YearlyRulesReader {
  private var rest: ArraySlice<UInt8>

  private static let malformed = MalformedZoneFile(reason: "its footer is no rule")
  /// The time of a turn when the rule names none.
  private static let standardTurnSeconds: Int64 = 7200

  init(_ text: ArraySlice<UInt8>) { rest = text }

  mutating func rules() throws(MalformedZoneFile) -> YearlyRules {
    try skipName()
    let standard = -(try takeTime(hoursThrough: 24))
    guard !rest.isEmpty else { return YearlyRules(standardSeconds: standard, summer: nil) }
    try skipName()
    let isHourAhead = rest.first == UInt8(ascii: ",")
    let summer = isHourAhead ? standard + 3600 : -(try takeTime(hoursThrough: 24))
    let (start, end) = (try takeTurn(), try takeTurn())
    guard rest.isEmpty else { throw Self.malformed }
    return YearlyRules(
      standardSeconds: standard, summer: YearlyRules.Summer(offsetSeconds: summer, start: start, end: end))
  }

  /// A name is three letters or more, or anything of that length in angle brackets.
  private mutating func skipName() throws(MalformedZoneFile) {
    let isBracketed = skip("<")
    let name = rest.prefix { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"): isBracketed
      default: false
      }
    }
    rest = rest.dropFirst(name.count)
    guard name.count >= 3, !isBracketed || skip(">") else { throw Self.malformed }
  }

  /// `,M3.2.0/2`: a day, and the time after a slash.
  private mutating func takeTurn() throws(MalformedZoneFile) -> YearlyRules.Turn {
    guard skip(",") else { throw Self.malformed }
    let day = try takeDay()
    let seconds = skip("/") ? try takeTime(hoursThrough: 167) : Self.standardTurnSeconds
    return YearlyRules.Turn(day: day, seconds: seconds)
  }

  private mutating func takeDay() throws(MalformedZoneFile) -> YearlyRules.Day {
    if skip("J") { return .withoutLeapDay(try takeNumber(in: 1...365)) }
    guard skip("M") else { return .withLeapDay(try takeNumber(in: 0...365)) }
    let month = try takeNumber(in: 1...12)
    guard skip(".") else { throw Self.malformed }
    let week = try takeNumber(in: 1...5)
    guard skip(".") else { throw Self.malformed }
    return .weekday(try takeNumber(in: 0...6), week: week, month: month)
  }

  /// `-5:30:00` in seconds; minutes and seconds may be left out.
  private mutating func takeTime(hoursThrough limit: Int) throws(MalformedZoneFile) -> Int64 {
    let isNegative = skip("-")
    if !isNegative { _ = skip("+") }
    var seconds = try takeNumber(in: 0...limit) * 3600
    if skip(":") {
      seconds += try takeNumber(in: 0...59) * 60
      if skip(":") { seconds += try takeNumber(in: 0...59) }
    }
    return Int64(isNegative ? -seconds : seconds)
  }

  private mutating func takeNumber(in range: ClosedRange<Int>) throws(MalformedZoneFile) -> Int {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard (1...3).contains(digits.count) else { throw Self.malformed }
    let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    guard range.contains(number) else { throw Self.malformed }
    rest = rest.dropFirst(digits.count)
    return number
  }

  /// Whether the next character is this one, which is then taken.
  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }
}
