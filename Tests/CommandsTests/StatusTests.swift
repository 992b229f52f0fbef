import Foundation
import TestKit
import Testing

/// `hrp status`, as its user meets it.
@Suite("Status")
struct StatusTests {
  @Test("from no backup over an unproven one to a drilled one: 15, 15, 0; without a database 10")
  func wayToProtection() throws {
    try withGuideHome { home in
      let none = try hrp(["status"], in: home)
      #expect(none.status == 15 && none.output.hasPrefix("✗ Not protected\n  there is no verified backup\n"), "\(none)")
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      let unproven = try hrp(["status", "--json"], in: home)
      #expect(unproven.status == 15 && unproven.output.contains("\"code\": \"proof.none\""), "\(unproven)")
      #expect(try hrp(["backup", "drill"], in: home).status == 0)
      let protected = try hrp(["status"], in: home)
      #expect(protected.status == 0 && protected.output.hasPrefix("✓ Protected\n"), "\(protected)")
      #expect(protected.output.contains("Next run, when a scheduler runs: weekly_backup 20"))
      #expect(
        protected.output.contains("! No scheduler runs: no backup is made by itself\n    → hrp service install\n"))
      try FileManager.default.removeItem(atPath: home + "/hrp-data/hrp.duckdb")
      #expect(try hrp(["status"], in: home).status == 10)
    }
  }

  @Test("a job that ran lately, as by cron, needs no scheduler that runs")
  func cron() throws {
    try withGuideHome { home in
      #expect(try hrp(["scheduler", "run", "--once"], in: home).status == 0)
      let done = try hrp(["status"], in: home)
      #expect(done.output.contains("  Next run: weekly_backup 20") && !done.output.contains("No scheduler"), "\(done)")
      #expect(done.output.contains("  A scheduler ran last 20"), "\(done)")
    }
  }

  @Test("a job that somebody ran by hand is no scheduler")
  func runNow() throws {
    try withGuideHome { home in
      let done = try hrp(["scheduler", "run-now", "weekly_backup"], in: home)
      #expect(done.status == 0, "\(done)")
      #expect(try hrp(["status"], in: home).output.contains("! No scheduler runs"))
    }
  }

  @Test("a database that cannot be used is no protected stack, however good the backups are")
  func rubbish() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(try hrp(["backup", "drill"], in: home).status == 0)
      try Data("rubbish".utf8).write(to: URL(fileURLWithPath: home + "/hrp-data/hrp.duckdb"))
      let done = try hrp(["status"], in: home)
      #expect(done.status == 15 && done.output.contains("the database cannot be used: "), "\(done)")
      #expect(done.output.contains("    → hrp recover\n"), "\(done)")
      let doctor = try hrp(["doctor"], in: home).output.split(separator: "\n")
      #expect(doctor.filter { $0.contains("is not a DuckDB database") }.count == 1, "\(doctor)")
    }
  }

  @Test("backups whose disk is not mounted are not called none")
  func unmounted() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      try FileManager.default.moveItem(atPath: home + "/hrp-data/backups", toPath: home + "/elsewhere")
      let done = try hrp(["status"], in: home)
      #expect(done.status == 15 && done.output.contains("its newest backup was "), "\(done)")
      #expect(!done.output.contains("there is no verified backup"), "\(done)")
      for words in [["list"], ["restore", "latest"], ["verify", "latest"], ["drill"]] {
        let said = try hrp(["backup"] + words, in: home)
        #expect(said.status == 10 && said.errors.contains("Is the disk mounted?"), "\(words): \(said)")
      }
      try FileManager.default.createDirectory(atPath: home + "/hrp-data/backups", withIntermediateDirectories: false)
      #expect(try hrp(["backup", "list"], in: home).errors.contains("Is the disk mounted?"))
    }
  }

  @Test("a backup whose proof cannot be read protects nothing, and covers no run: it may have failed")
  func unreadableProof() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(try hrp(["backup", "drill"], in: home).status == 0)
      #expect(try hrp(["status"], in: home).status == 0)
      let proofs = home + "/hrp-data/backups/.hrp-proofs"
      let name = try #require(FileManager.default.contentsOfDirectory(atPath: proofs).first)
      try Data("{".utf8).write(to: URL(fileURLWithPath: "\(proofs)/\(name)"))
      let done = try hrp(["status"], in: home)
      #expect(done.status == 15 && done.output.contains("there is no verified backup"), "\(done)")
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output.contains("✓ weekly_backup"))
    }
  }

  @Test("records that cannot be read: whether there are copies elsewhere is not known, and that is not a no")
  func unreadableRecords() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      let catalogue = home + "/hrp-data/hrp-catalogue.db"
      #expect(try hrp(["status", "--json"], in: home).output.contains("\"copies_elsewhere\": false"))
      try FileManager.default.removeItem(atPath: catalogue)
      try FileManager.default.createDirectory(atPath: catalogue, withIntermediateDirectories: false)
      #expect(try hrp(["status", "--json"], in: home).output.contains("\"copies_elsewhere\": null"))
    }
  }

  @Test("a failed scheduled run, a damaged newest backup and a directory that is a file are told")
  func failures() throws {
    try withGuideHome { home in
      #expect(try hrp(["scheduler", "run", "--once"], in: home).status == 0)
      #expect(try hrp(["status"], in: home).status == 0)
      let path = home + "/hrp-data/backups"
      let name = try #require(FileManager.default.contentsOfDirectory(atPath: path).first { $0.hasPrefix("backup_") })
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(path)/\(name)/hrp.duckdb")
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(path)/\(name)/hrp.duckdb"))
      try file.seek(toOffset: 20_000)
      try file.write(contentsOf: Data([7, 7, 7]))
      try file.close()
      #expect(try hrp(["backup", "verify", "latest"], in: home).status == 1)
      let damaged = try hrp(["status"], in: home)
      #expect(damaged.status == 15 && damaged.output.contains("there is no verified backup"), "\(damaged)")
      try FileManager.default.moveItem(atPath: path, toPath: home + "/away")
      try Data().write(to: URL(fileURLWithPath: path))
      let file2 = try hrp(["status", "--json"], in: home)
      #expect(file2.status == 15 && file2.output.contains("\"code\": \"unknown\""), "\(file2)")
    }
  }
}
