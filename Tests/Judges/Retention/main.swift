import Foundation
import Retention

/// Reads cases from standard input, and writes what the plan says of each: the other half of `restic.py`.
///
/// A case is a line `case NOW last=5 within=2m …`, and then a timestamp a line. All backups are good, and have
/// databases of their own. The answer is `case`, and then for each backup the timestamp, `keep` or `delete`, and the
/// reasons.

func local(_ nanoseconds: Int64) -> LocalHour {
  var seconds = time_t(nanoseconds / 1_000_000_000)
  var parts = tm()
  localtime_r(&seconds, &parts)
  return LocalHour(
    year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday), hour: Int(parts.tm_hour))
}

func answer(_ header: String, times: [Int64]) throws {
  let fields = header.split(separator: " ").map(String.init)
  var numbers: [String: Int] = [:]
  var within: RetentionAge?
  for field in fields.dropFirst(2) {
    let pair = field.split(separator: "=").map(String.init)
    if pair[0] == "within" { within = try RetentionAge(pair[1]) } else { numbers[pair[0]] = Int(pair[1]) }
  }
  let policy = try RetentionPolicy(
    keepLast: numbers["last"], keepHourly: numbers["hourly"], keepDaily: numbers["daily"],
    keepWeekly: numbers["weekly"], keepMonthly: numbers["monthly"], keepYearly: numbers["yearly"],
    keepWithin: within, keepDays: numbers["days"])
  let backups = times.enumerated().map { number, time in
    RetentionFacts(
      name: "b\(number)", timestamp: time, timestampInName: time,
      databaseIdentity: .init(device: 1, inode: UInt64(number)))
  }
  let plan = RetentionPlan(
    of: backups, policy: policy, run: RetentionRun(now: Int64(fields[1]) ?? 0, localHour: local))
  print("case")
  for decision in plan.decisions {
    print(
      decision.timestamp ?? 0, decision.outcome.isKept ? "keep" : "delete", decision.outcome.clause, separator: "\t")
  }
}

var header: String?
var times: [Int64] = []
while let line = readLine() {
  if let time = Int64(line) {
    times.append(time)
    continue
  }
  if let header { try answer(header, times: times) }
  (header, times) = (line, [])
}
if let header { try answer(header, times: times) }
