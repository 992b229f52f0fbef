import Backup
import Files
import Foundation
import Jobs
import MLflow
import Settings
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

@Suite("The log of operations")
struct OperationLogTests {
  private func log(_ folder: String, now: Int64 = SystemTime().nowNanoseconds) -> OperationLog {
    OperationLog(dataDirectory: FilePath(folder), level: .info, files: Kernel(), time: ManualTime(now: now))
  }

  @Test("each operation is a line with time, level and words; a name with a line feed stays one line")
  func lines() throws {
    try withTemporaryFolder { folder in
      let log = log(folder)
      log.note(.began(operation: "backup create", on: "/data/hrp.duckdb"))
      log.note(.progress(bytes: 5))
      log.note(.failed(operation: "backup create", code: "disk.full", message: "no\nspace"))
      let text = try String(contentsOfFile: folder + "/logs/backup.log", encoding: .utf8)
      let lines = text.split(separator: "\n").map { $0.dropFirst(19) }
      #expect(
        lines == [
          " | INFO     | backup create began: /data/hrp.duckdb",
          " | ERROR    | backup create failed [disk.full]: no / space",
        ])
    }
  }

  @Test("at ten megabytes the log is set aside; five such files are kept, and none for over thirty days")
  func bounded() throws {
    try withTemporaryFolder { folder in
      try run("/bin/mkdir", ["logs"], in: folder)
      let now = SystemTime().nowNanoseconds
      for day in 0..<8 {
        try run("/bin/sh", ["-c", "head -c 10486000 /dev/zero >> logs/backup.log"], in: folder)
        log(folder, now: now + Int64(day) * 86_400_000_000_000).note(.notice("x"))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/logs").count == 5)
      try run("/bin/sh", ["-c", "head -c 10486000 /dev/zero >> logs/backup.log"], in: folder)
      log(folder, now: now + 60 * 86_400_000_000_000).note(.notice("x"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/logs") == [])
    }
  }

  @Test("a log that cannot be written stops nothing")
  func unwritable() throws {
    try withTemporaryFolder { folder in
      try Data().write(to: URL(fileURLWithPath: folder + "/logs"))
      log(folder).note(.notice("x"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/logs")).isEmpty)
    }
  }
}
