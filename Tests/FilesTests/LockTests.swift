import Files
import Foundation
import SystemPackage
import TestKit
import Testing

@Suite("Locks")
struct LockTests {
  private let note = ProcessNote(pid: 7, program: "hrp test", host: "lab", since: "2026-01-24 14:30:52")

  @Test("two may share a directory; one who wants it alone is told who has it")
  func sharedAndExclusive() throws {
    try withTemporaryFolder { folder in
      let take = { (kind: LockKind) in
        try AdvisoryLock.take(kind, of: .backups, on: FilePath(folder), note: note, files: Kernel(), time: ManualTime())
      }
      let first = try take(.shared)
      let second = try take(.shared)
      #expect {
        try take(.exclusive)
      } throws: { ($0 as? AdvisoryLock.Busy)?.holder == note }
      try first.release()
      try second.release()
      try take(.exclusive).release()
    }
  }

  @Test("the lock of a process that was killed is void")
  func deadHolder() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        """
        import fcntl
        f = open('.hrp-backups.lock', 'w'); fcntl.flock(f, fcntl.LOCK_EX); f.write('9\\tx\\ty\\tz\\n'); f.flush()
        os.kill(os.getpid(), 9) if os.fork() == 0 else os.wait()
        """, in: folder)
      try AdvisoryLock.take(
        .exclusive, of: .backups, on: FilePath(folder), note: note, files: Kernel(), time: ManualTime()
      )
      .release()
    }
  }

  @Test("who waits, waits as long as it said and no longer")
  func patience() throws {
    try withTemporaryFolder { folder in
      let time = ManualTime()
      let held = try AdvisoryLock.take(
        .exclusive, of: .backups, on: FilePath(folder), note: note, files: Kernel(), time: time)
      let began = time.monotonicNanoseconds
      #expect(throws: AdvisoryLock.Busy.self) {
        try AdvisoryLock.take(
          .shared, of: .backups, on: FilePath(folder), note: note, patience: .seconds(2), files: Kernel(), time: time)
      }
      #expect(time.monotonicNanoseconds - began == 2_000_000_000)
      try held.release()
    }
  }

  @Test("a note is read back; another text is no note")
  func notes() {
    #expect(ProcessNote(text: note.text) == note)
    #expect(ProcessNote(text: "") == nil)
    #expect(ProcessNote(text: "1\t2") == nil)
  }
}
