import Calendars
import Foundation

// Answers the questions of `oracle.py`, one JSON object a line.

struct Question: Decodable {
  var zone: String
  var kind: String
  var minute: Int?
  var hour: Int?
  var day: Int?
  var weekday: String?
  /// The path of a TZif file.
  var file: String?
  var instant: Int64
  var through: Int64
}

struct Answer: Encodable {
  var problem: String?
  var next: Int64?
  var latest: Int64?
  var count: Int?
  var trigger: String?
  var clock: String?
  /// Pairs of a second and the offset that begins there.
  var offsets: [[Int64]]?
  /// Where a file first differs from Foundation.
  var difference: Int64?
}

struct Unusable: Error {}

func rule(of question: Question) throws -> Rule {
  let minute = question.minute ?? 0
  if question.kind == "hourly" { return .hourly(minute: minute) }
  guard let time = TimeOfDay(hour: question.hour ?? 0, minute: minute) else { throw Unusable() }
  switch question.kind {
  case "daily": return .daily(time)
  case "weekly":
    guard let day = Weekday(named: question.weekday ?? "") else { throw Unusable() }
    return .weekly(day, time)
  case "monthly": return .monthly(day: question.day ?? 1, time)
  default: throw Unusable()
  }
}

/// The offsets from one instant to another, looked at every three days and then halved down.
func offsets(from first: Int64, through last: Int64, offsetAt: (Int64) -> Int) -> [[Int64]] {
  let billion: Int64 = 1_000_000_000
  func offset(_ second: Int64) -> Int64 { Int64(offsetAt(second * billion)) }
  var (second, known) = (first / billion, offset(first / billion))
  var table = [[second, known]]
  while second < last / billion {
    let ahead = second + 3 * 86_400
    if offset(ahead) != known {
      var (low, high) = (second, ahead)
      while high - low > 1 {
        let middle = (low + high) / 2
        if offset(middle) == known { low = middle } else { high = middle }
      }
      known = offset(high)
      table.append([high, known])
    }
    second = ahead
  }
  return table
}

func answer(_ question: Question) throws -> Answer {
  let zone = try Zone(question.zone)
  if question.kind == "offsets" {
    return Answer(
      offsets: offsets(from: question.instant, through: question.through, offsetAt: zone.offsetSeconds(at:)))
  }
  if question.kind == "rules" {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: question.file ?? "")))
    let rules = try ZoneRules(parsing: bytes)
    let difference = rules.firstDifference(from: zone, startingAt: question.instant, years: 46)
    return Answer(
      offsets: offsets(from: question.instant, through: question.through, offsetAt: rules.offsetSeconds(at:)),
      difference: difference)
  }
  let schedule = try Schedule(try rule(of: question), in: zone)
  return Answer(
    next: schedule.next(after: question.instant), latest: schedule.latest(atOrBefore: question.instant),
    count: schedule.count(after: question.instant, through: question.through), trigger: schedule.rule.triggerText,
    clock: zone.clock(at: schedule.next(after: question.instant)).description)
}

let (decoder, encoder) = (JSONDecoder(), JSONEncoder())
while let line = readLine() {
  let reply: Answer
  do {
    reply = try answer(try decoder.decode(Question.self, from: Data(line.utf8)))
  } catch {
    reply = Answer(problem: "\(error)")
  }
  print(String(decoding: try encoder.encode(reply), as: UTF8.self))
}
