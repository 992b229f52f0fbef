import Foundation
import TestKit
import Testing

/// What a second attack from outside found, each as it was found.
@Suite("A second attack")
struct SecondAttackTests {
  private func sample<Result>(_ body: (RecoverSample) throws -> Result) throws -> Result {
    try withTemporaryFolder { try body(try RecoverSample(in: $0)) }
  }

  private func hrp(_ sample: RecoverSample, _ words: [String], by prefix: [String] = []) throws -> Finished {
    let all = prefix + [Checkout.hrp] + words + ["--data-dir", sample.data]
    return try run(
      all[0], Array(all.dropFirst()), in: sample.folder,
      environment: [
        "HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path,
        "TMPDIR": sample.folder,
      ])
  }

  // MARK: - Damage

  @Test("a damaged header slot is no older state to be copied: create refuses, doctor says it", arguments: [0, 1])
  func headerSlot(slot: Int) throws {
    try sample { sample in
      let file = try #require(FileHandle(forUpdatingAtPath: sample.data + "/hrp.duckdb"))
      try file.seek(toOffset: UInt64(4096 + slot * 4096 + 2000))
      try file.write(contentsOf: [0xFF])
      try file.close()
      let created = try sample.hrp("backup", "create", "--json")
      #expect(created.status == 1 && created.output.contains("duckdb.damaged"), "\(created)")
      #expect(try sample.hrp("doctor").status == 1)
      #expect(try !sample.hrp("recover").output.contains("nothing was found"))
    }
  }

  @Test("rotation keeps backups whose database is whole, not those whose checksums are those of torn files")
  func rotation() throws {
    try sample { sample in
      try sample.shell(
        """
        mkdir backups
        for d in 50 45 40 35 30; do n=backups/backup_$(date -d "-$d days" +%Y%m%d_020000); mkdir -p $n; cp hrp.duckdb $n/
          [ $d -le 35 ] && truncate -s 400000 $n/hrp.duckdb
          (cd $n; sha256sum hrp.duckdb > checksums.txt
           echo "{\\"timestamp\\":\\"$(date -d "-$d days" +%F)T02:00:00\\",\\"size_bytes\\":1,\\"size_mb\\":1,\\"include_mlflow\\":false,\\"files\\":[\\"hrp.duckdb\\"]}" > metadata.json)
        done
        """)
      let done = try hrp(sample, ["backup", "rotate", "--keep-days", "14", "--json"])
      #expect(done.status == 0, "\(done)")
      let left = try hrp(sample, ["backup", "verify", "latest-valid"])
      #expect(left.status == 0, "\(left)")
    }
  }

  @Test("too few descriptors, too little memory and a shut folder are no damage, and nothing is noted")
  func shortage() throws {
    try sample { sample in
      let backup = try sample.backup()
      let noted = sample.data + "/backups/.hrp-proofs"
      for (limit, words) in [("-n 14", ["verify"]), ("-n 18", ["drill"]), ("-v 200000", ["drill"])] {
        let done = try hrp(
          sample, ["backup"] + words + ["latest", "--json"],
          by: ["/bin/sh", "-c", "ulimit \(limit); exec \"$@\"", "sh"])
        #expect(done.status != 0 && !FileManager.default.fileExists(atPath: noted), "\(limit): \(done)")
      }
      guard let user = Home.unprivileged else { return }
      try run(
        "/bin/sh", ["-c", "chmod 000 \(backup)/mlruns/mlruns/1; chmod -R a+rwX \(sample.data)"], in: sample.folder)
      try run("/bin/chmod", ["000", backup + "/mlruns/mlruns/1"], in: sample.folder)
      let done = try hrp(sample, ["backup", "verify", "latest"], by: user)
      #expect(done.status == 1 && !done.output.contains("Missing file"), "\(done)")
      try run("/bin/chmod", ["755", backup + "/mlruns/mlruns/1"], in: sample.folder)
      #expect(!FileManager.default.fileExists(atPath: noted))
    }
  }

  @Test("a FIFO in the place of a database or its WAL holds no search", arguments: ["hrp.duckdb", "hrp.duckdb.wal"])
  func fifo(name: String) throws {
    try sample { sample in
      let backup = try sample.backup()
      try run(
        "/bin/sh", ["-c", "chmod u+w \(backup) && rm -f \(backup)/\(name) && mkfifo \(backup)/\(name)"],
        in: sample.folder)
      for words in [["backup", "find", "HYP-1"], ["recover", "--missing", "nothing"]] {
        let done = try hrp(sample, words, by: ["/usr/bin/timeout", "30"])
        #expect(done.status != 124 && (done.output + done.errors).contains("FIFO"), "\(done)")
      }
    }
  }

