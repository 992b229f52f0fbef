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

/// P1 to P4, with the real engine in a child.
@Suite("Drills")
struct DrillTests {
  /// The command, as a script sees it: the library that runs in this process must not be asked to start `hrp` by itself.
  private func drill(_ sample: SampleStack, _ backup: String = "latest") throws -> (
    status: Int32, report: [String: Any]
  ) {
    let done = try run(
      Checkout.hrp, ["backup", "drill", backup, "--data-dir", sample.data, "--json"], in: sample.folder,
      environment: [
        "HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path
      ])
    let report = try JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String: Any]
    return (done.status, try #require(report, "\(done.output)\(done.errors)"))
  }

  private func findings(_ report: [String: Any]) -> [String] {
    (report["findings"] as? [[String: Any]] ?? []).map {
      "\($0["kind"] ?? "") \($0["file"] ?? ""): \($0["detail"] ?? "")"
    }
  }

  private func listed(_ sample: SampleStack) throws -> [ListedBackup] {
    try BackupDirectory(FilePath(sample.backups), files: Kernel()).list()
  }

  @Test(
    "P1, P2: a backup that restores and reads passes; the proof lies beside it, the backup is untouched, scratch is gone"
  )
  func passes() throws {
    try withStack { sample in
      try Engine("2.0.1").run(
        """
        c = duckdb.connect('hrp.duckdb'); c.execute('CREATE TABLE p(id INTEGER PRIMARY KEY, s VARCHAR UNIQUE)')
        c.execute("INSERT INTO p SELECT range, 's' || range FROM range(3000)"); c.execute('CREATE INDEX x ON t(i)')
        c.execute('CREATE TABLE k(pid INTEGER REFERENCES p(id))'); c.execute('INSERT INTO k SELECT range FROM range(100)')
        c.execute('CREATE TABLE g(a INTEGER PRIMARY KEY, b INTEGER GENERATED ALWAYS AS (a + 1))'); c.execute('INSERT INTO g VALUES (1)')
        c.close()
        """, in: sample.data)
      let result = try sample.create()
      let before = try SampleStack.listing(of: result.path)
      let done = try drill(sample)
      #expect(done.status == 0 && done.report["ok"] as? Bool == true, "\(findings(done.report))")
      let engine = try #require(done.report["engine"] as? [String: Any])
      let tables = (engine["tables"] as? [[String: Any]] ?? []).map { "\($0["name"] ?? "") \($0["rows"] ?? "")" }
      #expect(tables == ["main.g 1", "main.k 100", "main.p 3000", "main.t 1000"])
      #expect(try SampleStack.listing(of: result.path) == before)
      let proof = try #require(try listed(sample).first?.proof.value)
      #expect(proof.isOK && proof.level == .drill && proof.engine == "v2.0.1" && proof.first?.tables == proof.tables)
      #expect(try FileManager.default.contentsOfDirectory(atPath: sample.data + "/scratch") == [])
      let list = try run(Checkout.hrp, ["backup", "list", "--data-dir", sample.data], in: sample.folder)
      #expect(list.output.contains("[proven ") && list.output.contains("DuckDB v2.0.1]"))
    }
  }

  @Test("P3: a later drill that reads otherwise than the first fails, and says which table")
  func fingerprint() throws {
    try withStack { sample in
      let result = try sample.create()
      #expect(try drill(sample).status == 0)
      let path = sample.backups + "/.hrp-proofs/\(result.name).json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      let first = try #require((object["first"] as? [String: Any])?["tables"] as? [[String: Any]])
      let hash = try #require(first.first?["hash"] as? String)
      try Data(text.replacing(hash, with: "1-1").utf8).write(to: URL(fileURLWithPath: path))
      let second = try drill(sample)
      #expect(second.status == 1)
      #expect(findings(second.report).first?.hasPrefix("engine hrp.duckdb: table main.t reads otherwise") == true)
      #expect(try listed(sample).first?.proof.value?.isOK == false)
      // What the first one read stays what every later one is held against.
      #expect(try drill(sample).status == 1)
    }
  }

  @Test("a damaged backup fails, nothing is asked of the engine, and the proof says so")
  func damaged() throws {
    try withStack { sample in
      let result = try sample.create()
      try SampleStack.change(result.path + "/hrp.duckdb") { $0[20_000] ^= 1 }
      let done = try drill(sample)
      #expect(done.status == 1 && findings(done.report) == ["mismatch hrp.duckdb: "])
      #expect(try listed(sample).first?.proof.value?.isOK == false)
    }
  }

