import DuckDBFile
import Files
import Foundation
import Synchronization
import SystemPackage
import TestKit
import Testing

/// Short looks at a database in use.
@Suite("Looks at a live database")
struct DatabaseWatchTests {
  /// Runs a statement in an engine that dies before it can make a checkpoint.
  private func die(after statement: String, engine: Engine, in folder: String) throws {
    try engine.run("c = duckdb.connect('x.duckdb'); c.execute('\(statement)'); os._exit(0)", in: folder)
  }

  @Test("the answer moves with the data", arguments: Engine.all)
  func moves(engine: Engine) throws {
    try withTemporaryFolder { folder in
      let watch = DatabaseWatch(FilePath(folder).appending("x.duckdb"), files: Kernel(), time: SystemTime())
      try engine.run("c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t(i INT)'); c.close()", in: folder)
      let contents = try ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "CHECKPOINT"].map { statement in
        try die(after: statement, engine: engine, in: folder)
        return try #require(try watch.look().contents)
      }
      #expect(contents.map(\.walCommits) == [1, 2, 0])
      #expect(contents[1].walBytes > contents[0].walBytes && contents[2].walBytes == 0)
      #expect(contents[2].iteration == contents[1].iteration + 1)
    }
  }

  @Test("what was whole in the WAL is not read again", arguments: Engine.all)
  func goesOn(engine: Engine) throws {
    try withTemporaryFolder { folder in
      let reads = Mutex(0)
      let files = HookedFileSystem(
        leases: .answer(false),
        onRead: { path throws(SystemError) in if path.hasSuffix(".wal") { reads.withLock { $0 += 1 } } })
      let watch = DatabaseWatch(FilePath(folder).appending("x.duckdb"), files: files, time: ManualTime())
      try engine.run("c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t(i BIGINT)'); c.close()", in: folder)
      // Larger than the buffer, so that a whole pass takes many reads; not so large that it skips the WAL.
      let insert = "INSERT INTO t SELECT range * 1000003 FROM range(60000)"
      for _ in 1...8 { try die(after: insert, engine: engine, in: folder) }
      let first = try #require(try watch.look().contents)
      #expect(first.walBytes > 2 << 20 && first.walCommits == 8)
      let whole = reads.withLock { $0 }
      try die(after: "INSERT INTO t VALUES (1)", engine: engine, in: folder)
      reads.withLock { $0 = 0 }
      #expect(try watch.look().contents?.walCommits == 9)
      #expect(reads.withLock { $0 } < whole / 2, "\(whole) reads, then \(reads.withLock { $0 })")
    }
  }

  @Test("a WAL of another database, or of nonsense, is refused at once; what is away is away", arguments: Engine.all)
  func refused(engine: Engine) throws {
    try withTemporaryFolder { folder in
      let path = FilePath(folder).appending("x.duckdb")
      let watch = DatabaseWatch(path, files: Kernel(), time: SystemTime())
      let wal = URL(fileURLWithPath: path.string + ".wal")
      // Only newer storage formats say in the WAL whose it is.
      let options = engine.version == "2.0.1" ? "{}" : "{'storage_compatibility_version': 'latest'}"
      try engine.run(
        """
        for name in ('x.duckdb', 'other.duckdb'):
            c = duckdb.connect(name, config=\(options))
            c.execute('CREATE TABLE t(i INT)'); c.execute('CHECKPOINT'); c.close()
        """, in: folder)
      try engine.run(
        "c = duckdb.connect('other.duckdb'); c.execute('INSERT INTO t VALUES (1)'); os._exit(0)", in: folder)
      #expect(try watch.look().contents?.walBytes == 0)
      try FileManager.default.copyItem(atPath: folder + "/other.duckdb.wal", toPath: wal.path)
      #expect { try watch.look() } throws: {
        if case .foreignWAL? = ($0 as? DatabaseWatch.Unsettled)?.problem { true } else { false }
      }
      try Data(repeating: 0x6E, count: 4000).write(to: wal)
      #expect { try watch.look() } throws: {
        if case .damaged? = ($0 as? DatabaseWatch.Unsettled)?.problem { true } else { false }
      }
      try FileManager.default.removeItem(at: wal)
      #expect(try watch.look().contents?.walBytes == 0)
      try FileManager.default.removeItem(atPath: path.string)
      #expect { try watch.look() } throws: { ($0 as? SystemError)?.meansAbsent == true }
    }
  }

  @Test("a changed byte in the WAL is damage at once where nobody writes, and after a second beside a writer")
  func damaged() throws {
    try withTemporaryFolder { folder in
      let engine = Engine.all[0]
      let path = FilePath(folder).appending("x.duckdb")
      try engine.run("c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t(i INT)'); c.close()", in: folder)
      for number in 1...3 { try die(after: "INSERT INTO t VALUES (\(number))", engine: engine, in: folder) }
      let wal = try OpenFile(FilePath(path.string + ".wal"), mode: [.write], files: Kernel())
      let middle = try wal.status().size / 2
      try wal.write([try wal.read(count: 1, at: middle)[0] ^ 1], at: middle)
      let isDamage = { (error: any Error) in if case HotCopyError.walDamaged = error { true } else { false } }
      let alone = DatabaseWatch(path, files: HookedFileSystem(leases: .answer(false)), time: ManualTime())
      #expect { try alone.look() } throws: { isDamage($0) }
      let time = ManualTime()
      let beside = DatabaseWatch(path, files: HookedFileSystem(writer: 12, leases: .answer(true)), time: time)
      #expect { try beside.look() } throws: { $0 is DatabaseWatch.Unsettled }
      time.sleep(.seconds(2))
      #expect { try beside.look() } throws: { isDamage($0) }
    }
  }
}
