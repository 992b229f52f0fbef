internal import Files

/// The answers of `/health` and `/ready` as they stand in the report of a restore.
struct ReadinessRecord: Encodable, Sendable {
  private struct Health: Encodable {
    let status = "ok"

    private enum CodingKeys: CodingKey { case status }
  }

  private struct Ready: Encodable {
    let status: String
    let timestamp: String
    let checks: [String: String]
  }

  private let health = Health()
  private let ready: Ready

  private enum CodingKeys: CodingKey { case health, ready }

  init(_ readiness: StackReadiness) {
    ready = Ready(
      status: readiness.status, timestamp: LocalTime(nanoseconds: readiness.timestamp).iso8601,
      checks: Dictionary(readiness.checks.map { ($0.name, $0.words) }) { first, _ in first })
  }
}