  // MARK: - The worst day

  @Test("a loss is still seen after a backup was made of what was left", arguments: ["mlflow.db", "mlruns"])
  func lossThenBackup(name: String) throws {
    try sample { sample in
      _ = try sample.backup()
      try sample.shell("rm -r mlflow/\(name)")
      let dry = try sample.hrp("backup", "create", "--dry-run")
      let created = try sample.hrp("backup", "create")
      #expect(dry.status == 3 && created.status == 3 && created.errors.contains("recover"), "\(dry) \(created)")
      let plan = try RecoverSample.object(sample.hrp("recover", "--json"))
      #expect(plan["scenario"] as? String == "damaged-mlflow", "\(plan)")
    }
  }

  @Test("emptied tables are a deletion, also after the next backup")
  func emptied() throws {
    try sample { sample in
      _ = try sample.backup()
      try sample.sql("DELETE FROM hypotheses; DELETE FROM lineage; DELETE FROM prices")
      for _ in 0..<2 {
        let plan = try RecoverSample.object(sample.hrp("recover", "--json"))
        #expect(plan["scenario"] as? String == "accidental-deletion", "\(plan)")
        _ = try sample.backup()
      }
    }
  }

  @Test("the backup with the row is chosen, not a newer one that has only what names it")
  func fullest() throws {
    try sample { sample in
      let first = try sample.backup()
      try sample.sql("DELETE FROM hypotheses WHERE hypothesis_id = 'HYP-1'")
      _ = try sample.backup()
      try sample.sql("DELETE FROM lineage WHERE hypothesis_id = 'HYP-1'")
      let plan = try RecoverSample.object(sample.hrp("recover", "--missing", "HYP-1", "--json"))
      #expect(plan["backup"] as? String == first, "\(plan)")
      // A table is found by the name that other commands print.
      #expect(try sample.hrp("backup", "find", "main.prices").status == 0)
      let text = try sample.hrp("recover", "--missing", "it's $(id)").output
      #expect(text.contains(#"hrp backup find --data-dir"#) && text.contains(#"'it'\''s $(id)'"#), "\(text)")
    }
  }

  @Test("nested schemas are searched")
  func nested() throws {
    try sample { sample in
      try sample.sql(
        "CREATE SCHEMA s1; CREATE SCHEMA s1.s2; CREATE TABLE s1.s2.hyp(hypothesis_id VARCHAR); "
          + "INSERT INTO s1.s2.hyp VALUES ('HYP-N')")
      _ = try sample.backup()
      let found = try sample.hrp("backup", "find", "HYP-N")
      #expect(found.status == 0 && found.output.contains("s1.s2.hyp.hypothesis_id"), "\(found)")
    }
  }

  @Test("a noted failure of MLflow's part does not hide the newest sound database")
  func newestDatabase() throws {
    try sample { sample in
      _ = try sample.backup()
      try sample.sql("INSERT INTO prices VALUES ('NEWER', 1)")
      let newest = try sample.backup("--no-link")
      try run(
        "/bin/sh",
        ["-c", "f=\(newest)/mlruns/mlruns/1/r1/artifacts/model/model.pkl; chmod u+w $f; echo bad > $f"],
        in: sample.folder)
      #expect(try sample.hrp("backup", "verify", "latest").status == 1)
      try sample.shell("rm hrp.duckdb")
      let plan = try RecoverSample.object(sample.hrp("recover", "--json"))
      #expect(plan["backup"] as? String == newest && plan["part"] as? String == "duckdb", "\(plan)")
      let restored = try sample.hrp("backup", "restore", "latest-valid", "--only", "duckdb")
      #expect(restored.status == 0, "\(restored)")
      let rows = try sample.query("SELECT count(*) FROM prices WHERE symbol = 'NEWER' ")
      #expect(rows == "1", "\(rows), \(restored)")
    }
  }

