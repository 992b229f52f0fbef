internal import Store

/// Whether a stack can be used now, as far as it can be told in milliseconds: no engine is asked, and no program that
/// has the database open is kept out.
package struct StackReadiness: Sendable {
  /// One thing that was looked at.
  package struct Check: Sendable, Equatable {
    /// What a check found.
    package enum State: Sendable, Equatable {
      case good
      /// There is none, and there need not be one.
      case absent
      /// It cannot be told: why, as a clause. Nothing is wrong as far as is known.
      case unknown(String)
      /// What is wrong.
      case failure(String)
    }

    package let name: String
    package let state: State

    package init(_ name: String, state: State) {
      self.name = name
      self.state = state
    }

    /// In the form `ok`, `none`, `unknown: …`, `error: …`.
    package var words: String {
      switch state {
      case .good: "ok"
      case .absent: "none"
      case .unknown(let why): "unknown: \(why)"
      case .failure(let why): "error: \(why)"
      }
    }

    package var isUnknown: Bool { if case .unknown = state { true } else { false } }

    package var isFailure: Bool { failure != nil }

    /// What is wrong, as a clause; nil when nothing is, as far as is known.
    package var failure: String? { if case .failure(let why) = state { why } else { nil } }
  }

  /// When it was looked at, in nanoseconds since 1970 UTC.
  package let timestamp: Int64
  /// In the order in which they are reported: `database` and `api` first.
  package let checks: [Check]

  package var isReady: Bool { !checks.contains(where: \.isFailure) }

  /// In the form `ready` or `not_ready`.
  package var status: String { isReady ? "ready" : "not_ready" }

  /// The same with a check more.
  package func adding(_ check: Check) -> StackReadiness {
    StackReadiness(timestamp: timestamp, checks: checks + [check])
  }

  package init(timestamp: Int64, checks: [Check]) {
    self.timestamp = timestamp
    self.checks = checks
  }
}
