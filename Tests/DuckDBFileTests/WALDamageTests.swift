import DuckDBFile
import Files
import Foundation
import Synchronization
import SystemPackage
import TestKit
import Testing

/// What a copy makes of a WAL that is cut, changed or followed by other bytes, beside what the engine itself makes of it.
@Suite("Damaged WAL")
struct WALDamageTests {
  /// What an engine, or a copy, gives.
  private enum Answer: Equatable, CustomStringConvertible {
    case rows(Int)
    case refuses

    var description: String {
      switch self {
      case .rows(let count): "\(count) rows"
      case .refuses: "refuses"
      }
    }
  }

  /// A way to spoil the WAL of ten transactions of two rows each: Python that changes `d`, the bytes of the WAL.
  private struct Case {
    let name: String
    /// `at(n)` is where the n-th transaction begins, counted from 0.
    let python: String
    /// What 1.4.5 and 1.5.6 make of it, what 2.0.1 makes of it, and what a copy must make of it in each.
    let old: Answer
    let new: Answer
    let copyOfOld: Answer
    let copyOfNew: Answer
  }

  private static let cases: [Case] = [
    Case(
      name: "cut in the middle of the last entry", python: "d = d[:-9]", old: .rows(18), new: .rows(18),
      copyOfOld: .rows(18), copyOfNew: .rows(18)),
    Case(
      name: "a flipped byte in a middle entry", python: "d[at(5) + 18] ^= 4", old: .refuses, new: .refuses,
      copyOfOld: .refuses, copyOfNew: .refuses),
    Case(
      name: "a flipped byte in a middle checksum", python: "d[at(5) + 9] ^= 4", old: .refuses, new: .refuses,
      copyOfOld: .refuses, copyOfNew: .refuses),
    Case(
      name: "a flipped byte in the last committed entry", python: "d[at(9) + 18] ^= 4", old: .refuses, new: .refuses,
      copyOfOld: .refuses, copyOfNew: .refuses),
    Case(
      name: "the high byte of a middle size", python: "d[at(5) + 7] ^= 1", old: .rows(10), new: .rows(10),
      copyOfOld: .refuses, copyOfNew: .refuses),
    Case(
      name: "valid entries without a commit at the end", python: "d += d[at(9):frames[9 * len(frames) // 10 + 1]]",
      old: .rows(20),
      new: .rows(20),
      copyOfOld: .rows(20), copyOfNew: .rows(20)),
    Case(
      name: "3 bytes at the end", python: "d += bytes([1, 2, 3])", old: .rows(20), new: .rows(20), copyOfOld: .rows(20),
      copyOfNew: .rows(20)),
    Case(
      name: "random bytes with a huge size at the end", python: "d += bytes(range(100, 164))", old: .rows(20),
      new: .rows(20), copyOfOld: .rows(20), copyOfNew: .rows(20)),
    Case(
      name: "8 zero bytes at the end", python: "d += bytes(8)", old: .rows(20), new: .rows(20), copyOfOld: .rows(20),
      copyOfNew: .rows(20)),
    Case(
      name: "64 zero bytes at the end", python: "d += bytes(64)", old: .refuses, new: .rows(20), copyOfOld: .refuses,
      copyOfNew: .rows(20)),
    Case(
      name: "zeros from the middle to the end", python: "d[at(5):] = bytes(len(d) - at(5))", old: .refuses,
      new: .rows(10), copyOfOld: .refuses, copyOfNew: .rows(10)),
    Case(
      name: "a wrong byte in the header", python: "d[2] ^= 1", old: .rows(0), new: .rows(0), copyOfOld: .refuses,
      copyOfNew: .refuses),
    Case(
      name: "all zeros", python: "d[:] = bytes(len(d))", old: .rows(0), new: .rows(0), copyOfOld: .refuses,
      copyOfNew: .refuses),
  ]

  private static let make = """
    c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t(i INT)')
    c.execute('CHECKPOINT')
    for k in range(10): c.execute('INSERT INTO t VALUES (%d), (%d)' % (k, k))
    os._exit(0)
    """

