import Backup
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// Files that backups share by hard links: their damage, and what of them is not kept.
@Suite("Shared files")
struct SharedFileTests {
  private static let model = "/mlruns/mlruns/0/r1/artifacts/model.pkl"

  /// A clock that many hours have passed on since the sample was made.
  private func clock(hours: Int64) -> ManualTime {
    ManualTime(now: SystemTime().nowNanoseconds + hours * 3_600_000_000_000)
  }

  private func inode(_ path: String) throws -> UInt64 { try Kernel().status(FilePath(path), at: nil).identity.inode }

  /// Changes a byte of a stored file where it lies, so that every backup that shares it has the damage.
  private func damage(_ path: String) throws {
    try run("/bin/sh", ["-c", "chmod u+w '\(path)' && printf X | dd of='\(path)' bs=1 conv=notrunc status=none"])
    try run("/bin/touch", ["-d", "2026-01-02 03:04:05.678", path])
  }

  /// Writes down that a drill of a backup failed.
  private func drill(_ sample: SampleStack, _ path: String) throws {
    let report = try DrillRun(
      DirectoryBackup(FilePath(path), files: Kernel()), scratchDirectory: sample.stack.scratchDirectory,
      files: Kernel(), time: SystemTime(),
      events: EventStream()
    ).run()
    #expect(!report.isOK)
  }

  @Test("a finding says that other backups share the file, and its damage")
  func told() throws {
    try withStack { sample in
      let first = try sample.create(time: clock(hours: 1))
      let second = try sample.create(time: clock(hours: 2))
      try damage(first.path + Self.model)
      let report = try sample.verify(second.path)
      #expect(report.findings.map(\.detail) == ["another backup shares this file, and its damage"])
    }
  }

  @Test("what a drill found damaged is copied afresh, from whichever backup it would be linked; the rest is linked")
  func copiedAfresh() throws {
    try withStack { sample in
      try Data("other".utf8).write(to: URL(fileURLWithPath: sample.data + "/mlflow/mlruns/0/r1/artifacts/other"))
      let first = try sample.create(time: clock(hours: 1))
      let second = try sample.create(time: clock(hours: 2))
      try damage(first.path + Self.model)
      // Nobody knows of it yet.
      let third = try sample.create(time: clock(hours: 3))
      #expect(try inode(third.path + Self.model) == inode(first.path + Self.model))
      try drill(sample, first.path)
      let fourth = try sample.create(time: clock(hours: 4))
      #expect(try inode(fourth.path + Self.model) != inode(third.path + Self.model))
      let other = "/mlruns/mlruns/0/r1/artifacts/other"
      #expect(try inode(fourth.path + other) == inode(second.path + other))
      #expect(try sample.verify(fourth.path).isOK)
    }
  }

  @Test(
    "where a failed proof does not tell what is damaged, or cannot be read, nothing is linked",
    arguments: [true, false])
  func unknown(isUnreadable: Bool) throws {
    try withStack { sample in
      let first = try sample.create(time: clock(hours: 1))
      try damage(first.path + Self.model)
      try drill(sample, first.path)
      let note = sample.backups + "/.hrp-proofs/\(first.name).json"
      try run(
        "/bin/sh",
        ["-c", isUnreadable ? "echo x > '\(note)'" : "sed -i 's/\"damaged\"/\"once\"/' '\(note)'"])
      let second = try sample.create(time: clock(hours: 2))
      #expect(second.sharedWith == nil)
      #expect(try sample.verify(second.path).isOK)
    }
  }

  @Test("findings about MLflow never crowd out those about the database")
  func crowded() throws {
    try withStack { sample in
      let folder = sample.data + "/mlflow/mlruns/0/many"
      try run("/bin/sh", ["-c", "mkdir '\(folder)' && cd '\(folder)' && seq 10500 | xargs touch"])
      let backup = try sample.create().path
      try SampleStack.change(backup + "/hrp.duckdb") { $0[$0.count - 100] ^= 1 }
      try run("/bin/rm", ["-r", backup + "/mlruns/mlruns/0/many"])
      let report = try sample.verify(backup, level: .checksums)
      #expect(report.findings.count(where: { $0.file.hasPrefix("mlruns") }) == 10_000)
      #expect(report.findings.contains { $0.file == "hrp.duckdb" })
      #expect(throws: RestoreRun.Damaged.self) {
        _ = try sample.restore(backup, to: sample.folder + "/new", part: .duckdb)
      }
    }
  }

  @Test("extended attributes are not kept, and each file that has some is named, also when it is linked")
  func attributes() throws {
    try withStack { sample in
      let file = sample.data + "/mlflow/mlruns/0/r1/artifacts/model.pkl"
      let set = try run(
        Checkout.python, ["-c", "import os, sys; os.setxattr(sys.argv[1], 'user.owner', b'ada')", file])
      // A file system without them has nothing to lose.
      guard set.status == 0 else { return }
      let first = try sample.create(time: clock(hours: 1))
      #expect(first.skipped.map(\.why) == ["only its extended attributes: user.owner"])
      let second = try sample.create(time: clock(hours: 2))
      #expect(try inode(second.path + Self.model) == inode(first.path + Self.model))
      #expect(second.skipped.map(\.path) == ["mlruns/0/r1/artifacts/model.pkl"])
      #expect(second.skipped.map(\.why) == ["only its extended attributes: 1"])
    }
  }
}
