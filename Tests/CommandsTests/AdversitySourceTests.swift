import Foundation
import TestKit
import Testing

/// A stack that is in use, damaged, unreadable or full of odd things.
@Suite("Adversity: the stack")
struct AdversitySourceTests {
  // MARK: - In use

  @Test("what was committed and not yet checkpointed is in the backup of a database in use", arguments: Engine.all)
  func openLog(engine: Engine) throws {
    try withHome { home in
      try home.shell("rm hrp-data/hrp.duckdb")
      try home.whileEngine(
        of: engine,
        """
        c.execute("SET wal_autocheckpoint = '1TB'")
        c.execute("CREATE TABLE t AS SELECT range i FROM range(5000)"); c.execute("CHECKPOINT")
        c.execute("INSERT INTO t SELECT range + 5000 FROM range(1000)")
        c.execute("CREATE TABLE later AS SELECT 7 AS x")
        """
      ) { writer in
        let log = try home.state()
        let created = try home.object(home.hrp("backup", "create", "--json"))
        #expect(created["verified"] as? Bool == true)
        #expect((created["snapshot"] as? [String: Any])?["wal_bytes"] as? Int ?? 0 > 0)
        #expect(try home.state() == log)
        #expect(try home.hrp("backup", "verify", "latest").status == 0)
        #expect(try home.hrp("backup", "restore", "latest", "--target-dir", "new").status == 0)
        #expect(
          try engine.query(
            "new/hrp.duckdb", "SELECT count(*), sum(i), (SELECT x FROM later) FROM t", in: home.folder)
            == "6000|17997000|7")
        let inspected = try home.object(home.hrp("duckdb", "inspect", "hrp-data/hrp.duckdb", "--json"))
        #expect(inspected["writer_pid"] as? Int == Int(writer))
        #expect(try home.hrp("duckdb", "inspect", "hrp-data/hrp.duckdb").output.contains("PID \(writer)"))
      }
      #expect(
        try engine.query("hrp-data/hrp.duckdb", "SELECT count(*) FROM t", in: home.folder) == "6000",
        "the writer itself lost nothing")
    }
  }

  @Test("every backup beside a writer that checkpoints twice a second holds one moment, and opens")
  func checkpoints() throws {
    try withHome { home in
      try home.whileEngine(
        "c.execute('CREATE TABLE pairs AS SELECT range i, 1000 a, 0 b FROM range(100000)')",
        repeating: "c.execute('UPDATE pairs SET a = a - 1, b = b + 1'); c.execute('CHECKPOINT'); time.sleep(0.5)"
      ) { _ in
        for number in 1...5 {
          let path = try home.create("--no-mlflow")
          #expect(try home.verifies(path))
          #expect(try home.hrp("backup", "restore", path, "--target-dir", "new\(number)").status == 0)
          let sql = "SELECT count(*), count(DISTINCT i), min(a + b), max(a + b), count(DISTINCT b) FROM pairs"
          #expect(
            try Engine("2.0.1").query("new\(number)/hrp.duckdb", sql, in: home.folder)
              == "100000|100000|1000|1000|1")
        }
      }
    }
  }

  // MARK: - No database

  @Test("an empty or mistyped data directory is an error, and nothing is made there")
  func mistyped() throws {
    try withHome { home in
      try home.shell("mkdir hrp-dat")
      try home.fails(10, "source.not-found", "backup", "create", "--data-dir", "hrp-dat")
      try home.fails(10, "source.not-found", "backup", "create", "--data-dir", "hrp-dta")
      try home.fails(2, "usage", "backup", "create", "--data-dir", "")
      #expect(try home.names(in: home.folder + "/hrp-dat") == [])
      #expect(try home.names(in: home.folder).sorted() == ["hrp-dat", "hrp-data"])
      #expect(try home.names(in: home.data).sorted() == ["hrp.duckdb", "mlflow"])
    }
  }

  @Test("a file where a directory must be is named as such, not taken for a failing disk, and stays")
  func notADirectory() throws {
    try withHome { home in
      let earlier = try home.create()
      try home.shell("echo mine > file")
      let file = ["backup create --backup-dir file", "backup list --backup-dir file"]
      for words in file + ["backup restore \(earlier) --target-dir file", "backup rotate --backup-dir file"] {
        let done = try home.hrp(words.split(separator: " ").map(String.init) + ["--json"])
        let message = try home.error(done)?.message.lowercased()
        #expect(done.status == 1 || done.status == 10, "\(words)")
        #expect(message?.contains("not a directory") == true, "\(words): \(message ?? "")")
        #expect(!done.output.contains("smartctl"), "\(words)")
      }
      #expect(try home.shell("cat file") == "mine" && home.verifies(earlier))
    }
  }

  /// What became of `hrp.duckdb`, and the code that says so.
  struct Ruin: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: String
    let command: String
    var status: Int32 { ["source.not-found", "path.vanished"].contains(code) ? 10 : 1 }
  }

  static let ruins = [
    Ruin(testDescription: "missing", code: "source.not-found", command: "rm hrp.duckdb"),
    Ruin(testDescription: "a link to nothing", code: "path.vanished", command: "ln -sf nowhere hrp.duckdb"),
    Ruin(testDescription: "empty", code: "duckdb.not-a-database", command: ": > hrp.duckdb"),
    Ruin(
      testDescription: "garbage", code: "duckdb.not-a-database", command: "head -c 600000 /dev/urandom > hrp.duckdb"),
    Ruin(
      testDescription: "zero-filled", code: "duckdb.not-a-database", command: "head -c 600000 /dev/zero > hrp.duckdb"),
    Ruin(
      testDescription: "cut in its header", code: "duckdb.not-a-database", command: "truncate -s 5000 hrp.duckdb"),
    Ruin(testDescription: "cut in its blocks", code: "duckdb.damaged", command: "truncate -s 100000 hrp.duckdb"),
    Ruin(
      testDescription: "with a flipped byte in a block in use", code: "duckdb.damaged",
      command: "printf X | dd of=hrp.duckdb bs=1 seek=20000 conv=notrunc status=none"),
    Ruin(
      testDescription: "a folder", code: "duckdb.not-a-database", command: "rm hrp.duckdb && mkdir hrp.duckdb"),
    Ruin(
      testDescription: "a FIFO", code: "duckdb.not-a-database", command: "rm hrp.duckdb && mkfifo hrp.duckdb"),
  ]

  @Test("a database that is none, or is damaged, makes no backup, and earlier ones stay", arguments: ruins)
  func ruined(ruin: Ruin) throws {
    try withHome { home in
      let earlier = try home.create()
      try home.shell(ruin.command, in: home.data)
      let message = try home.fails(ruin.status, ruin.code, "backup", "create", sparing: [earlier])
      #expect(message.contains("hrp-data/"))
      try home.fails(ruin.status, ruin.code, "duckdb", "copy", "hrp-data/hrp.duckdb", "copy.duckdb")
      #expect(try home.names(in: home.folder) == ["hrp-data"])
    }
  }

  @Test("a storage version of the future is named and refused, never guessed at")
  func unknownVersion() throws {
    try withHome { home in
      let earlier = try home.create()
      let script = """
        f = open('hrp-data/hrp.duckdb', 'r+b'); b = bytearray(f.read(4096)); b[12:20] = (9999).to_bytes(8, 'little')
        h = 5381
        for i in range(8, 4096, 8): h ^= int.from_bytes(b[i:i + 8], 'little') * 0xbf58476d1ce4e5b9 % 2**64
        b[:8] = h.to_bytes(8, 'little'); f.seek(0); f.write(b); f.close()
        """
      #expect(try run(Checkout.python, ["-c", script], in: home.folder).status == 0)
      let message = try home.fails(1, "duckdb.unknown-version", "backup", "create", sparing: [earlier])
      #expect(message.contains("9999"))
      try home.fails(1, "duckdb.unknown-version", "duckdb", "inspect", "hrp-data/hrp.duckdb")
    }
  }

  // MARK: - Odd entries of the MLflow directory

  @Test("links are kept as links and never followed, wherever they lead; those that lead out are named, as is a FIFO")
  func links() throws {
    try withHome { home in
      try home.shell("mkdir outside && echo 'hands off' > outside/secret")
      try home.shell(
        """
        ln -s ../../outside dir && ln -s ../../outside/secret file && ln -s nowhere dangling && ln -s . loop
        mkfifo pipe && ln -s ../../outside/secret mlruns/0/deep
        """, in: home.data + "/mlflow")
      let created = try home.hrp("backup", "create", "--json")
      #expect(created.status == 0, "\(created.output)")
      let result = try home.object(created)
      #expect(result["complete"] as? Bool == true)
      #expect((result["skipped"] as? [[String: Any]])?.compactMap { $0["path"] as? String } == ["dir", "file", "pipe"])
      let path = try #require(result["path"] as? String)
      #expect(try home.verifies(path))
      #expect(try run("/bin/grep", ["-rl", "hands off", path]).output == "")
      #expect(try home.hrp("backup", "restore", path, "--target-dir", "new").status == 0)
      let links = "find . -type l -printf '%p %l\\n' | LC_ALL=C sort"
      let before = try home.shell(links, in: home.data + "/mlflow")
      #expect(before.split(separator: "\n").count == 5)
      #expect(try home.shell(links, in: home.folder + "/new/mlflow") == before)
      #expect(try home.shell("find new -not -type f -not -type d -not -type l") == "")
      #expect(try home.shell("cat outside/secret") == "hands off")
    }
  }

  @Test("an MLflow directory that is a link is backed up as what it leads to, and restores as a directory")
  func linkedStore() throws {
    try withHome { home in
      try home.shell("mkdir disk && mv hrp-data/mlflow disk/store && ln -s ../disk/store hrp-data/mlflow")
      let path = try home.create()
      #expect(try home.verifies(path))
      #expect(try home.hrp("backup", "restore", path, "--target-dir", "new").status == 0)
      #expect(try home.shell("test -d new/mlflow && test ! -L new/mlflow && diff -r disk/store new/mlflow") == "")
      try home.shell("echo changed > disk/store/mlruns/0/meta.yaml")
      #expect(try home.hrp("backup", "restore", path).status == 0)
      #expect(
        try home.shell("readlink hrp-data/mlflow && cat disk/store/mlruns/0/meta.yaml") == "../disk/store\nname: x")
      #expect(try home.hrp("backup", "undo").status == 0)
      #expect(
        try home.shell("readlink hrp-data/mlflow && cat disk/store/mlruns/0/meta.yaml") == "../disk/store\nchanged")
    }
  }

  @Test("names with line feeds, blanks, backslashes and bytes that are no UTF-8 survive backup and restore")
  func oddNames() throws {
    try withHome { home in
      let script = """
        import os
        os.chdir(b'hrp-data/mlflow')
        for n in [b'new\\nline', b'trail ', b' lead', b'\\xff\\xfe.bin', b'back\\\\slash', b'\\xc3\\xbc', b'100%', b'-n', b'\\r']:
          open(n, 'wb').write(n); os.makedirs(b'd' + n + b'/e'); open(b'd' + n + b'/f', 'wb').write(n)
        """
      #expect(try run(Checkout.python, ["-c", script], in: home.folder).status == 0)
      let path = try home.create()
      #expect(try home.verifies(path))
      try home.shell("sha256sum --quiet --strict -c checksums.txt", in: path)
      #expect(try home.hrp("backup", "restore", path, "--target-dir", "new").status == 0)
      #expect(
        try home.shell("diff -r hrp-data/mlflow new/mlflow && find new/mlflow -type f -print0 | tr -dc '\\0' | wc -c")
          == "19")
    }
  }

  // MARK: - Unreadable

  @Test(
    "an MLflow file that may not be read is named, the rest is backed up, and nobody calls it whole",
    .enabled(if: Home.unprivileged != nil, "as root it takes setpriv to be refused anything"))
  func unreadableFile() throws {
    try withHome { home in
      try home.shell(
        "echo x > closed && mkdir shut && echo y > shut/y && chmod 0 closed shut", in: home.data + "/mlflow")
      defer { _ = try? home.shell("chmod 700 hrp-data/mlflow/closed hrp-data/mlflow/shut") }
      let created = try home.hrp(["backup", "create", "--json"], by: Home.unprivileged ?? [])
      #expect(created.status == 3, "\(created.output)\(created.errors)")
      let result = try home.object(created)
      #expect(result["complete"] as? Bool == false && result["verified"] as? Bool == false)
      #expect(
        (result["unread"] as? [[String: Any]])?.compactMap { $0["path"] as? String }.sorted() == ["closed", "shut"])
      #expect(created.errors.contains("closed") && created.errors.contains("shut"))
      let path = try #require(result["path"] as? String)
      #expect(try home.verifies(path))
      #expect(try home.hrp("backup", "list").output.contains("[incomplete]"))
      #expect(try home.hrp("backup", "restore", path, "--target-dir", "new").status == 0)
      #expect(try home.shell("cat new/mlflow/mlruns/0/meta.yaml") == "name: x")
    }
  }

  @Test(
    "a database that may not be read is an error, and makes no backup",
    .enabled(if: Home.unprivileged != nil, "as root it takes setpriv to be refused anything"))
  func unreadableDatabase() throws {
    try withHome { home in
      let earlier = try home.create()
      try home.shell("chmod 0 hrp-data/hrp.duckdb")
      let message = try home.fails(
        1, "permission.denied", "backup", "create", by: Home.unprivileged ?? [], sparing: [earlier])
      #expect(message.contains("hrp.duckdb"))
    }
  }
}
