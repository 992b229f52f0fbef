/// The thresholds of the research platform's alerts, as its own `config/thresholds.yaml` has them.
///
/// Variables win: `HRP_THRESHOLD_FRESHNESS_WARNING_DAYS=2`.
package struct AlertThresholds: Sendable {
  /// One threshold.
  package struct Threshold: Sendable {
    /// Its key in the file.
    package let key: String
    package let value: Setting<Double>
  }

  /// The keys in the platform's order, with its defaults.
  private static let standard: [(key: String, value: Double)] = [
    ("health_score_warning", 90), ("health_score_critical", 70), ("freshness_warning_days", 3),
    ("freshness_critical_days", 5), ("anomaly_count_warning", 50), ("anomaly_count_critical", 100),
    ("kl_divergence_threshold", 0.2), ("psi_threshold", 0.2), ("ic_decay_threshold", 0.2),
    ("ingestion_success_rate_warning", 95), ("ingestion_success_rate_critical", 80),
  ]

  package let all: [Threshold]
  /// What is wrong with the file or a variable, each as a sentence; the default holds there.
  package let problems: [String]

  /// - Parameter text: the file; nil when there is none.
  package init(_ text: String?, environment: (String) -> String?) {
    var problems: [String] = []
    var root: SettingsNode?
    do throws(SettingsProblem) {
      root = try text.flatMap { text throws(SettingsProblem) in try SettingsNode.parse(text) }
    } catch {
      problems.append("config/thresholds.yaml: \(error.message)")
    }
    let map = SettingsMap(root) { problem in
      problems.append("config/thresholds.yaml\(problem.line.map { ", line \($0)" } ?? ""): \(problem.message)")
    }
    all = Self.standard.map { key, standard in
      let name = "HRP_THRESHOLD_\(key.uppercased())"
      let written = map.value(key, allowed: "a number", read: Self.number)
      var variable: (name: String, value: Double)?
      if let text = environment(name) {
        variable = Self.number(text).map { (name, $0) }
        if variable == nil { problems.append("\(name) is '\(text)', which is not a number") }
      }
      return Threshold(key: key, value: .first(environment: variable, file: written, standard: standard))
    }
    self.problems = problems
  }

  /// The value of a key that there is.
  package func value(_ key: String) -> Double { all.first { $0.key == key }?.value.value ?? .infinity }

  private static func number(_ text: String) -> Double? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else {
      return nil
    }
    return Double(text)
  }
}
