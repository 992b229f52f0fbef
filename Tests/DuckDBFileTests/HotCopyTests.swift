import DuckDBFile
import Files
import Foundation
import Synchronization
import SystemPackage
import TestKit
import Testing

@Suite("Hot copy")
struct HotCopyTests {
  @Test("I2, I4: a copy beside an open engine holds what was committed and nothing else", arguments: Engine.all)
  func besideAnOpenEngine(engine: Engine) throws {
    try withTemporaryFolder { folder in
      // The engine itself starts the copy while it has the database open and a transaction half done.
      let output = try engine.run(
        """
        import subprocess
        c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
        c.execute('CREATE TABLE t(i BIGINT PRIMARY KEY, s VARCHAR)')
        c.execute("INSERT INTO t SELECT range, 'a' || range FROM range(50000)"); c.execute('CHECKPOINT')
        c.execute("INSERT INTO t SELECT range, 'b' || range FROM range(50000, 400000)")
        c.execute("UPDATE t SET s = 'c' WHERE i = 7")
        d = c.cursor(); d.execute('BEGIN'); d.execute("INSERT INTO t VALUES (-1, 'never')")
        print(subprocess.run(['\(Checkout.hrp)', 'duckdb', 'copy', 'x.duckdb', 'y.duckdb']).returncode, flush=True)
        os._exit(0)
        """, in: folder)
      #expect(output.hasSuffix("\n0"), "\(output)")
      let rows = try engine.query(
        "y.duckdb", "SELECT count(*), min(i), max(i), count(*) FILTER (s = 'c') FROM t", in: folder)
      #expect(rows == "400000|0|399999|1")
      #expect(try engine.query("y.duckdb", "INSERT INTO t VALUES (-2, 'z') RETURNING i", in: folder) == "-2")
    }
  }

