import Files
import Foundation
import MLflow
import SystemPackage
import TestKit
import Testing

@Suite("MLflow stores")
struct StoreTests {
  @Test(
    "a tracking URI is read as MLflow reads it",
    arguments: [
      ("sqlite:////srv/ml/mlflow.db", TrackingURI.sqlite("/srv/ml/mlflow.db")),
      ("sqlite:///mlflow.db?timeout=5", .sqlite("/here/mlflow.db")),
      ("file:///srv/ml%20runs", .folder("/srv/ml runs")), ("file:/srv/ml", .folder("/srv/ml")),
      ("file://localhost/srv/ml", .folder("/srv/ml")), ("./mlruns", .folder("/here/mlruns")),
      ("sqlite+pysqlite:////srv/m.db", .sqlite("/srv/m.db")), ("~/ml", .folder("/home/u/ml")),
      ("sqlite:///~/m.db", .sqlite("/home/u/m.db")), ("file:~/ml", .folder("/home/u/ml")),
      ("/srv/ml", .folder("/srv/ml")), ("http://host:5000", .remote(scheme: "http")),
      ("postgresql+psycopg://u:secret@host/db", .remote(scheme: "postgresql+psycopg")),
      ("databricks", .remote(scheme: "databricks")),
    ])
  func trackingURI(text: String, expected: TrackingURI) {
    #expect(TrackingURI(text, workingDirectory: "/here", home: "/home/u") == expected)
  }

  @Test("a store is where the URI says, else mlflow/, else mlruns/ and mlflow.db in the data directory")
  func finding() throws {
    try withTemporaryFolder { folder in
      let data = FilePath(folder + "/data")
      let find = { (uri: String?) in
        try MLflowStore.find(dataDirectory: data, trackingURI: uri, workingDirectory: "/", files: Kernel())
      }
      try run("/bin/mkdir", ["-p", "data", "elsewhere"], in: folder)
      #expect(try find(nil) == nil)
      try run("/bin/sh", ["-c", "mkdir data/mlruns; touch data/mlflow.db data/hrp.duckdb elsewhere/t.db"], in: folder)
      let flat = try #require(try find(nil))
      #expect(flat.layout == .flat)
      #expect(flat.names == [FileName("mlruns"), FileName("mlflow.db")])
      #expect(!flat.holds(FileName("hrp.duckdb")))
      #expect(try find("sqlite:///\(folder)/data/mlflow.db")?.layout == .flat)
      #expect(try find("file://\(folder)/data/mlruns")?.layout == .flat)
      let other = try #require(try find("sqlite:///\(folder)/elsewhere/t.db"))
      #expect(other.directory == FilePath(folder + "/elsewhere"))
      #expect(other.layout == .directory)
      try run("/bin/mkdir", ["data/mlflow"], in: folder)
      #expect(try find(nil)?.directory == data.appending("mlflow"))
      let served = try #require(try find("http://tracking:5000"))
      #expect(served.remoteScheme == "http")
      #expect(served.directory == data.appending("mlflow"))
    }
  }

  @Test("locations are counted as inside, elsewhere or remote, and the places outside are named")
  func survey() {
    var survey = ArtifactScan(roots: ["/data/mlflow"])
    for location in [
      "/data/mlflow/mlruns/1/r/artifacts", "file:///data/mlflow/mlruns/2", "/home/u/ml/mlruns/7/r/artifacts",
      "/data/mlflow2/x", "s3://key:secret@bucket/prefix/1", "models:/m-1", "runs:/abc/model", "/data/mlflow/../x",
    ] { survey.note(location) }
    survey.noteMeta(Array("name: x\nartifact_uri: 'file:///data/mlflow/mlruns/3/r/artifacts'\n".utf8))
    #expect(survey.inside == 3)
    #expect(survey.outside == 3)
    #expect(survey.remote == 1)
    #expect(survey.places["/home/u/ml/mlruns"] == 1)
    #expect(survey.places.keys.allSatisfy { !$0.contains("secret") })
  }
}

@Suite("SQLite")
struct SQLiteTests {
  @Test("a database in WAL mode is copied while a writer commits, whole, and left in journal mode delete")
  func liveCopy() throws {
    try withTemporaryFolder { folder in
      let writer = Process()
      writer.executableURL = URL(fileURLWithPath: Checkout.python)
      writer.arguments = [
        "-c",
        """
        import sqlite3, time
        c = sqlite3.connect('m.db'); c.execute('PRAGMA journal_mode=WAL')
        c.execute('CREATE TABLE a(i)'); c.execute('CREATE TABLE b(i)'); c.commit(); open('ready', 'w')
        for i in range(100000):
            c.execute('INSERT INTO a VALUES (?)', (i,)); c.execute('INSERT INTO b VALUES (?)', (i,)); c.commit()
        """,
      ]
      writer.currentDirectoryURL = URL(fileURLWithPath: folder)
      try writer.run()
      defer { writer.terminate() }
      while !FileManager.default.fileExists(atPath: folder + "/ready") { usleep(10_000) }
      for round in 0..<5 {
        let target = FilePath(folder + "/copy\(round).db")
        try SQLiteFile.copy(FilePath(folder + "/m.db"), to: target)
        #expect(try SQLiteFile.integrityProblems(of: target) == [])
        let answer = try run(
          "/usr/bin/sqlite3",
          [target.string, "SELECT (SELECT count(*) FROM a) = (SELECT count(*) FROM b); PRAGMA journal_mode"])
        #expect(answer.output == "1\ndelete\n")
        #expect(!FileManager.default.fileExists(atPath: target.string + "-wal"))
      }
    }
  }

  @Test("a path with blanks, percent signs, question marks and bytes that are not UTF-8 is opened all the same")
  func oddPath() throws {
    try withTemporaryFolder { folder in
      let odd = FilePath(bytes: Array("\(folder)/a b%41?x#".utf8) + [0xFF])
      try Kernel().makeDirectory(odd, at: nil, permissions: 0o755)
      try run("/bin/sh", ["-c", "cd a*; sqlite3 m.db 'CREATE TABLE t(i); INSERT INTO t VALUES (1)'"], in: folder)
      try SQLiteFile.copy(odd.appending("m.db"), to: odd.appending("c.db"))
      #expect(try SQLiteFile.integrityProblems(of: odd.appending("c.db")) == [])
    }
  }

  @Test("damage is found, and looking for it changes nothing")
  func damage() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/m.db"
      try run(
        "/usr/bin/sqlite3",
        [
          path,
          "CREATE TABLE t(i UNIQUE); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5000) INSERT INTO t SELECT i FROM n",
        ])
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      for offset in 0..<200 { bytes[4096 * 3 + offset] = 0 }
      try bytes.write(to: URL(fileURLWithPath: path))
      do throws(SQLiteError) {
        #expect(try !SQLiteFile.integrityProblems(of: FilePath(path)).isEmpty)
      } catch {
        #expect(error.resultCode == 11)
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["m.db"])
    }
  }
}
