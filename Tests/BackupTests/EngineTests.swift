import Backup
import DuckDBEngine
import DuckDBFile
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// The level `engine`: DuckDB itself reads a backup, in a process of its own.
@Suite("The engine's own reading")
struct EngineTests {
  private static let content = """
    c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
    c.execute('CREATE TABLE p(id INTEGER PRIMARY KEY, n VARCHAR)'); c.execute("INSERT INTO p SELECT range, 'n' || range FROM range(1000)")
    c.execute('CREATE TABLE k(pid INTEGER REFERENCES p(id), v INTEGER[])'); c.execute('INSERT INTO k SELECT range % 1000, [range] FROM range(5000)')
    c.execute('CREATE VIEW w AS SELECT n FROM p'); c.execute('CREATE SEQUENCE s')
    c.execute('CREATE SCHEMA "o d""d"'); c.execute('CREATE TABLE "o d""d"."t x"(a INTEGER)')
    c.execute('CHECKPOINT'); c.execute("INSERT INTO p VALUES (5000, 'in the log')"); os._exit(0)
    """

  private static func library(_ engine: Engine) -> String {
    Checkout.root.appendingPathComponent(".deps/lib/\(engine.version)/libduckdb.so").path
  }

  private func prove(_ database: String, with engine: Engine, in folder: String) throws -> EngineReport {
    try EngineRun(executable: FilePath(Checkout.hrp), files: Kernel()).run(
      EngineRequest(libraries: [Self.library(engine)], database: folder + "/" + database, scratch: folder))
  }

