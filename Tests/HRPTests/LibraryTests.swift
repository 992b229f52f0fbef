import Foundation
import HRP
import TestKit
import Testing

@Suite("The library")
struct LibraryTests {
  // README example: begin
  /// Makes a backup, proves it readable, restores it elsewhere, and drops what is older than a month.
  func nightly(data: String, elsewhere: String) throws {
    let result = try createBackup(dataDirectory: data)
    print("Backup created at: \(result.path)")
    print("Size: \(result.sizeMB) MB")
    print("Checksum file: \(result.checksumFile)")
    guard verifyBackup(result.path, level: .structure) else {
      let report = try verificationReport(result.path)
      for finding in report.findings { print(finding.line) }
      return
    }
    if try restoreBackup(result.path, targetDirectory: elsewhere) {
      print("Restore completed successfully")
    }
    let deleted = try rotateBackups(backupDirectory: data + "/backups", keepDays: 30)
    print("Deleted \(deleted) old backups")
    for backup in try listBackups(backupDirectory: data + "/backups") {
      print(backup.name, backup.isVerified ? "verified" : "not verified")
    }
  }
  // README example: end

  private func withData<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        """
        os.mkdir('data'); c = duckdb.connect('data/hrp.duckdb')
        c.execute('CREATE TABLE t AS SELECT range i FROM range(10)'); c.close()
        """, in: folder)
      return try body(folder)
    }
  }

  @Test("the README's example runs, and is the one in the README")
  func example() throws {
    try withData { folder in
      try nightly(data: folder + "/data", elsewhere: folder + "/there")
      #expect(try Engine("2.0.1").query("hrp.duckdb", "SELECT count(*) FROM t", in: folder + "/there") == "10")
    }
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let parts = source.components(separatedBy: "// README example: ")
    let example = parts[1].split(separator: "\n").dropFirst().dropLast().map { $0.dropFirst(2) }
    let readme = try String(contentsOf: Checkout.root.appendingPathComponent("README.md"), encoding: .utf8)
    #expect(readme.contains(example.joined(separator: "\n")))
  }

  @Test(
    "defaults and answers are the guide's: false for what is not there or damaged, the number of what was rotated",
    .guide(77))
  func answers() throws {
    try withData { folder in
      #expect(!verifyBackup(folder + "/nowhere"))
      #expect(try rotateBackups(backupDirectory: folder + "/nowhere") == 0)
      let result = try createBackup(backupDirectory: folder + "/safe", dataDirectory: folder + "/data")
      #expect(result.path.hasPrefix(folder + "/safe/backup_"))
      #expect(result.checksumFile == result.path + "/checksums.txt")
      #expect(try listBackups(backupDirectory: folder + "/safe").map(\.path) == [result.path])
      try run("/bin/sh", ["-c", "rm -f hrp.duckdb && echo x > hrp.duckdb"], in: result.path)
      #expect(!verifyBackup(result.path))
      #expect(try !restoreBackup(result.path, targetDirectory: folder + "/there"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/there"))
      for days in [1, 2, 40] {
        _ = try ageBackup(createBackup(dataDirectory: folder + "/data").path, days: days)
      }
      #expect(try rotateBackups(backupDirectory: folder + "/data/backups") == 1)
    }
  }

  @Test("every failure is a BackupError with a code and a remedy")
  func errors() throws {
    try withTemporaryFolder { folder in
      #expect {
        try createBackup(dataDirectory: folder)
      } throws: {
        ($0 as? BackupError)?.code == "source.not-found" && ($0 as? BackupError)?.holder == nil
      }
      #expect {
        try restoreBackup(folder + "/nowhere", targetDirectory: folder + "/x")
      } throws: {
        ($0 as? BackupError)?.code == "backup.not-found"
      }
      try run("/bin/mkdir", ["backups"], in: folder)
      #expect {
        try rotateBackups(backupDirectory: folder + "/backups", keepDays: 0)
      } throws: {
        ($0 as? BackupError)?.remedy.isEmpty == false
      }
    }
  }
}
