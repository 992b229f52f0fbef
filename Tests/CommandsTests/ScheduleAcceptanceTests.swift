import Foundation
import TestKit
import Testing

/// A day in the life of a scheduler, against a live stack: a failure, retries, a success, and who was told.
@Suite("A scheduler beside a live stack")
struct ScheduleAcceptanceTests {
  @Test("through a failure, a retry and a success: pings, webhook, history and status tell the same story")
  func story() throws {
    try withGuideHome { home in
      let data = home + "/hrp-data"
      let listener = try HTTPListener()
      try configure(listener, home: home)
      // A program that writes all the time, as on the machine of its user.
      let writer = try start(
        Checkout.python,
        [
          "-B", "-c",
          """
          import duckdb, time
          c = duckdb.connect('hrp.duckdb'); c.execute('CREATE TABLE w(i INTEGER)')
          print('begun', flush=True)
          while True: c.execute('INSERT INTO w VALUES (1)'); time.sleep(0.01)
          """,
        ], in: data, environment: Engine("2.0.1").environment, until: "begun")
      // It may have been started with SIGTERM blocked.
      defer { kill(writer.processIdentifier, SIGKILL) }

      // The place is not there: the run fails, is tried twice again, and fails. The backup itself is made.
      let failed = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(failed.status == 1 && failed.output.contains("✗ minutely"), "\(failed)")
      #expect(failed.errors.components(separatedBy: "is tried again in").count == 3, "two more tries: \(failed.errors)")
      #expect(try hrp(["backup", "list", "--json"], in: home).output.contains("\"verified\": true"))
      #expect(try hrp(["status"], in: home).status == 15)
      #expect(
        try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n", "a failure is not repeated")

      // The disk is mounted while a run waits for its second try: the run succeeds.
      let mounting = try Mounting(home: home)
      let retried = try hrp(["scheduler", "run-now", "minutely"], in: home)
      mounting.finish()
      #expect(retried.status == 0 && retried.output.contains("copied to offsite"), "\(retried)")
      #expect(retried.errors.contains("is tried again in 1 s"))
      #expect(try hrp(["backup", "verify", "offsite:latest"], in: home).status == 0)
      #expect(try hrp(["backup", "list", "--json"], in: home).output.components(separatedBy: "\"path\"").count == 3)

      // From here on it is a plain success, by the schedule of the scheduler in the foreground.
      let status = try hrp(["status", "--json"], in: home)
      #expect(status.status == 0, "\(status)")
      let states = try schedulerHistory(in: home).map { $0["state"] as? String }
      #expect(states == ["completed", "failed"])
      let codes = try schedulerHistory(in: home).map { $0["code"] as? String }
      #expect(codes == [nil, "place.not-found"])

      let pings = listener.requests.filter { $0.target.hasPrefix("/ping") }.map(\.target)
      #expect(pings == ["/ping/start", "/ping/fail", "/ping/start", "/ping"], "\(pings)")
      let kinds = try listener.requests.filter { $0.target == "/hook" }.map { request in
        try #require(JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])["kind"] as? String
      }
      #expect(kinds == ["unprotected", "protected"], "once each: \(kinds)")
      for request in listener.requests {
        #expect(!request.body.contains(home), "no absolute path: \(request.body)")
      }
    }
  }

  private func configure(_ listener: HTTPListener, home: String) throws {
    try TestKit.configure(
      """
      jobs:
        minutely:
          every: hour
          minute: 0
          drill: always
          retry_seconds: 1
      places:
        offsite:
          path: \(home)/disk/copies
      notices:
        ping:
          url: \(listener.address)/ping
        webhook:
          url: \(listener.address)/hook
      """, in: home)
  }

  /// Mounts the disk as soon as a run has failed once: it waits for the word of the log.
  private final class Mounting {
    private let process = Process()

    init(home: String) throws {
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = [
        "-c",
        """
        before=$(grep -c 'place.not-found' "$0/hrp-data/logs/backup.log")
        until [ "$(grep -c 'place.not-found' "$0/hrp-data/logs/backup.log")" -gt "$before" ]; do sleep 0.02; done
        mkdir -p "$0/disk/copies" && echo '{"id": "usb-1", "created_at": "2026-01-01T00:00:00+00:00"}' > "$0/disk/copies/.hrp-place"
        """, home,
      ]
      try process.run()
    }

    func finish() { process.waitUntilExit() }
  }
}
