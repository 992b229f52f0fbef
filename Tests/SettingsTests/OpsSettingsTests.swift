import Settings
import Testing

/// The group `ops`, and the platform's thresholds.
@Suite("Ops settings")
struct OpsSettingsTests {
  private func read(_ text: String, _ environment: [String: String] = [:]) -> (
    ops: OpsSettings, problems: [SettingsProblem], warnings: [String]
  ) {
    let (settings, problems) = Settings.read(text, variables: Array(environment.keys)) { environment[$0] }
    return (settings.ops, problems, settings.warnings)
  }

  @Test("it listens on this machine only, on 8080, and has no actions unless something says otherwise")
  func standard() {
    let ops = read("").ops
    #expect(ops.host == Setting("127.0.0.1", from: .standard) && ops.port == Setting(8080, from: .standard))
    #expect(ops.token == nil && ops.allowedHosts.value.isEmpty)
  }

  @Test("the environment wins over the file; a mistake in a variable is a warning")
  func sources() {
    let text = "ops:\n  host: lab.local\n  port: 9000\n  allowed_hosts: [A.example, b.example]\n  token_file: tok\n"
    let (ops, problems, _) = read(text)
    #expect(problems.isEmpty && ops.host == Setting("lab.local", from: .file(line: 2)))
    #expect(ops.port == Setting(9000, from: .file(line: 3)))
    #expect(ops.allowedHosts.value == ["a.example", "b.example"])
    #expect(ops.token == Setting(.file("tok"), from: .file(line: 5)))
    let named = read(text, ["HRP_OPS_HOST": "::1", "HRP_OPS_PORT": "70000", "HRP_OPS_TOKEN": "x"])
    #expect(named.ops.host == Setting("::1", from: .environment("HRP_OPS_HOST")))
    #expect(named.ops.port.value == 9000 && named.warnings.count == 1)
    #expect(named.ops.token == Setting(.environment("HRP_OPS_TOKEN"), from: .environment("HRP_OPS_TOKEN")))
  }

  @Test("mistakes in the file are found", arguments: ["port: x", "host: 'a b'", "ports: 1", "allowed_hosts: ['a/b']"])
  func mistakes(line: String) { #expect(read("ops:\n  \(line)\n").problems.count == 1) }

  @Test("thresholds come from a variable, the platform's file, or its defaults; a mistake is said and changes nothing")
  func thresholds() {
    let thresholds = AlertThresholds("freshness_warning_days: 2\nhealth_score_critical: many\n") { name in
      name == "HRP_THRESHOLD_PSI_THRESHOLD" ? "0.5" : nil
    }
    #expect(thresholds.all.count == 11)
    #expect(thresholds.value("freshness_warning_days") == 2 && thresholds.value("psi_threshold") == 0.5)
    #expect(thresholds.value("health_score_critical") == 70 && thresholds.problems.count == 1)
    #expect(AlertThresholds(": [", environment: { _ in nil }).problems.count == 1)
  }
}