  @Test("ready models without artifacts and ids that MLflow does not know are named; what is pending is not blamed")
  func links() throws {
    try withStack { sample in
      try Engine("2.0.1").run(
        """
        c = duckdb.connect('hrp.duckdb')
        c.execute('CREATE TABLE hypothesis_experiments(hypothesis_id VARCHAR, experiment_id VARCHAR)')
        c.execute("INSERT INTO hypothesis_experiments VALUES ('h', '1'), ('h', '17')")
        c.execute('CREATE TABLE lineage(experiment_id VARCHAR)'); c.execute("INSERT INTO lineage VALUES ('r1'), ('gone'), (NULL)")
        c.close()
        """, in: sample.data)
      try run(
        "/bin/sh",
        [
          "-c",
          """
          cd mlflow && sqlite3 mlflow.db "CREATE TABLE experiments(experiment_id INTEGER, artifact_location); INSERT INTO experiments VALUES (1, '$PWD/mlruns/1');
          CREATE TABLE model_versions(name, version INTEGER, storage_location, status);
          INSERT INTO model_versions VALUES ('m', 1, '$PWD/mlruns/0/r1/artifacts', 'READY'), ('m', 2, 'file://$PWD/lost', 'READY'),
            ('m', 3, '$PWD/nowhere', 'PENDING_REGISTRATION'), ('m', 4, 's3://bucket/m', 'READY');
          CREATE TABLE logged_models(model_id, artifact_location, status INTEGER);
          INSERT INTO logged_models VALUES ('a', '$PWD/mlruns/models/a', 2), ('b', '$PWD/mlruns/models/b', 1);"
          """,
        ], in: sample.data)
      _ = try sample.create()
      let done = try drill(sample)
      #expect(done.status == 1)
      #expect(
        findings(done.report).sorted() == [
          "link hrp.duckdb: hypothesis_experiments names 17, which is not an experiment or run in MLflow",
          "link hrp.duckdb: lineage names gone, which is not an experiment or run in MLflow",
          "missing mlruns/lost: the artifacts of model m, version 2",
          "missing mlruns/mlruns/models/a: the artifacts of model a",
        ])
    }
  }

  @Test("a file store: runs without record or artifacts and ready models without theirs are named, what runs is not")
  func fileStore() throws {
    try withStack { sample in
      let run = { (digit: String) in String(repeating: digit, count: 32) }
      try TestKit.run(
        "/bin/sh",
        [
          "-c",
          """
          rm -r mlflow && mkdir -p mlruns/0 mlruns/models/m/version-1 mlruns/models/m/version-2 && cd mlruns && printf 'name: x\n' > 0/meta.yaml
          for r in \(run("a")) \(run("b")) \(run("c")); do mkdir -p 0/$r && printf "artifact_uri: file://$PWD/0/$r/artifacts\nstatus: 3\n" > 0/$r/meta.yaml; done
          mkdir 0/\(run("a"))/artifacts 0/\(run("d")) && touch 0/\(run("a"))/artifacts/model && sed -i 's/status: 3/status: 1/' 0/\(run("b"))/meta.yaml
          printf "storage_location: $PWD/0/\(run("a"))/artifacts\nstatus: READY\n" > models/m/version-1/meta.yaml
          printf "storage_location: '$PWD/0/\(run("a"))/lost'\nstatus: READY\n" > models/m/version-2/meta.yaml
          """,
        ], in: sample.data)
      _ = try sample.create()
      let expected = [
        "missing mlruns/mlruns/0/\(run("a"))/lost: the artifacts of model m, version-2",
        "missing mlruns/mlruns/0/\(run("c"))/artifacts: the artifacts of run \(run("c"))",
        "missing mlruns/mlruns/0/\(run("d"))/meta.yaml: the record of run \(run("d"))",
      ]
      let drilled = try drill(sample)
      #expect(drilled.status == 1 && findings(drilled.report).sorted() == expected)
      let verified = try TestKit.run(
        Checkout.hrp, ["backup", "verify", "latest", "--level", "engine", "--data-dir", sample.data, "--json"],
        environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path])
      let report = try JSONSerialization.jsonObject(with: Data(verified.output.utf8)) as? [String: Any]
      #expect(findings(try #require(report)).sorted() == expected)
    }
  }

  @Test("P4: what a killed drill left in scratch is removed by the next; a living one's stays")
  func debris() throws {
    try withStack { sample in
      _ = try sample.create()
      let scratch = sample.data + "/scratch"
      try run("/bin/mkdir", ["-p", scratch + "/hrp-scratch.1.1/stack", scratch + "/hrp-scratch.2.2"])
      let held = try OpenFile(FilePath(scratch + "/hrp-scratch.2.2"), mode: [.directory], files: Kernel())
      #expect(try Kernel().lock(held.descriptor, kind: .exclusive))
      #expect(try drill(sample).status == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch) == ["hrp-scratch.2.2"])
      try held.close()
    }
  }

  @Test("a proof belongs to the contents that it is of, and goes with its backup")
  func belonging() throws {
    try withStack { sample in
      let first = try sample.create(), second = try sample.create()
      let third = try sample.create()
      #expect(try drill(sample, first.name).status == 0)
      try run("/bin/cp", [first.name + ".json", second.name + ".json"], in: sample.backups + "/.hrp-proofs")
      let metadata = try String(contentsOfFile: first.path + "/metadata.json", encoding: .utf8)
      let proofs = try listed(sample).map { $0.proof.value != nil }
      // The same contents have the same lists, and those the same hash: then the proof is right for both.
      let isSame = try String(contentsOfFile: second.path + "/metadata.json", encoding: .utf8).contains(
        try #require(metadata.split(separator: "\n").first { $0.contains("checksums_sha256") }))
      #expect(proofs == [false, isSame, true])
      let time = ManualTime(now: SystemTime().nowNanoseconds + 40 * 86_400_000_000_000)
      let rotated = try Rotation(
        in: FilePath(sample.backups), files: Kernel(), time: time, events: EventStream()
      ).run(keepingDays(30))
      #expect(rotated.deleted == [first.name] && rotated.kept == [third.name, second.name])
      let notes = { try FileManager.default.contentsOfDirectory(atPath: sample.backups + "/.hrp-proofs").sorted() }
      #expect(try notes() == [first.name + ".json", second.name + ".json"], "it waits for its backup in the trash")
      _ = try Trash(of: FilePath(sample.backups), files: Kernel(), time: time).remove(FileName(first.name))
      #expect(try notes() == [second.name + ".json"])
    }
  }
}