  @Test("a vanished MLflow is a failure of the doctor; a restore of a backup whose drill failed is warned of")
  func said() throws {
    try sample { sample in
      let backup = try sample.backup()
      try sample.shell("mv mlflow away")
      let doctor = try sample.hrp("doctor")
      #expect(doctor.status == 1 && doctor.output.contains("there is no MLflow directory"), "\(doctor)")
      try sample.shell("mv away mlflow")
      let proof = sample.data + "/backups/.hrp-proofs/" + URL(fileURLWithPath: backup).lastPathComponent + ".json"
      #expect(try sample.hrp("backup", "drill", "latest").status == 0)
      try run("/bin/sed", ["-i", "s/\"ok\" *: *true/\"ok\": false/", proof])
      let restored = try sample.hrp("backup", "restore", "latest", "-q")
      #expect(restored.status == 0 && restored.errors.contains("its drill failed"), "\(restored)")
      // What is put away by an undo is named.
      try sample.shell("rm -rf .hrp.duckdb.hrp-undo.* && rm hrp.duckdb")
      #expect(try sample.hrp("backup", "restore", "latest", "-q").status == 0)
      let undone = try RecoverSample.object(sample.hrp("backup", "undo", "--json"))
      #expect(undone["removed"] as? [String] == ["hrp.duckdb"], "\(undone)")
      #expect(try sample.hrp("recover", "--backup", "nope").status == 10)
    }
  }

  // MARK: - Places and rights

  @Test("a place that is named through a symlink is the same place")
  func symlink() throws {
    try sample { sample in
      try run("/bin/sh", ["-c", "mkdir m && ln -s m/backups link"], in: sample.folder)
      let place = { (name: String) in ["backup", "create", "--backup-dir", sample.folder + "/" + name] }
      #expect(try hrp(sample, place("m/backups")).status == 0)
      try run("/bin/sh", ["-c", "rm -r m/backups && mkdir m/backups"], in: sample.folder)
      #expect(try hrp(sample, place("link")).status == 10)
      try run("/bin/rm", ["-r", sample.folder + "/m/backups"])
      let list = try hrp(sample, ["backup", "list", "--backup-dir", sample.folder + "/link"])
      #expect(list.status == 10 && list.errors.contains("ls -l") && !list.errors.contains("mkdir"), "\(list)")
    }
  }

  @Test("a create that begins beside a restore waits or is refused: the restore goes on")
  func createBesideRestore() throws {
    try sample { sample in
      try sample.shell("for i in $(seq 300); do head -c 3000 /dev/urandom > mlflow/mlruns/1/r1/artifacts/f$i; done")
      _ = try sample.backup()
      for delay in [0.01, 0.03, 0.06] {
        let done = try run(
          Checkout.python,
          [
            "-c",
            """
            import subprocess, time
            hrp = ['\(Checkout.hrp)', 'backup']
            place = ['--data-dir', '\(sample.data)', '-q']
            restore = subprocess.Popen(
                hrp + ['restore', 'latest'] + place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(\(delay)); subprocess.run(hrp + ['create'] + place, capture_output=True)
            error = restore.communicate()[1]; print(restore.returncode, 'mlflow is open' in error)
            """,
          ], in: sample.folder)
        // It may find a create at work that was quicker; its own helpers never stand in its way.
        #expect(done.output == "0 False\n" || done.output == "11 False\n", "\(done)")
      }
    }
  }

  @Test("a dry run says what cannot be put out of the way", .enabled(if: isRoot, "needs another owner"))
  func foreseen() throws {
    try sample { sample in
      try run("/bin/sh", ["-c", "chmod 755 . && chown -R 65534:65534 . "], in: sample.folder)
      let user = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
      #expect(try hrp(sample, ["backup", "create", "-q"], by: user).status == 0)
      try run("/bin/chown", ["-R", "0:0", sample.data + "/mlflow"])
      for words in [["--dry-run"], []] {
        let done = try hrp(sample, ["backup", "restore", "latest", "--json"] + words, by: user)
        #expect(done.status == 1 && done.output.contains("restore.cannot-rename"), "\(words): \(done)")
      }
    }
  }

  @Test("what root does once in a user's stack stands in nobody's way", .enabled(if: isRoot, "needs root"))
  func rootOnce() throws {
    try sample { sample in
      try run(
        "/bin/sh",
        [
          "-c",
          "chmod 755 . && mkdir roots && chown -R 65534:65534 data && ln -s ../roots data/logs && chown -h 65534:65534 data/logs",
        ],
        in: sample.folder)
      let user = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
      for words in [["backup", "create", "-q"], ["doctor"], ["backup", "drill", "latest"]] {
        #expect(try hrp(sample, words).status == 0, "\(words)")
      }
      // Root's own directory stays root's, though the user's symlink leads there.
      let owners = try run("/usr/bin/find", [sample.folder + "/roots", "-user", "nobody"], in: "/").output
      #expect(owners.isEmpty, "\(owners)")
      let left = try run("/usr/bin/find", [sample.data, "-user", "root"], in: "/").output
      #expect(left.isEmpty, "\(left)")
      try run("/bin/rm", [sample.data + "/logs"])
      for words in [["backup", "drill", "latest"], ["backup", "create", "-q"], ["validate"]] {
        let done = try hrp(sample, words, by: user)
        #expect(done.status == 0, "\(words): \(done)")
      }
      // A backup that another made unremovable is left, and nothing stops for it.
      let old = try run("/bin/sh", ["-c", "ls -d data/backups/backup_* | head -1"], in: sample.folder).output
        .trimmingCharacters(in: .whitespacesAndNewlines)
      try run(
        "/bin/sh",
        [
          "-c",
          "cp -a \(old) data/backups/.backup_20200101_000000.deleted.partial; chown -R 0:0 data/backups/.backup_2020*",
        ],
        in: sample.folder)
      #expect(try hrp(sample, ["backup", "create", "-q"], by: user).status == 0)
    }
  }

