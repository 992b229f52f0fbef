import Backup
import DuckDBEngine
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// What a table is called, and what DuckDB 2.0 added: the proof must find all of it, and take none for damage.
@Suite("Names, and what DuckDB 2.0 added")
struct EngineNamesTests {
  private func library(_ engine: Engine) -> String {
    Checkout.root.appendingPathComponent(".deps/lib/\(engine.version)/libduckdb.so").path
  }

  private func prove(_ engine: Engine, _ folder: String, isScratch: Bool) throws -> EngineReport {
    try EngineRun(executable: FilePath(Checkout.hrp), files: Kernel()).run(
      EngineRequest(
        libraries: [library(engine)], database: folder + "/hrp.duckdb", isScratch: isScratch, scratch: folder))
  }

  /// Names that look alike when they are joined by dots, a schema with the name of the database, names that are ours,
  /// macros with the names of what a proof calls.
  private static let names = #"""
    c = duckdb.connect('hrp.duckdb')
    for s in ('CREATE SCHEMA hrp', 'CREATE TABLE hrp.hrp.t(i INTEGER PRIMARY KEY)', 'INSERT INTO hrp.hrp.t SELECT range FROM range(10)',
              'CREATE SCHEMA "a.b"', 'CREATE TABLE "a.b".c(i INTEGER UNIQUE)', 'INSERT INTO "a.b".c SELECT range FROM range(20)',
              'CREATE SCHEMA a', 'CREATE TABLE a."b.c"(i INTEGER UNIQUE)', 'INSERT INTO a."b.c" SELECT range FROM range(30)',
              'CREATE TABLE "new\nline \'""q"(i INTEGER PRIMARY KEY, "x\n""y" INTEGER UNIQUE)', 'INSERT INTO "new\nline \'""q" VALUES (1, 2)',
              'CREATE TABLE "hrp row"("hrp row" INTEGER PRIMARY KEY, "hrp row_" VARCHAR)', "INSERT INTO \"hrp row\" VALUES (1, 'x'), (2, 'y')",
              'CREATE TABLE r(rowid INTEGER PRIMARY KEY)', 'INSERT INTO r VALUES (5), (70000)',
              'CREATE MACRO hash(x) AS 1', 'CREATE MACRO sum(x) AS 7', 'CREATE MACRO current_database() AS 3',
              'CREATE MACRO plus(x) AS x + 1', 'CREATE TABLE m(i INTEGER PRIMARY KEY, g INTEGER GENERATED ALWAYS AS (plus(i)), CHECK (plus(i) > 0))',
              'INSERT INTO m VALUES (3)', 'CREATE VIEW w AS SELECT plus(i) FROM m'): c.execute(s)
    c.close()
    """#

  private static let expected = [
    "\"a.b\".c 20", "\"hrp row\" 2", "\"new%0aline '\"\"q\" 1", "a.\"b.c\" 30", "hrp.t 10", "m 1", "r 2",
  ]

  @Test(
    "tables whose names look alike are told apart, read and written to; no name is taken for damage",
    arguments: Engine.all)
  func names(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(Self.names, in: folder)
      for isScratch in [false, true] {
        let report = try prove(engine, folder, isScratch: isScratch)
        #expect(report.problems.isEmpty && report.checkpointProblems.isEmpty, "\(report.problems)")
        let tables = report.tables.map { "\($0.shortName.replacing("hrp row", with: "\"hrp row\"")) \($0.rows)" }
        #expect(tables.sorted() == Self.expected)
        // A macro called hash, which always gives 1, is not what is asked.
        #expect(Set(report.tables.map(\.hash)).count == report.tables.count)
      }
    }
  }

  private static let added = """
    c = duckdb.connect('hrp.duckdb')
    for s in ('CREATE SCHEMA s1', 'CREATE SCHEMA s1.s2', 'CREATE SCHEMA "s1.s2"', 'CREATE SCHEMA s2',
              'CREATE TABLE s1.s2.t(i INTEGER PRIMARY KEY, v VARCHAR)', "INSERT INTO s1.s2.t SELECT range, 'x' FROM range(3000)",
              'CREATE TABLE "s1.s2".t(i INTEGER UNIQUE)', 'INSERT INTO "s1.s2".t VALUES (1)',
              'CREATE TABLE s2.t(i INTEGER UNIQUE)', 'INSERT INTO s2.t VALUES (1), (2)',
              'CREATE INDEX x ON s1.s2.t(v)', 'CREATE VIEW s1.s2.w AS SELECT * FROM s1.s2.t', 'CREATE SEQUENCE s1.s2.q',
              'CREATE TABLE s1.s2.k(i INTEGER REFERENCES s1.s2.t(i))', 'INSERT INTO s1.s2.k VALUES (1)',
              'CREATE TABLE told(i INTEGER)', 'CREATE TABLE tt(i INTEGER PRIMARY KEY)', 'INSERT INTO tt SELECT range FROM range(50)',
              'CREATE TRIGGER "t ""1" AFTER INSERT ON tt REFERENCING NEW TABLE AS n FOR EACH STATEMENT INSERT INTO told SELECT i FROM n',
              'CREATE TRIGGER t2 AFTER DELETE ON tt FOR EACH STATEMENT INSERT INTO told VALUES (-1)',
              'CREATE TRIGGER t3 AFTER DELETE ON s1.s2.t FOR EACH STATEMENT DELETE FROM told',
              'CREATE TABLE va(i INTEGER PRIMARY KEY, v VARIANT)', "INSERT INTO va SELECT range, CASE WHEN range % 2 = 0 THEN range::VARIANT ELSE {'a': range}::VARIANT END FROM range(3000)",
              'CREATE TABLE b(i BIGNUM PRIMARY KEY)', "INSERT INTO b VALUES ('123456789012345678901234567890123456789012345678901234567890'::BIGNUM)",
              'CREATE TABLE g(i INTEGER PRIMARY KEY, g GEOMETRY)', "INSERT INTO g VALUES (1, 'POINT(1 2)'::GEOMETRY)",
              'CREATE SECURE VIEW sv AS SELECT * FROM tt', 'INSERT INTO told VALUES (7)'): c.execute(s)
    c.execute('CHECKPOINT'); c.execute('DELETE FROM s1.s2.t WHERE i BETWEEN 5 AND 9'); c.execute('INSERT INTO told VALUES (8)')
    os._exit(0)
    """

  @Test("nested schemas, triggers, VARIANT, BIGNUM, GEOMETRY and secure views pass; no trigger fires for the proof")
  func added() throws {
    try withTemporaryFolder { folder in
      let engine = Engine("2.0.1")
      try engine.run(Self.added, in: folder)
      for isScratch in [false, true] {
        let report = try prove(engine, folder, isScratch: isScratch)
        #expect(report.problems.isEmpty && report.checkpointProblems.isEmpty, "\(report.problems)")
        #expect(report.notices.isEmpty && report.stage == .views)
        let tables = report.tables.map { "\($0.path.parts) \($0.rows)" }
        #expect(tables.contains(#"["s1", "s2", "t"] 2995"#) && tables.contains(#"["s1.s2", "t"] 1"#))
        #expect(tables.contains(#"["s2", "t"] 2"#) && tables.contains(#"["s1", "s2", "k"] 1"#))
      }
      // One row before the checkpoint, what the third trigger took, one after.
      #expect(try engine.query("hrp.duckdb", "SELECT count(*), sum(i) FROM told", in: folder) == "1|8")
    }
  }

  @Test("verify, drill and validate of a stack with nested schemas pass, as does the second drill")
  func stack() throws {
    try withStack { sample in
      try Engine("2.0.1").run(Self.added, in: sample.data)
      _ = try sample.create()
      let environment = ["HRP_DUCKDB_LIBRARY": library(Engine("2.0.1"))]
      for command in [
        ["backup", "verify", "latest", "--level", "engine"], ["backup", "drill"], ["backup", "drill"], ["validate"],
      ] {
        let done = try run(
          Checkout.hrp, command + ["--data-dir", sample.data], in: sample.folder, environment: environment)
        #expect(done.status == 0, "\(command): \(done.output)\(done.errors)")
      }
    }
  }

  @Test("a view whose table is gone is a notice, and no failure", arguments: Engine.all)
  func danglingView(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(
        """
        c = duckdb.connect('hrp.duckdb'); c.execute('CREATE TABLE t(i INTEGER)'); c.execute('CREATE VIEW w AS SELECT i FROM t')
        c.execute('DROP TABLE t'); c.close()
        """, in: folder)
      for isScratch in [false, true] {
        let report = try prove(engine, folder, isScratch: isScratch)
        #expect(report.problems.isEmpty && report.checkpointProblems.isEmpty)
        #expect(report.notices.count == 1 && report.notices.first?.hasPrefix("view main.w cannot be used: ") == true)
      }
    }
  }

  @Test("a view that asks for all memory, for ever, or for itself ends in bounded time and memory, and is a notice")
  func hostileViews() throws {
    try withTemporaryFolder { folder in
      let engine = Engine("2.0.1")
      try engine.run(
        """
        c = duckdb.connect('hrp.duckdb'); c.execute('PRAGMA disable_optimizer'); c.execute('CREATE TABLE t AS SELECT range i FROM range(10)')
        c.execute('CREATE VIEW a AS SELECT list_sum(range(2000000000)) x'); c.execute("CREATE VIEW b AS SELECT length(repeat('x', 2000000000)) x")
        c.execute('CREATE VIEW c AS WITH RECURSIVE r AS (SELECT 1 x UNION ALL SELECT x FROM r) SELECT * FROM r')
        c.execute('CREATE VIEW d AS SELECT * FROM t'); c.execute('CREATE VIEW e AS SELECT * FROM d'); c.execute('CREATE OR REPLACE VIEW d AS SELECT * FROM e')
        c.execute("CREATE VIEW z AS SELECT levenshtein(repeat('a', 900000), repeat('b', 900000)) x"); c.close()
        """, in: folder)
      let began = ContinuousClock.now
      let report = try EngineRun(executable: FilePath(Checkout.hrp), viewPatience: .seconds(2), files: Kernel()).run(
        EngineRequest(libraries: [library(engine)], database: folder + "/hrp.duckdb", scratch: folder))
      #expect(report.problems.isEmpty && report.tables.map(\.rows) == [10], "\(report.problems)")
      #expect(report.notices.contains { $0.hasPrefix("view main.d cannot be used: ") }, "\(report.notices)")
      #expect(report.notices.last?.contains("view main.z: the engine gave no answer for 2 s") == true)
      #expect(ContinuousClock.now - began < .seconds(30))
    }
  }

  @Test("an old proof names tables by text: they are read as what they can only be, and held against what they may be")
  func oldProofs() throws {
    let decode = { (text: String) in try JSONDecoder().decode(TableFingerprint.self, from: Data(text.utf8)) }
    #expect(try decode(#"{"name":"main.t","rows":1,"hash":"1-2"}"#).path.parts == ["main", "t"])
    let odd = try decode(#"{"name":"a.b.c","rows":1,"hash":"1-2"}"#)
    #expect(odd.path.parts == ["a.b.c"] && !odd.isIdentified)
    let new = TableFingerprint(path: TablePath(["a", "b.c"]), rows: 1, hash: "1-2")
    let bytes = try JSONEncoder().encode(new)
    #expect(try JSONDecoder().decode(TableFingerprint.self, from: bytes) == new)
    #expect(String(decoding: bytes, as: UTF8.self).contains(#""name":"a.b.c""#))
  }

  @Test("a drill is held against a first drill that was noted before tables had paths")
  func drillAgainstOldProof() throws {
    try withStack { sample in
      try Engine("2.0.1").run(
        """
        c = duckdb.connect('hrp.duckdb')
        for s, t, n in (('"a.b"', 'c', 20), ('a', '"b.c"', 30)):
            c.execute(f'CREATE SCHEMA {s}'); c.execute(f'CREATE TABLE {s}.{t} AS SELECT range i FROM range({n})')
        c.close()
        """, in: sample.data)
      let result = try sample.create()
      let drill = {
        try run(
          Checkout.hrp, ["backup", "drill", "--data-dir", sample.data, "--json"], in: sample.folder,
          environment: ["HRP_DUCKDB_LIBRARY": library(Engine("2.0.1"))])
      }
      #expect(try drill().status == 0)
      let path = URL(fileURLWithPath: sample.backups + "/.hrp-proofs/\(result.name).json")
      let text = try String(contentsOf: path, encoding: .utf8)
      let old = text.replacing(try Regex(#""path" : \[[^\]]*\],"#), with: "")
      #expect(old != text)
      try Data(old.utf8).write(to: path)
      let second = try drill()
      #expect(second.status == 0, "\(second.output)")
      try Data(old.replacing("\"rows\" : 30", with: "\"rows\" : 31").utf8).write(to: path)
      let third = try drill()
      #expect(third.status == 1 && third.output.contains("in the first drill"))
    }
  }
}