  @Test("every table is read with its log, views bind, and no byte changes", arguments: Engine.all)
  func reading(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(Self.content, in: folder)
      let before = try run("/bin/sh", ["-c", "sha256sum *"], in: folder).output
      let report = try prove("x.duckdb", with: engine, in: folder)
      #expect(report.version == "v" + engine.version)
      #expect(report.problems.isEmpty, "\(report.problems)")
      #expect(
        report.tables.map { "\($0.name) \($0.rows)" } == ["main.k 5000", "main.p 1001", "\"o d\"\"d\".t x 0"])
      #expect(try run("/bin/sh", ["-c", "sha256sum *"], in: folder).output == before)
    }
  }

  @Test(
    "a fingerprint is the same for the same rows in another order, and another for other rows", arguments: Engine.all)
  func fingerprints(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(
        """
        for name, sql in [('a', 'SELECT range i, NULL::INT n FROM range(9000)'), ('b', 'SELECT range i, NULL::INT n FROM range(9000) ORDER BY i DESC'),
                          ('c', 'SELECT CASE WHEN range = 7 THEN 8 WHEN range = 8 THEN 7 ELSE range END i, CASE WHEN range = 8 THEN 1 END n FROM range(9000)')]:
            c = duckdb.connect(name); c.execute('CREATE TABLE t AS ' + sql); c.close()
        """, in: folder)
      let hashes = try ["a", "b", "c"].map { try prove($0, with: engine, in: folder).tables.map(\.hash) }
      #expect(hashes[0] == hashes[1] && hashes[0] != hashes[2])
    }
  }

  @Test(
    "a catalogue that no checksum of a block betrays is found: the engine says so, and we go on", arguments: Engine.all)
  func catalogue(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(Self.content, in: folder)
      let path = folder + "/x.duckdb"
      let source = try DatabaseFile(FilePath(path), files: Kernel(), time: SystemTime())
      let state = try source.state()
      try source.file.close()
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      let block = try #require(state.header.metaBlock)
      let start = Int(state.geometry.offset(of: block.block)), size = Int(state.geometry.allocationSize)
      // Nonsense in the catalogue's first part, and a right checksum over it.
      let part = Int(state.geometry.offset(of: block))
      for index in (part + 16)..<(part + 300) { bytes[index] = 0xEE }
      let sum = bytes[(start + 8)..<(start + size)].withUnsafeBytes { Checksum.of($0) }
      withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(start..<(start + 8), with: $0) }
      try bytes.write(to: URL(fileURLWithPath: path))
      #expect(!(try prove("x.duckdb", with: engine, in: folder).problems.isEmpty))
    }
  }

  @Test("a database of a newer DuckDB than the library is called that, and not damaged")
  func newer() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(Self.content, in: folder)
      #expect {
        try prove("x.duckdb", with: Engine("1.4.5"), in: folder)
      } throws: {
        guard case .tooOld(let version, _)? = $0 as? EngineError else { return false }
        return version == "v1.4.5"
      }
      #expect(try prove("x.duckdb", with: Engine("2.0.1"), in: folder).problems.isEmpty)
    }
  }

  @Test("an engine that crashes is a finding that names what it read")
  func crash() throws {
    try withTemporaryFolder { folder in
      let script = """
        #!/bin/sh
        echo '{"at":{"_0":"table main.t"}}'
        kill -SEGV $$
        """
      try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/hrp"))
      try run("/bin/chmod", ["+x", folder + "/hrp"])
      let report = try EngineRun(executable: FilePath(folder + "/hrp"), files: Kernel()).run(
        EngineRequest(libraries: [], database: "x", scratch: folder))
      #expect(report.problems.map(\.name) == ["table main.t"])
      #expect(report.problems.first?.detail.contains("crashed (signal 11)") == true)
    }
  }

  @Test("verify --level engine says what was read; without a library it says how to get one")
  func command() throws {
    try withStack { sample in
      let result = try sample.create()
      let verify = { (library: String) in
        try run(
          Checkout.hrp, ["backup", "verify", result.path, "--level", "engine", "--json"], in: sample.folder,
          environment: ["HRP_DUCKDB_LIBRARY": library])
      }
      let done = try verify(Self.library(Engine("2.0.1")))
      let report = try #require(JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String: Any])
      #expect(done.status == 0 && report["level"] as? String == "engine")
      let tables = (report["engine"] as? [String: Any])?["tables"] as? [[String: Any]]
      #expect(tables?.map { "\($0["name"] ?? "") \($0["rows"] ?? "")" } == ["main.t 1000"])
      let without = try verify("/nowhere/libduckdb.so")
      #expect(without.status == 1 && without.output.contains("engine.unavailable"))
      #expect(without.output.contains("HRP_DUCKDB_LIBRARY"))
    }
  }

  @Test("what the level structure finds is told, and the engine is not asked about a damaged file")
  func damaged() throws {
    try withStack { sample in
      let result = try sample.create()
      try SampleStack.change(result.path + "/hrp.duckdb") { $0[20_000] ^= 1 }
      let report = try sample.verify(result.path, level: .engine)
      #expect(!report.isOK && report.level == .structure && report.engine == nil)
    }
  }

  @Test("the child ends when its parent is killed")
  func orphan() throws {
    try withTemporaryFolder { folder in
      let done = try run(
        Checkout.python,
        [
          "-c",
          """
          import os, subprocess, sys, time
          # A parent that holds the pipes of a child which waits for its request, and is killed.
          parent = subprocess.Popen([sys.executable, '-c', 'import subprocess,sys,time; p = subprocess.Popen([sys.argv[1], "engine-child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.pid, flush=True); time.sleep(100)', sys.argv[1]], stdout=subprocess.PIPE, text=True)
          child = int(parent.stdout.readline())
          parent.kill(); parent.wait()
          for _ in range(100):
              try: os.kill(child, 0)
              except ProcessLookupError: print('gone'); break
              state = open(f'/proc/{child}/stat').read().rsplit(')', 1)[1].split()[0] if os.path.exists(f'/proc/{child}/stat') else 'Z'
              if state == 'Z': print('gone'); break
              time.sleep(0.1)
          """, Checkout.hrp,
        ], in: folder)
      #expect(done.output == "gone\n", "\(done.errors)")
    }
  }
}
