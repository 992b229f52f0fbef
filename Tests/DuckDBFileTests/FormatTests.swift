import DuckDBFile
import Files
import Foundation
import SystemPackage
import TestKit
import Testing

@Suite("DuckDB file format")
struct FormatTests {
  @Test("an all-zero unit has the checksum 5381, so a zero-filled block is never right")
  func zeros() {
    let zeros = [UInt8](repeating: 0, count: 4096)
    zeros.withUnsafeBytes { bytes in
      #expect(Checksum.of(bytes) == 5381)
      #expect(!Checksum.isRight(bytes))
    }
  }

  @Test(
    "the checksum of any length is the one that an independent implementation gives", arguments: [8, 13, 16, 31, 64])
  func checksumAgainstPython(length: Int) throws {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
    let script = """
      d = bytes((i * 37 + 11) & 255 for i in range(\(length))); M64 = 2**64 - 1
      h = 5381
      for i in range(0, len(d) // 8 * 8, 8): h ^= int.from_bytes(d[i:i+8], 'little') * 0xbf58476d1ce4e5b9 & M64
      t = d[len(d) // 8 * 8:]; r = len(t)
      if r:
          M = 0xc6a4a7935bd1e995; x = 0xe17a1465 ^ (r * M & M64)
          for i in range(r - 1, 0, -1): x ^= t[i] << (8 * i)
          x ^= t[0]; x = x * M & M64; x ^= x >> 47; x = x * M & M64; x ^= x >> 47; h ^= x
      print(h)
      """
    let expected = try Engine("2.0.1").run(script, in: "/")
    #expect(String(bytes.withUnsafeBytes { Checksum.of($0) }) == expected)
    // In pieces of any size it is the same.
    for size in 1...length {
      var stream = StreamingChecksum()
      for start in stride(from: 0, to: length, by: size) {
        Array(bytes[start..<min(start + size, length)]).withUnsafeBytes { stream.update($0) }
      }
      #expect(String(stream.value) == expected)
    }
  }

