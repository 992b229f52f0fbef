import Files
import Foundation
import OpsServer
import Settings
import TestKit
import Testing

/// What is shown of a stack.
@Suite("The page and the metrics")
struct ViewTests {
  private static let day: Int64 = 86_400_000_000_000
  private static let now: Int64 = 1_770_000_000_000_000_000

  private func backup(
    _ name: String, daysAgo: Int64, size: Int64 = 100, shared: Int64 = 0, proof: BackupView.ProofState = .verified,
    tables: [(String, Int64)] = []
  ) -> BackupView {
    BackupView(
      name: name, timestamp: Self.now - daysAgo * Self.day, sizeBytes: size, sharedBytes: shared, durationSeconds: 2,
      proof: proof, drilledAt: tables.isEmpty ? nil : Self.now,
      tables: tables.map { BackupView.TableRows(name: $0.0, rows: $0.1) })
  }

  @Test("a bar is as high as its backup is large beside the others, and stands where its day is")
  func timeline() {
    let timeline = Timeline([
      backup("c", daysAgo: 0, size: 100, proof: .proven), backup("b", daysAgo: 5, size: 50, proof: .failed),
      backup("a", daysAgo: 10, size: 25),
    ])
    #expect(timeline.bars.map(\.style) == ["verified", "failed", "proven"])
    let heights = timeline.bars.map(\.height)
    #expect(abs(heights[1] / heights[2] - 0.5) < 0.01 && abs(heights[0] / heights[2] - 0.25) < 0.01)
    let places = timeline.bars.map(\.x)
    #expect(abs((places[1] - places[0]) - (places[2] - places[1])) < 0.2)
    #expect(timeline.summary.contains("3 backups, from a to c. 1 proven by a drill, 1 failed."))
    #expect(timeline.bars.allSatisfy { $0.x >= 0 && $0.x + $0.width <= Timeline.width && $0.y >= 0 })
    #expect(Timeline([]).bars.isEmpty && Timeline([]).summary == "There is no backup yet.")
  }

  @Test("the forecast divides what is free by what new backups took a day; what is shared takes nothing")
  func forecast() {
    let backups = (0..<10).map { backup("b\($0)", daysAgo: Int64($0), size: 1000, shared: 400) }
    let forecast = SpaceForecast(availableBytes: 60_000, totalBytes: 100_000, backups: backups, now: Self.now)
    #expect(forecast.bytesPerDay == 600 && forecast.days == 100)
    let few = SpaceForecast(availableBytes: 1, totalBytes: 1, backups: Array(backups.prefix(2)), now: Self.now)
    #expect(few.bytesPerDay == nil && few.days == nil)
    let free = SpaceForecast(
      availableBytes: 1, totalBytes: 1, backups: (0..<5).map { backup("b", daysAgo: $0, size: 5, shared: 5) },
      now: Self.now)
    #expect(free.bytesPerDay == 0 && free.days == nil)
  }

  @Test("the pipeline is measured by the thresholds: beyond critical, beyond warning, good")
  func pipeline() {
    let thresholds = AlertThresholds(nil) { _ in nil }
    let health = { (isReady: Bool, days: Int64, good: Int) in
      PipelineHealth(
        isReady: isReady, changedAt: Self.now - days * Self.day,
        outcomes: Array(repeating: true, count: good) + Array(repeating: false, count: 10 - good),
        thresholds: thresholds, now: Self.now)
    }
    let best = health(true, 0, 10)
    #expect(best.score == 100 && best.level == .good && best.freshness == .good && best.success == .good)
    let worst = health(false, 6, 7)
    #expect(worst.freshness == .critical && worst.success == .critical && worst.level == .critical)
    #expect(abs(worst.score - 70.0 / 3) < 0.01)
    let middle = health(true, 4, 9)
    #expect(middle.freshness == .warning && middle.success == .warning && middle.level == .warning)
    let nothing = PipelineHealth(isReady: true, changedAt: nil, outcomes: [], thresholds: thresholds, now: Self.now)
    #expect(nothing.freshness == .unknown && nothing.success == .unknown && nothing.score == 100)
  }

  @Test("a restore brings back a state and loses what came after; tables are compared with the newest drill")
  func effect() {
    let newest = backup("new", daysAgo: 0, tables: [("prices", 120), ("features", 7)])
    let old = backup("old", daysAgo: 2, tables: [("prices", 100), ("gone", 5)])
    let effect = RestoreEffect(of: old, beside: newest, now: Self.now)
    #expect(effect.lostNanoseconds == 2 * Self.day && effect.comparedWith == "new")
    #expect(effect.tables.map(\.difference) == [-20, 5] && effect.missing == ["features"])
    let plain = RestoreEffect(of: backup("plain", daysAgo: 1), beside: newest, now: Self.now)
    #expect(plain.tables.isEmpty && plain.missing.isEmpty && plain.comparedWith == nil)
  }

  @Test("metrics are written as Prometheus reads them, and labels are escaped")
  func metrics() {
    var text = MetricsText()
    text.begin("a_total", kind: .counter, help: "What it is.")
    text.add("a_total", labels: ["name": "a \"b\" \\ \n"], value: 3)
    text.gauge("b_ratio", help: "Of it.", value: 0.25)
    text.gauge("c", help: "Nothing.", value: nil)
    #expect(
      text.text == """
        # HELP a_total What it is.
        # TYPE a_total counter
        a_total{name="a \\"b\\" \\\\ \\n"} 3
        # HELP b_ratio Of it.
        # TYPE b_ratio gauge
        b_ratio 0.25

        """)
  }

  @Test("a histogram counts each request in every bucket that it fits")
  func histogram() {
    let metrics = RequestMetrics()
    metrics.note(method: "GET", endpoint: "/health", status: 200, seconds: 0.003)
    metrics.note(method: "GET", endpoint: "/health", status: 200, seconds: 0.2)
    metrics.note(method: "other", endpoint: "other", status: 404, seconds: 20)
    var text = MetricsText()
    metrics.write(to: &text)
    for line in [
      #"hrp_http_requests_total{method="GET",endpoint="/health",status="200"} 2"#,
      #"hrp_http_request_duration_seconds_bucket{method="GET",endpoint="/health",le="0.005"} 1"#,
      #"hrp_http_request_duration_seconds_bucket{method="GET",endpoint="/health",le="0.25"} 2"#,
      #"hrp_http_request_duration_seconds_bucket{method="other",endpoint="other",le="10.0"} 0"#,
      #"hrp_http_request_duration_seconds_bucket{method="other",endpoint="other",le="+Inf"} 1"#,
      #"hrp_http_request_duration_seconds_count{method="GET",endpoint="/health"} 2"#,
    ] {
      #expect(text.text.contains(line + "\n"), "\(line)")
    }
  }

  @Test("keys of an answer stay in their order, and texts in it are JSON")
  func ordered() throws {
    var inner = OrderedJSON()
    try inner.add("database", value: "error: \"x\"\n")
    try inner.add("api", value: "ok")
    var json = OrderedJSON()
    try json.add("status", value: "ready")
    try json.add("checks", value: inner)
    #expect(json.text == #"{"status":"ready","checks":{"database":"error: \"x\"\n","api":"ok"}}"#)
  }

  @Test("the page needs nothing from elsewhere: no script or style in it, no address outside")
  func assets() throws {
    let assets = try Assets()
    #expect(!assets.style.contains("url(") && !assets.style.contains("@import"))
    #expect(!assets.script.contains("http") && !assets.documentation.contains("<script"))
  }
}
