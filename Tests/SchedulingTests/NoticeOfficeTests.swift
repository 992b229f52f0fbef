import Files
import Foundation
import Scheduling
import Stacks
import Store
import TestKit
import Testing

/// Who is told of the protection of a stack, with the real curl at a real listener.
@Suite("The office of notices")
struct NoticeOfficeTests {
  @Test("where what was told cannot be written down, people are told once all the same, and not at every look")
  func unwritable() throws {
    try withGuideHome { home in
      let listener = try HTTPListener()
      try configure("notices:\n  webhook:\n    url: \(listener.address)/hook\n", in: home)
      try FileManager.default.createDirectory(
        atPath: home + "/hrp-data/hrp-catalogue.db", withIntermediateDirectories: false)
      var settings = StackSettings()
      settings.dataDirectory = home + "/hrp-data"
      (settings.databasePath, settings.backupDirectory, settings.trackingURI) = (nil, nil, nil)
      let stack = try Stack.load(settings, files: Kernel())
      let (memory, time) = (AlarmMemory(), ManualTime())
      for _ in 0..<3 {
        NoticeOffice(of: stack, memory: memory, files: Kernel(), time: time, events: EventStream())
          .watch(isUrgent: true)
        time.sleep(.seconds(60))
      }
      #expect(listener.requests.count == 1, "\(listener.requests.map(\.body))")
    }
  }
}