  @Test(
    "block sizes and storage versions of the real engine are read as it means them", arguments: [16384, 65536, 262144])
  func geometry(blockSize: Int) throws {
    try withTemporaryFolder { folder in
      for (engine, storage, expected) in [("1.4.5", "v1.0.0", 64), ("1.4.5", "v1.4.0", 67), ("1.5.6", "v1.5.0", 68)] {
        let name = "\(engine)-\(storage).duckdb"
        try Engine(engine).run(
          """
          c = duckdb.connect()
          c.execute("ATTACH '\(name)' AS d (BLOCK_SIZE \(blockSize), STORAGE_VERSION '\(storage)')")
          c.execute("CREATE TABLE d.t AS SELECT range i, 'x' || range s FROM range(200000)")
          c.execute("CREATE TABLE d.gone AS SELECT range i FROM range(200000)"); c.execute("CHECKPOINT d")
          c.execute("DROP TABLE d.gone"); c.execute("CHECKPOINT d"); c.close()
          """, in: folder)
        let path = FilePath(folder).appending(name)
        let state = try DatabaseFile(path, files: Kernel(), time: SystemTime()).state()
        #expect(state.main.storageVersion == UInt64(expected))
        #expect(state.geometry.allocationSize == Int64(blockSize))
        #expect(!state.freeList.free.isEmpty)
        let copy = FilePath(folder).appending("copy-" + name)
        let result = try StandaloneCopy(path, to: copy, files: Kernel(), time: SystemTime()).run()
        #expect(result.blocksFree == state.freeList.free.count)
        #expect(
          try Engine(engine).query(copy.string, "SELECT count(*), sum(i) FROM t", in: folder) == "200000|19999900000")
      }
    }
  }

  @Test("an unknown storage version is refused and says what to do")
  func unknownVersion() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/x.duckdb"
      try Engine("1.4.5").run(
        "c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t(i INT)'); c.close()", in: folder)
      try rewriteMainHeader(path) { $0.replaceSubrange(12..<20, with: UInt64(63).littleEndianBytes) }
      #expect {
        try StandaloneCopy(FilePath(path), to: FilePath(folder + "/y"), files: Kernel(), time: SystemTime()).run()
      } throws: { error in
        guard case HotCopyError.unknownVersion(_, 63, _) = error else { return false }
        return (error as? HotCopyError)?.remedy.contains("Install a newer hrp") == true
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/y"))
    }
  }

  @Test(
    "what is no database is told from a damaged one and from an encrypted one",
    arguments: ["empty", "garbage", "short", "both headers bad"])
  func notADatabase(kind: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/x.duckdb"
      try Engine("1.4.5").run(
        "c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t(i INT)'); c.close()", in: folder)
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      switch kind {
      case "empty": bytes = Data()
      case "garbage": bytes = Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
      case "short": bytes = bytes.prefix(6000)
      default: for offset in [4200, 8300] { bytes[offset] ^= 1 }
      }
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect {
        try DatabaseFile(FilePath(path), files: Kernel(), time: ManualTime()).state()
      } throws: { ($0 as? HotCopyError)?.code == "duckdb.not-a-database" }
    }
  }

  @Test("a free list that lies about its length or its blocks is refused, never believed")
  func hostileFreeList() {
    let cases: [[UInt8]] = [
      UInt64.max.littleEndianBytes,
      UInt64(3).littleEndianBytes + UInt64(1).littleEndianBytes,
      UInt64(1).littleEndianBytes + UInt64(99).littleEndianBytes + UInt64(0).littleEndianBytes
        + UInt64(0).littleEndianBytes,
      UInt64(1).littleEndianBytes + (UInt64(bitPattern: -1)).littleEndianBytes,
      UInt64(2).littleEndianBytes + UInt64(1).littleEndianBytes + UInt64(1).littleEndianBytes,
    ]
    for stream in cases { #expect(throws: FormatError.self) { try FreeList(parsing: stream, blockCount: 10) } }
  }

  @Test("the log of the real engine is walked to its last commit, whatever is torn behind it")
  func logScan() throws {
    try withTemporaryFolder { folder in
      for engine in Engine.all {
        try engine.run(
          """
          c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
          c.execute('CREATE TABLE t(i INT)')
          for i in range(5): c.execute('INSERT INTO t VALUES (?)', [i])
          shutil.copy('x.duckdb', 'y.duckdb'); shutil.copy('x.duckdb.wal', 'y.duckdb.wal'); os._exit(0)
          """, in: folder)
        let path = FilePath(folder + "/y.duckdb.wal")
        let whole = try #require(try WALFile.open(path, buffer: IOBuffer(), files: Kernel())?.scan)
        #expect(whole.commits == 6)
        #expect(whole.lastCommitEnd == whole.end)
        #expect(whole.tail == .nothing)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path.string))
        for cut in [1, 7, 17, 30] {
          try bytes.dropLast(cut).write(to: URL(fileURLWithPath: path.string))
          let scan = try #require(try WALFile.open(path, buffer: IOBuffer(size: 4096), files: Kernel())?.scan)
          #expect(scan.commits == 5, "\(engine), \(cut) bytes cut")
          #expect(scan.tail != .nothing)
        }
        for name in ["x.duckdb", "x.duckdb.wal", "y.duckdb", "y.duckdb.wal"] {
          try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
      }
    }
  }

  @Test("a set of blocks finds runs, neighbours and its last member across words")
  func blockSet() {
    var set = BlockSet(limit: 300)
    for block in [0, 1, 2, 63, 64, 65, 128, 299] { set.insert(block) }
    #expect(Array(set) == [0, 1, 2, 63, 64, 65, 128, 299])
    #expect(set.run(from: 1, maximum: 10) == 1..<3)
    #expect(set.run(from: 60, maximum: 2) == 63..<65)
    #expect(set.last == 299)
    #expect(set.limited(to: 100).count == 6)
    #expect(BlockSet(limit: 70, all: true).count == 70)
    #expect(BlockSet(limit: 70, all: true).subtracting(set.limited(to: 70)).count == 64)
  }
}

extension FixedWidthInteger {
  var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}

/// Changes the main header and gives it its right checksum again.
func rewriteMainHeader(_ path: String, _ change: (inout Data) -> Void) throws {
  var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
  change(&bytes)
  let checksum = Array(bytes[8..<4096]).withUnsafeBytes { Checksum.of($0) }
  bytes.replaceSubrange(0..<8, with: checksum.littleEndianBytes)
  try bytes.write(to: URL(fileURLWithPath: path))
}
