package import Settings

/// How fresh the data is and how the jobs went, measured by the platform's own thresholds.
package struct PipelineHealth: Sendable {
  /// How bad something is.
  package enum Level: String, Sendable, Comparable {
    case good = "ok"
    case warning, critical
    case unknown

    package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
    private var rank: Int { [Level.unknown, .good, .warning, .critical].firstIndex(of: self) ?? 0 }
  }

  private static let dayNanoseconds = 86_400_000_000_000.0

  /// From 0 to 100: the mean of readiness, freshness and success of the jobs, as far as each is known.
  package let score: Double
  package let level: Level
  /// Days since the database or its WAL was written to; nil when there is none.
  package let freshnessDays: Double?
  package let freshness: Level
  /// The share of the last jobs that went well, in percent; nil when there were none.
  package let successPercent: Double?
  package let success: Level

  /// - Parameter changedAt: when the database was written to last, in nanoseconds since 1970 UTC.
  /// - Parameter outcomes: of the last jobs, whether each went well.
  package init(isReady: Bool, changedAt: Int64?, outcomes: [Bool], thresholds: AlertThresholds, now: Int64) {
    let days = changedAt.map { max(0, Double(now - $0) / Self.dayNanoseconds) }
    freshnessDays = days
    freshness = Self.level(
      days, warning: thresholds.value("freshness_warning_days"),
      critical: thresholds.value("freshness_critical_days")
    ) { $0 >= $1 }
    let percent = outcomes.isEmpty ? nil : Double(outcomes.count { $0 }) / Double(outcomes.count) * 100
    successPercent = percent
    success = Self.level(
      percent, warning: thresholds.value("ingestion_success_rate_warning"),
      critical: thresholds.value("ingestion_success_rate_critical")
    ) { $0 < $1 }
    let parts = [isReady ? 100 : 0, Self.score(of: freshness), percent].compactMap { $0 }
    score = parts.reduce(0, +) / Double(parts.count)
    level = Self.level(
      score, warning: thresholds.value("health_score_warning"), critical: thresholds.value("health_score_critical")
    ) { $0 < $1 }
  }

  private static func score(of level: Level) -> Double? {
    switch level {
    case .good: 100
    case .warning: 50
    case .critical: 0
    case .unknown: nil
    }
  }

  private static func level(
    _ value: Double?, warning: Double, critical: Double, isBeyond: (Double, Double) -> Bool
  ) -> Level {
    guard let value else { return .unknown }
    if isBeyond(value, critical) { return .critical }
    return isBeyond(value, warning) ? .warning : .good
  }
}
