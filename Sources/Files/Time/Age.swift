/// How long ago something was, for people.
package enum Age {
  /// The time between two timestamps, in nanoseconds since 1970 UTC: "3 days", "2 h", "5 min", "12 s".
  package static func words(since timestamp: Int64, now: Int64) -> String {
    let seconds = max(0, (now - timestamp) / 1_000_000_000)
    return switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) days"
    }
  }
}