  @Test(
    "a database that is opened by a link is copied with its log, wherever the engine put that", arguments: Engine.all)
  func link(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(
        """
        os.mkdir('real'); c = duckdb.connect('real/x.duckdb'); c.execute('CREATE TABLE t(i INT)'); c.close()
        os.symlink('real/x.duckdb', 'link.duckdb'); c = duckdb.connect('link.duckdb')
        c.execute("SET checkpoint_threshold='1GB'"); c.execute('INSERT INTO t VALUES (1)'); os._exit(0)
        """, in: folder)
      let result = try StandaloneCopy(
        FilePath(folder + "/link.duckdb"), to: FilePath(folder + "/y.duckdb"), files: Kernel(), time: SystemTime()
      ).run()
      #expect(result.walBytes > 0)
      #expect(try engine.query("y.duckdb", "SELECT count(*) FROM t", in: folder) == "1")
      // Logs beside two names: which of them counts is not ours to guess.
      try engine.run("[open(n, 'a').close() for n in ('link.duckdb.wal', 'real/x.duckdb.wal')]", in: folder)
      #expect {
        try StandaloneCopy(
          FilePath(folder + "/link.duckdb"), to: FilePath(folder + "/z.duckdb"), files: Kernel(), time: ManualTime()
        ).run()
      } throws: {
        ($0 as? HotCopyError)?.code == "duckdb.foreign-log"
      }
    }
  }

  @Test(
    "I4: commits behind a dead marker are in the copy; cut at the marker they would be lost",
    arguments: ["1.4.5", "1.5.6", "2.0.1"])
  func deadMarker(version: String) throws {
    let engine = Engine(version)
    try withTemporaryFolder { folder in
      try engine.run(
        """
        c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t(i INT)')
        c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (1)'); os._exit(0)
        """, in: folder)
      // The engine died in a checkpoint: its marker is the last thing in the WAL …
      let markerAt = try appendMarker(to: folder + "/x.duckdb.wal", metaBlock: 0x0000_0000_0000_0777)
      // … was opened again, and went on.
      let after = try engine.run(
        """
        c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
        c.execute('INSERT INTO t VALUES (2)'); c.execute('INSERT INTO t VALUES (3)')
        print(os.path.getsize('x.duckdb.wal'), flush=True); os._exit(0)
        """, in: folder)
      let scan = try #require(
        try WALFile.open(FilePath(folder + "/x.duckdb.wal"), buffer: IOBuffer(), files: Kernel())?.scan)
      _ = try StandaloneCopy(
        FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/y.duckdb"), files: Kernel(), time: SystemTime()
      ).run()
      #expect(try engine.query("y.duckdb", "SELECT count(*), sum(i) FROM t", in: folder) == "3|6")
      let copied = try? WALFile.open(FilePath(folder + "/y.duckdb.wal"), buffer: IOBuffer(), files: Kernel())?.scan
      #expect(copied?.markers.isEmpty ?? true)
      // 1.5 and later rewrite the WAL when they open it; before that the marker stays, and cutting there loses rows.
      guard Int64(after) ?? 0 > markerAt, let marker = scan.markers.first else { return }
      #expect(scan.finalMarker == nil)
      try engine.run(
        """
        shutil.copy('x.duckdb', 'z.duckdb'); d = open('x.duckdb.wal', 'rb').read()[:\(marker.range.lowerBound)]
        open('z.duckdb.wal', 'wb').write(d)
        """, in: folder)
      #expect(try engine.query("z.duckdb", "SELECT count(*) FROM t", in: folder) == "1")
    }
  }

  @Test("I5 (rule W): a copy waits for a checkpoint that runs; without the rule it is silently wrong")
  func ruleW() throws {
    try withTemporaryFolder { folder in
      let window = try CheckpointWindow(in: folder)
      let right = try window.copy(waiting: true)
      #expect(right.value == window.expected)
      #expect(right.result.iteration == window.iterationAfter)
      // Taken out, the same moment gives a copy that opens and holds other values.
      let wrong = try window.copy(waiting: false)
      #expect(wrong.result.iteration == window.iterationAfter - 1)
      #expect(wrong.value != window.expected)
    }
  }

  @Test("a checkpoint that never ends is a clear failure, not a copy")
  func endlessCheckpoint() throws {
    try withTemporaryFolder { folder in
      let window = try CheckpointWindow(in: folder)
      #expect {
        try window.copy(waiting: true, flips: false, patience: .milliseconds(500))
      } throws: { ($0 as? HotCopyError)?.code == "duckdb.does-not-settle" }
    }
  }

  @Test("I3: a log of another checkpoint is refused when the format says whose it is")
  func foreignWAL() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        """
        c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t(i INT)')
        c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (1)'); shutil.copy('x.duckdb.wal', 'old.wal')
        c.execute('CHECKPOINT'); c.close(); shutil.copy('old.wal', 'x.duckdb.wal')
        """, in: folder)
      #expect {
        try StandaloneCopy(
          FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/y.duckdb"), files: Kernel(), time: ManualTime()
        ).run()
      } throws: { ($0 as? HotCopyError)?.code == "duckdb.foreign-log" }
    }
  }

  @Test("I1, I6: two checkpoints while blocks are read: what was copied is of one header all the same")
  func missedHeader() throws {
    try withTemporaryFolder { folder in
      let engine = Engine("2.0.1")
      try engine.run(
        """
        c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t AS SELECT range i, hash(range) k FROM range(2000000)')
        c.execute('CREATE TABLE u AS SELECT hash(range) i FROM range(1000000)'); c.close()
        """, in: folder)
      let reads = Mutex(0)
      let files = HookedFileSystem(onRead: { path throws(SystemError) in
        guard path.hasSuffix("x.duckdb"),
          reads.withLock({
            $0 += 1; return $0 == 12
          })
        else { return }
        // Blocks that the first header uses are freed by the first checkpoint, and given to others by the second.
        do {
          try engine.run(
            """
            c = duckdb.connect('x.duckdb'); c.execute('DROP TABLE u'); c.execute('CHECKPOINT')
            c.execute('UPDATE t SET k = 2'); c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (-1, 2)'); c.close()
            """, in: folder)
        } catch {
          Issue.record(error)
        }
      })
      let result = try StandaloneCopy(
        FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/y.duckdb"), files: files, time: SystemTime()
      ).run()
      #expect(reads.withLock { $0 } > 12 && result.passes > 1)
      #expect(
        try engine.query("y.duckdb", "SELECT count(*), sum(i), min(k), max(k) FROM t", in: folder)
          == "2000001|1999998999999|2|2")
    }
  }

  @Test("I7: a metadata block that is being rewritten is read until its checksum is right")
  func rewrittenMetadata() throws {
    try withTemporaryFolder { folder in
      let engine = Engine("2.0.1")
      let path = folder + "/x.duckdb"
      try engine.run(
        "c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(1000)'); c.close()",
        in: folder)
      let state = try DatabaseFile(FilePath(path), files: Kernel(), time: SystemTime()).state()
      let block = try #require(state.freeList.metadata.first { _ in true })
      let offset = UInt64(state.geometry.offset(of: block)) + 5000
      let flip: @Sendable () -> Void = {
        guard let file = FileHandle(forUpdatingAtPath: path) else { return }
        file.seek(toFileOffset: offset)
        let byte = file.readData(ofLength: 1)
        file.seek(toFileOffset: offset)
        file.write(Data(byte.map { $0 ^ 4 }))
        file.closeFile()
      }
      flip()
      // What is torn when the copy looks first is whole when it looks again.
      let isTorn = Mutex(true)
      let time = ManualTime(onSleep: { _ in
        guard
          isTorn.withLock({ torn in
            defer { torn = false }; return torn
          })
        else { return }
        flip()
      })
      _ = try StandaloneCopy(FilePath(path), to: FilePath(folder + "/y.duckdb"), files: Kernel(), time: time).run()
      #expect(!isTorn.withLock { $0 })
      #expect(try engine.query("y.duckdb", "SELECT count(*), sum(i) FROM t", in: folder) == "1000|499500")
    }
  }

  @Test("I8: a database that is replaced while it is copied is no copy")
  func replaced() throws {
    try withTemporaryFolder { folder in
      try Engine("1.4.5").run(
        """
        for n in ('x', 'other'):
            c = duckdb.connect(n + '.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(100000)'); c.close()
        """, in: folder)
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        // The last look of a copy is at the path of the database.
        guard call == "openat", path.hasSuffix("x.duckdb.wal.checkpoint") else { return }
        _ = rename(folder + "/other.duckdb", folder + "/x.duckdb")
      }
      #expect {
        try StandaloneCopy(
          FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/y.duckdb"), files: files, time: SystemTime()
        ).run()
      } throws: { ($0 as? HotCopyError)?.code == "duckdb.replaced" }
      #expect(!FileManager.default.fileExists(atPath: folder + "/y.duckdb"))
    }
  }

  @Test("a damaged block in use is named, and nothing is left")
  func damagedBlock() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        "c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(500000)'); c.close()",
        in: folder)
      let path = folder + "/x.duckdb"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      bytes[12288 + 262_144 + 5000] ^= 4
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect {
        try StandaloneCopy(
          FilePath(path), to: FilePath(folder + "/y.duckdb"), files: Kernel(), time: ManualTime()
        ).run()
      } throws: { error in
        guard case HotCopyError.damaged(_, let why) = error else { return false }
        return why.contains("block 1 at byte 274432")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x.duckdb"])
    }
  }

  @Test("an existing target, or an existing log of that name, is refused")
  func existingTarget() throws {
    try withTemporaryFolder { folder in
      try Engine("1.4.5").run("duckdb.connect('x.duckdb').close(); open('y', 'w'); open('z.wal', 'w')", in: folder)
      for target in ["y", "z"] {
        #expect {
          try StandaloneCopy(
            FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/" + target), files: Kernel(), time: SystemTime()
          ).run()
        } throws: { ($0 as? SystemError)?.errno == .fileExists }
      }
    }
  }

  @Test("a process that has the database open itself is refused: closing would drop the engine's locks")
  func openHere() throws {
    try withTemporaryFolder { folder in
      try Engine("1.4.5").run("duckdb.connect('x.duckdb').close()", in: folder)
      let held = try OpenFile(FilePath(folder + "/x.duckdb"), files: Kernel())
      #expect {
        try DatabaseFile(FilePath(folder + "/x.duckdb"), files: Kernel(), time: SystemTime())
      } throws: { ($0 as? HotCopyError)?.code == "duckdb.open-in-this-process" }
      try held.close()
    }
  }
}

/// Appends a checkpoint marker and its commit, as the engine writes them when a checkpoint begins.
///
/// Returns where.
@discardableResult
func appendMarker(to path: String, metaBlock: UInt64) throws -> Int64 {
  var varint: [UInt8] = []
  var rest = metaBlock
  repeat {
    varint.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
    rest >>= 7
  } while rest > 0
  let marker: [UInt8] = [0x64, 0, 0x63, 0x65, 0, 0x64, 0] + varint + [0x65, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
  let commit: [UInt8] = [0x64, 0, 0x64, 0xFF, 0xFF]
  let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  let start = try file.seekToEnd()
  for payload in [marker, commit] {
    let checksum = payload.withUnsafeBytes { Checksum.of($0) }
    try file.write(contentsOf: Data(UInt64(payload.count).littleEndianBytes + checksum.littleEndianBytes + payload))
  }
  try file.close()
  return Int64(start)
}
