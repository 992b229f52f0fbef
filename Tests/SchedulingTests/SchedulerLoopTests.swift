import Calendars
import Files
import Foundation
import Jobs
import Scheduling
import Settings
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// The loop with the real program behind it.
@Suite("The scheduler's loop")
struct SchedulerLoopTests {
  private func plan(_ home: String) throws -> SchedulerPlan {
    var settings = StackSettings()
    settings.dataDirectory = home + "/hrp-data"
    (settings.databasePath, settings.backupDirectory, settings.trackingURI) = (nil, nil, nil)
    let stack = try Stack.load(settings, files: Kernel())
    return try SchedulerPlan(stack: stack, settings: settings, jobs: stack.settings.schedule.jobs)
  }

  @Test("a job that tells of no progress is ended with its children, is a failure with its code, and is not repeated")
  func stalled() throws {
    try withGuideHome { home in
      try configure(
        """
        jobs:
          nightly:
            every: day
            drill: never
        notices:
          commands:
            before_backup: "echo $$ > '\(home)/pid'; sleep 1000"
        """, in: home)
      let loop = SchedulerLoop(
        program: FilePath(Checkout.hrp), silence: .seconds(1), files: Kernel(), time: SystemTime(),
        events: EventStream()
      ) { try plan(home) }
      let results = try loop.runOnce()
      #expect(results.map(\.outcome.code) == ["job.stalled"] && results.map(\.outcome.state) == [.failed])
      let pid = try String(contentsOfFile: home + "/pid", encoding: .utf8).trimmingCharacters(
        in: .whitespacesAndNewlines)
      let children = try run("/bin/sh", ["-c", "pgrep -P \(pid); kill -0 \(pid) 2>/dev/null && echo alive"]).output
      #expect(children == "", "\(children)")
      let history = try SchedulerLook.history(of: plan(home).stack, limit: 9, files: Kernel(), time: SystemTime())
      #expect(history.map(\.record.state) == [.failed] && history.map(\.record.code) == ["job.stalled"])
      #expect(try loop.runOnce().isEmpty, "not repeated")
    }
  }

  @Test("a program that cannot be started is an error and leaves the slot to be run")
  func noProgram() throws {
    try withGuideHome { home in
      let loop = SchedulerLoop(
        program: FilePath(home + "/nothing"), files: Kernel(), time: SystemTime(), events: EventStream()
      ) { try plan(home) }
      #expect(throws: (any Error).self) { try loop.runOnce() }
      let again = SchedulerLoop(
        program: FilePath(Checkout.hrp), files: Kernel(), time: SystemTime(), events: EventStream()
      ) { try plan(home) }
      let results = try again.runOnce()
      #expect(results.map(\.outcome.state) == [.completed])
    }
  }
}