  @Test(
    "the table of docs/formats/duckdb.md §2.1: what is damage ends the copy, what is not is copied",
    arguments: Engine.all)
  func table(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(Self.make, in: folder)
      let isNew = engine.version.hasPrefix("2.")
      for (number, spoilt) in Self.cases.enumerated() {
        let database = "\(number)/x.duckdb"
        let opened = try engine.run(
          """
          import struct
          os.mkdir('\(number)'); shutil.copy('x.duckdb', '\(database)'); d = bytearray(open('x.duckdb.wal', 'rb').read())
          start, frames = d.index(b'\\xff\\xff') + 2, []
          while start < len(d): frames.append(start); start += 16 + struct.unpack_from('<Q', d, start)[0]
          at = lambda n: frames[n * len(frames) // 10]
          assert len(frames) % 10 == 0
          \(spoilt.python)
          open('\(database).wal', 'wb').write(d); os.mkdir('e'); shutil.copy('\(database)', 'e/x.duckdb')
          shutil.copy('\(database).wal', 'e/x.duckdb.wal')
          try: print(duckdb.connect('e/x.duckdb').execute('SELECT count(*) FROM t').fetchone()[0])
          except Exception as error: print('refuses')
          shutil.rmtree('e')
          """, in: folder)
        let answer = Int(opened).map { Answer.rows($0) } ?? .refuses
        #expect(answer == (isNew ? spoilt.new : spoilt.old), "\(engine): \(spoilt.name)")
        let copied = try copy(folder, database, with: engine)
        #expect(copied == (isNew ? spoilt.copyOfNew : spoilt.copyOfOld), "a copy, \(engine): \(spoilt.name)")
      }
    }
  }

  private func copy(_ folder: String, _ database: String, with engine: Engine) throws -> Answer {
    let target = folder + "/copy-\(UUID().uuidString)"
    do {
      _ = try StandaloneCopy(
        FilePath(folder + "/" + database), to: FilePath(target), files: Kernel(), time: ManualTime()
      ).run()
    } catch let error as HotCopyError {
      #expect(["duckdb.wal-damaged", "duckdb.damaged"].contains(error.code), "\(error)")
      #expect(!FileManager.default.fileExists(atPath: target))
      return .refuses
    }
    return .rows(Int(try engine.query(target, "SELECT count(*) FROM t", in: folder)) ?? -1)
  }

  @Test("the error says how many commits lie behind the damage")
  func commitsBehind() throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run(Self.make, in: folder)
      let path = folder + "/x.duckdb.wal"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      let scan = try #require(try WALFile.open(FilePath(path), buffer: IOBuffer(), files: Kernel())?.scan)
      #expect(scan.commits == 10)
      bytes[bytes.count / 2] ^= 0x10
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect {
        try StandaloneCopy(
          FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/y"), files: Kernel(), time: ManualTime()
        ).run()
      } throws: { error in
        guard case HotCopyError.walDamaged(_, _, let commits) = error else { return false }
        return commits == 5 || commits == 6
      }
    }
  }

  @Test("commits that are appended while the WAL is read are no damage: they are left for the next look")
  func appendedMeanwhile() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(Self.make, in: folder)
      let path = folder + "/x.duckdb.wal"
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      let half = try #require(
        Int(
          Engine("2.0.1").run(
            """
            import struct
            d = open('x.duckdb.wal', 'rb').read(); start, frames = d.index(b'\\xff\\xff') + 2, []
            while start < len(d): frames.append(start); start += 16 + struct.unpack_from('<Q', d, start)[0]
            print(frames[5 * len(frames) // 10])
            """, in: folder)))
      try whole.prefix(half).write(to: URL(fileURLWithPath: path))
      let reads = Atomic(0)
      let files = HookedFileSystem(onRead: { _ throws(SystemError) in
        // The header was read, and the size was asked for: now a writer commits.
        if reads.add(1, ordering: .relaxed).newValue == 2, let file = FileHandle(forWritingAtPath: path) {
          file.seekToEndOfFile()
          file.write(whole.suffix(from: half))
          try? file.close()
        }
      })
      let wal = try #require(try WALFile.open(FilePath(path), buffer: IOBuffer(), files: files))
      #expect(wal.damage == nil && wal.scan?.commits == 5 && wal.scan?.tail == .nothing)
      try wal.scanAgain()
      #expect(wal.damage == nil && wal.scan?.commits == 10)
    }
  }

  @Test("a flipped byte beside a live writer ends the copy; its own CHECKPOINT saves every row", arguments: Engine.all)
  func besideAWriter(engine: Engine) throws {
    try withTemporaryFolder { folder in
      let output = try engine.run(
        """
        import subprocess
        c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t(i INT)')
        c.execute('CHECKPOINT')
        for k in range(10): c.execute('INSERT INTO t VALUES (%d), (%d)' % (k, k))
        n = os.path.getsize('x.duckdb.wal') // 2
        with open('x.duckdb.wal', 'r+b') as f: f.seek(n); b = f.read(1); f.seek(n); f.write(bytes([b[0] ^ 4]))
        copy = lambda name: subprocess.run(['\(Checkout.hrp)', 'duckdb', 'copy', 'x.duckdb', name, '--json'], capture_output=True, text=True)
        first = copy('y.duckdb'); print(first.returncode, 'duckdb.wal-damaged' in first.stdout, 'CHECKPOINT' in first.stdout)
        c.execute('CHECKPOINT'); print(copy('z.duckdb').returncode, os.path.exists('y.duckdb'), flush=True); os._exit(0)
        """, in: folder)
      #expect(output == "1 True True\n0 False")
      #expect(try engine.query("z.duckdb", "SELECT count(*) FROM t", in: folder) == "20")
    }
  }

  @Test(
    "an entry of an unknown type ends the copy where it would be replayed, and nowhere else",
    arguments: [7, 19, 45, 97])
  func unknownEntry(type: Int) throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run(Self.make, in: folder)
      let (database, wal) = (FilePath(folder + "/x.duckdb"), folder + "/x.duckdb.wal")
      let entry: [UInt8] = [0x64, 0, UInt8(type), 0x65, 0, 1, 0xFF, 0xFF]
      // Not committed: it is cut away.
      try append([entry], to: wal)
      _ = try StandaloneCopy(database, to: FilePath(folder + "/y"), files: Kernel(), time: ManualTime()).run()
      try append([[0x64, 0, 0x64, 0xFF, 0xFF]], to: wal)
      #expect {
        try StandaloneCopy(database, to: FilePath(folder + "/z"), files: Kernel(), time: ManualTime()).run()
      } throws: { error in
        guard case HotCopyError.unknownEntry(_, let found, _) = error else { return false }
        return found == UInt8(type)
      }
    }
  }

  @Test("a file one of whose two headers is torn is no file to copy: no engine opens it", arguments: [true, false])
  func tornSlot(isCurrent: Bool) throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run(
        """
        c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t AS SELECT range i, hash(range) h FROM range(3000)')
        c.execute('CHECKPOINT'); c.close()
        """, in: folder)
      let path = folder + "/x.duckdb"
      let file = try OpenFile(FilePath(path), mode: [.write], files: Kernel())
      let pair = try HeaderPair(parsing: file.read(count: 8192, at: 4096))
      let slot = isCurrent ? pair.currentSlot : 1 - pair.currentSlot
      try file.write([1, 2, 3], at: Int64(4096 + slot * 4096 + 200))
      try file.close()
      let time = ManualTime()
      let before = time.monotonicNanoseconds
      #expect {
        try StandaloneCopy(FilePath(path), to: FilePath(folder + "/y"), files: Kernel(), time: time).run()
      } throws: { error in
        if case HotCopyError.damaged = error { true } else { false }
      }
      #expect(throws: (any Error).self) { try Engine("1.5.6").query("x.duckdb", "SELECT count(*) FROM t", in: folder) }
      #expect(time.monotonicNanoseconds - before < 3_000_000_000)
    }
  }
}

/// Appends entries as the engine writes them: size, checksum, payload.
func append(_ payloads: [[UInt8]], to path: String) throws {
  let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  try file.seekToEnd()
  for payload in payloads {
    let checksum = payload.withUnsafeBytes { Checksum.of($0) }
    try file.write(contentsOf: Data(UInt64(payload.count).littleEndianBytes + checksum.littleEndianBytes + payload))
  }
  try file.close()
}