  @Test("a folder of notes that cannot be read stops no backup: nothing is linked from what may be damaged")
  func unreadableNotes() throws {
    guard let user = Home.unprivileged else { return }
    try sample { sample in
      let ages = "touch -d '1 hour ago' mlflow/mlruns/1/r1/artifacts/model/model.pkl"
      try sample.shell(ages)
      _ = try sample.backup()
      #expect(try sample.hrp("backup", "drill", "latest").status == 0)
      try sample.shell("chmod 000 backups/.hrp-proofs")
      defer { try? sample.shell("chmod 755 backups/.hrp-proofs") }
      let created = try hrp(sample, ["backup", "create", "--json"], by: user)
      let shared = try RecoverSample.object(created)["shared_bytes"] as? Int ?? 0
      #expect(created.status == 0 && shared == 0, "\(created)")
    }
  }

  @Test("a dry run of a stack without MLflow and without backups is no error")
  func firstDryRun() throws {
    try sample { sample in
      try sample.shell("rm -r mlflow")
      let dry = try sample.hrp("backup", "create", "--dry-run")
      #expect(dry.status == 0, "\(dry)")
    }
  }

  @Test("a symlink in the place of a stored database is not followed by the engine")
  func symlinkedDatabase() throws {
    try sample { sample in
      let backup = try sample.backup()
      try run(
        "/bin/sh",
        ["-c", "chmod u+w \(backup) && rm \(backup)/hrp.duckdb && ln -s \(sample.data)/hrp.duckdb \(backup)/"],
        in: sample.folder)
      let done = try sample.hrp("backup", "find", "HYP-1")
      #expect(
        done.output.contains("hrp.duckdb is a link") || done.errors.contains("hrp.duckdb is a link"), "\(done)")
    }
  }

  @Test("notes of a private stack are private")
  func privateNotes() throws {
    try sample { sample in
      try run("/bin/sh", ["-c", "mkdir -m 755 out; chmod 700 data; umask 000; mkdir -p out"], in: sample.folder)
      let place = ["--backup-dir", sample.folder + "/out/b"]
      #expect(
        try hrp(sample, ["backup", "create", "-q"] + place, by: ["/bin/sh", "-c", "umask 000; exec \"$@\"", "sh"])
          .status == 0)
      #expect(try hrp(sample, ["backup", "drill", "latest"] + place).status == 0)
      #expect(try hrp(sample, ["backup", "pin", "latest", "--reason", "x"] + place).status == 0)
      let open = try run(
        "/usr/bin/find", [sample.folder + "/out/b", "-type", "f", "-path", "*.hrp-p*", "-perm", "/077"], in: "/"
      ).output
      let wide = try run("/usr/bin/find", [sample.folder + "/out/b", "-perm", "/022"], in: "/").output
      #expect(open.isEmpty && wide.isEmpty, "\(open)\(wide)")
    }
  }

  @Test("show has each key once, and a table marks a backup of another stack")
  func origin() throws {
    try sample { sample in
      _ = try sample.backup()
      try run("/bin/cp", ["-a", sample.data, sample.folder + "/other"])
      let place = ["--data-dir", sample.folder + "/other"]
      let displayPath = try run(Checkout.hrp, ["backup", "show", "1", "--json"] + place, in: sample.folder)
      #expect(displayPath.output.components(separatedBy: "\"source_dir\"").count == 2, "\(displayPath)")
      let table = try run(
        "/usr/bin/script",
        ["-qc", "stty cols 200; \(Checkout.hrp) backup list \(place.joined(separator: " "))", "/dev/null"],
        in: sample.folder)
      #expect(table.output.contains("of \(sample.data)"), "\(table)")
    }
  }
}
