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

@Suite("Unchanged files")
struct LinkTests {
  private static let model = "/mlruns/mlruns/0/r1/artifacts/model.pkl"

  /// A clock that many hours have passed on since the sample was made.
  private func clock(hours: Int64 = 1) -> ManualTime {
    ManualTime(now: SystemTime().nowNanoseconds + hours * 3_600_000_000_000)
  }

  private func inode(_ path: String) throws -> UInt64 { try Kernel().status(FilePath(path), at: nil).identity.inode }

  @Test("what did not change is hard-linked from the backup before; the database is always a copy of its own")
  func linked() throws {
    try withStack { sample in
      let first = try sample.create(time: clock())
      try Data("name: changed\n".utf8).write(to: URL(fileURLWithPath: sample.data + "/mlflow/mlruns/0/meta.yaml"))
      let second = try sample.create(time: clock(hours: 2))
      #expect(try inode(second.path + Self.model) == inode(first.path + Self.model))
      #expect(try inode(second.path + "/mlruns/mlruns/0/meta.yaml") != inode(first.path + "/mlruns/mlruns/0/meta.yaml"))
      #expect(try inode(second.path + "/hrp.duckdb") != inode(first.path + "/hrp.duckdb"))
      #expect(second.sharedWith == first.name && second.sharedBytes == 5)
      let metadata = try String(contentsOfFile: second.path + "/metadata.json", encoding: .utf8)
      #expect(metadata.contains("\"shared\": {\n    \"backup\": \"\(first.name)\",\n    \"bytes\": 5"))
      for path in [first.path, second.path] { #expect(try sample.verify(path).findings == []) }
      // The first one may go: what is shared stays.
      try run("/bin/rm", ["-rf", first.path])
      #expect(try sample.verify(second.path).isOK)
    }
  }

  @Test("a file whose times lie within two seconds of its reading is copied: a later change could look the same")
  func doubt() throws {
    try withStack { sample in
      let time = ManualTime(now: SystemTime().nowNanoseconds + 1_000_000_000)
      _ = try sample.create(time: time)
      #expect(try sample.create(time: clock()).sharedWith == nil)
    }
  }

  @Test("a stored copy that is older than thirty days is made afresh", arguments: [(29, true), (31, false)])
  func age(days: Int64, isLinked: Bool) throws {
    try withStack { sample in
      _ = try sample.create(time: clock())
      let second = try sample.create(time: clock(hours: days * 24))
      #expect((second.sharedWith != nil) == isLinked)
      // The age is that of the copy, not of the last link to it.
      if isLinked { #expect(try sample.create(time: clock(hours: 31 * 24)).sharedWith == nil) }
    }
  }

  @Test("--no-link copies, and another file of the same name, size and time is no unchanged one")
  func copied() throws {
    try withStack { sample in
      _ = try sample.create(time: clock())
      let run = BackupRun(
        sample.stack, includesMLflow: true, linksUnchanged: false, files: Kernel(), time: clock(hours: 2),
        events: EventStream())
      #expect(try run.run().sharedWith == nil)
      try TestKit.run(
        "/bin/sh", ["-c", "cp -p model.pkl x && printf MODEL > x && touch -r model.pkl x && mv x model.pkl"],
        in: sample.data + "/mlflow/mlruns/0/r1/artifacts")
      let third = try sample.create(time: clock(hours: 3))
      #expect(try String(contentsOfFile: third.path + Self.model, encoding: .utf8) == "MODEL")
    }
  }

  @Test("a stored copy that was written to is not handed on: it is copied afresh")
  func damaged() throws {
    try withStack { sample in
      let first = try sample.create(time: clock())
      try SampleStack.change(first.path + Self.model) { $0[0] ^= 1 }
      let second = try sample.create(time: clock(hours: 2))
      #expect(second.isVerified)
      #expect(try sample.verify(second.path).isOK)
      #expect(try String(contentsOfFile: second.path + Self.model, encoding: .utf8) == "model")
    }
  }

  @Test(
    "a backup whose lists were changed, or that is not whole, is not linked from", arguments: ["manifest", "metadata"])
  func distrust(kind: String) throws {
    try withStack { sample in
      let first = try sample.create(time: clock())
      try run("/bin/chmod", ["-R", "u+w", first.path])
      if kind == "manifest" {
        try run("/bin/sh", ["-c", "sed -i 's/\"mode\":384/\"mode\":511/' manifest.jsonl"], in: first.path)
      } else {
        try run("/bin/sh", ["-c", "sed -i 's/\"verified\": true/\"verified\": false/' metadata.json"], in: first.path)
      }
      #expect(try sample.create(time: clock(hours: 2)).sharedWith == nil)
    }
  }
}
