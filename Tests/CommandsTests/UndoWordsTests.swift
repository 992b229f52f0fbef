import Foundation
import TestKit
import Testing

/// What an undo does, and what it says.
@Suite("Undo in words")
struct UndoWordsTests {
  @Test("a restore that put a stack where nothing was is none to undo: the stack stays")
  func nothingReplaced() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      try sample.shell("mv backups ../kept && rm -r hrp.duckdb* mlflow")
      let path = sample.folder + "/kept/" + (backup.split(separator: "/").last ?? "")
      #expect(try sample.hrp("backup", "restore", path).status == 0)
      let undone = try sample.hrp("backup", "undo")
      #expect(undone.status == 10 && undone.errors.contains("there is nothing to undo"), "\(undone)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "2")
      #expect(try sample.hrp("backup", "undo", "--kept").output == "Nothing is kept\n")
      #expect(!(try sample.hrp("backup", "list", "--backup-dir", "kept").errors.contains("is kept until")))
    }
  }

  @Test("an undo says which restore it undoes, and an undo of an undo that it takes that back")
  func undoOfUndo() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      try sample.sql("DELETE FROM hypotheses")
      #expect(try sample.hrp("backup", "restore", backup).status == 0)
      let first = try sample.hrp("backup", "undo")
      #expect(first.output.hasPrefix("✓ Undone: what was there before the restore of 20"), "\(first)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "0")
      let second = try sample.hrp("backup", "undo")
      #expect(second.output.contains(" is taken back: ") && second.output.contains("✓ The undo of 20"), "\(second)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "2")
      let third = try RecoverSample.object(sample.hrp("backup", "undo", "--json"))
      #expect(third["of"] as? String == "undo" && (third["at"] as? String)?.hasPrefix("20") == true, "\(third)")
    }
  }

  @Test("HRP_UNDO_DAYS=0: nothing is kept, and nothing says that it is")
  func zeroDays() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      let done = try sample.hrp("backup", "restore", backup, environment: ["HRP_UNDO_DAYS": "0"])
      #expect(done.status == 0 && done.errors.contains("what was there is not kept (HRP_UNDO_DAYS=0)"), "\(done)")
      #expect(!done.errors.contains("brings it back"), "\(done)")
      let json = try RecoverSample.object(
        sample.hrp("backup", "restore", backup, "--json", environment: ["HRP_UNDO_DAYS": "0"]))
      #expect(json["undo"] is NSNull, "\(json)")
      #expect(try sample.hrp("backup", "undo").status == 10)
      try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: sample.data + "/hrp.duckdb"))
      let plan = try sample.hrp("recover", environment: ["HRP_UNDO_DAYS": "0"])
      #expect(plan.output.contains("is not kept (HRP_UNDO_DAYS=0)") && !plan.output.contains("undo brings"), "\(plan)")
    }
  }
}
