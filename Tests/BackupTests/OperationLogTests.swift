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

  @Test("with log_format json each line is an object with time, level and message")
  func json() throws {
    try withTemporaryFolder { folder in
      let log = OperationLog(
        dataDirectory: FilePath(folder), level: .info, format: .json, files: Kernel(), time: SystemTime())
      log.note(.warning("a \"b\"\nc"))
      log.note(.failed(operation: "backup create", code: "disk.full", message: "no space"))
      let lines = try String(contentsOfFile: folder + "/logs/backup.log", encoding: .utf8).split(separator: "\n")
      let objects = try lines.map {
        try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String])
      }
      #expect(objects.map { $0["level"] } == ["warning", "error"])
      #expect(objects.map { $0["message"] } == ["a \"b\" / c", "backup create failed [disk.full]: no space"])
      #expect(objects.allSatisfy { $0["time"]?.hasPrefix("20") == true && $0.count == 3 })
    }
  }

  @Test("a log that another program keeps open is set aside and emptied, and only when it is this process's stream")
  func inPlace() throws {
    try withTemporaryFolder { folder in
      try run("/bin/mkdir", ["logs"], in: folder)
      let path = folder + "/logs/scheduler.log"
      try run("/bin/sh", ["-c", "head -c 10486000 /dev/zero > logs/scheduler.log"], in: folder)
      let file = LogFile("scheduler", in: FilePath(folder), files: Kernel(), time: SystemTime())
      try file.rotate(writtenBy: .output)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/logs") == ["scheduler.log"], "not ours")
      // The program in the place of this process: its output is the log.
      let done = try run(
        "/bin/sh",
        [
          "-c",
          """
          mkdir -p data/config && ln -s ../logs data/logs && printf 'no_backup: true\\n' > data/config/hrp.yaml
          "$0" scheduler run --log-lines --data-dir data >> logs/scheduler.log 2>/dev/null & pid=$!
          until [ "$(stat -c %s logs/scheduler.log)" -lt 1000000 ]; do sleep 0.05; done; kill $pid; wait $pid
          """, Checkout.hrp,
        ], in: folder)
      #expect(done.status == 0, "\(done)")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/logs").filter {
        $0.hasPrefix("scheduler.2")
      }
      #expect(names.count == 1)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(!text.contains("\0") && text.contains(" | INFO     | Scheduler stopped"), "\(text)")
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
