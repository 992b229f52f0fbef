import DuckDBFile
import Files
import Foundation
import SystemPackage
import TestKit
import Testing

/// What a program that imports the product sees.
@Suite("The library DuckDBFile")
struct LibraryTests {
  /// A database with a checkpoint of 1,000 rows, and 10 more in its WAL, that a program has open.
  private func withOpenDatabase(_ engine: Engine, body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let program = try start(
        Checkout.python,
        [
          "-c",
          """
          import duckdb, sys; c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
          c.execute('CREATE TABLE t AS SELECT range i FROM range(1000)'); c.execute('CHECKPOINT')
          c.execute('INSERT INTO t SELECT range FROM range(10)'); print('ready', flush=True)
          import time; time.sleep(600)
          """,
        ], in: folder, environment: engine.environment, until: "ready")
      defer { program.terminate() }
      try body(folder)
    }
  }

  @Test("a database that a program has open is looked into, and copied with its WAL", arguments: Engine.all)
  func open(engine: Engine) throws {
    try withOpenDatabase(engine) { folder in
      let facts = try inspectDatabase(folder + "/x.duckdb")
      #expect((64...69).contains(facts.storageVersion) && facts.libraryVersion == "v\(engine.version)")
      #expect(facts.wal?.state == .readable && facts.wal?.commits == 1 && facts.checkpointWAL == nil)
      #expect(facts.writer != nil && !facts.isEncrypted && facts.blockSize == 262_144)
      let copy = try copyDatabase(folder + "/x.duckdb", to: folder + "/y.duckdb")
      #expect(copy.walPath == folder + "/y.duckdb.wal" && copy.walBytes > 0)
      #expect(copy.checkpoint == facts.checkpoint && copy.blocksInUse == facts.blocksInUse)
      #expect(try engine.query("y.duckdb", "SELECT count(*) FROM t", in: folder) == "1010")
      let there = try inspectDatabase(folder + "/y.duckdb")
      #expect(there.writer == nil && there.holder == nil)
    }
  }

  @Test("what is refused has a code and a remedy; what the system refuses is a SystemFailure")
  func refusals() throws {
    try withTemporaryFolder { folder in
      try Engine.all[0].run("open('text', 'w').write('x' * 20000)", in: folder)
      let calls: [() throws -> Any] = [
        { try copyDatabase(folder + "/text", to: folder + "/y") }, { try inspectDatabase(folder + "/text") },
      ]
      for refused in calls {
        #expect {
          _ = try refused()
        } throws: {
          let error = $0 as? HotCopyError
          return error?.code == "duckdb.not-a-database" && error?.remedy.isEmpty == false
        }
      }
      #expect {
        try copyDatabase(folder + "/nowhere", to: folder + "/y")
      } throws: {
        ($0 as? SystemFailure)?.errno == .noSuchFileOrDirectory
      }
      #expect {
        try copyDatabase(folder + "/text", to: folder + "/text")
      } throws: {
        ($0 as? SystemFailure)?.errno == .fileExists
      }
    }
  }

  @Test("of an encrypted database what can be read is said, and it is copied as it is")
  func encrypted() throws {
    try withTemporaryFolder { folder in
      try Engine.all[0].run(
        """
        c = duckdb.connect(); c.execute("SET force_mbedtls_unsafe = 'true'")
        c.execute("ATTACH 'x.duckdb' AS x (ENCRYPTION_KEY 'secret')")
        c.execute('CREATE TABLE x.t AS SELECT range i FROM range(10)'); c.close()
        """, in: folder)
      let facts = try inspectDatabase(folder + "/x.duckdb")
      #expect(facts.isEncrypted && facts.checkpoint == nil && facts.blocksInUse == nil && facts.sizeBytes > 0)
      let copy = try copyDatabase(folder + "/x.duckdb", to: folder + "/y.duckdb")
      #expect(copy.method == "verbatim" && copy.sizeBytes == facts.sizeBytes && copy.walPath == nil)
    }
  }
}
