import Foundation
import HRP
import TestKit
import Testing

/// "Manual Backup Procedures" and "Verify Backup Integrity": the guide's lines are read from the guide.
@Suite("Guide: manual backup and verification")
struct ManualBackupTests {
  private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

  @Test("a backup prints the guide's first lines, with the absolute path", .guide(24, 25, 26))
  func created() throws {
    try withGuideHome { home in
      let expected = OperationsGuide.output(of: "python -m hrp.data.backup --backup")
      let shown = try lines(hrp(["backup", "--backup"], in: home).output)
      #expect(shown.first == expected.first)
      #expect(shown.count == 4 && OperationsGuide.agrees(shown, with: expected), "\(shown)")
      let prefix = try #require(expected[1].firstRange(of: "/").map { expected[1][..<$0.lowerBound] })
      #expect(shown[1].hasPrefix(prefix + home + "/hrp-data/backups/backup_"))
    }
  }

  @Test("its size has one decimal, in megabytes of 1024 times 1024 bytes", .guide(27))
  func size() throws {
    try withGuideHome { home in
      let expected = OperationsGuide.output(of: "python -m hrp.data.backup --backup")[2]
      let shown = try lines(hrp(["backup", "--backup"], in: home).output)[2]
      let list = try hrp(["backup", "list", "--json"], in: home).output
      let backups = try #require(JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
      let bytes = try #require(backups.first?["size_bytes"] as? Double)
      #expect(shown == expected.replacing(#/\d+\.\d+/#, with: String(format: "%.1f", bytes / 1024 / 1024)))
    }
  }

  @Test("from a program: defaults, path and size", .guide(29, 30, 31))
  func fromAProgram() throws {
    try withGuideHome { home in
      let data = home + "/hrp-data"
      let result = try createBackup(backupDirectory: nil, includeMLflow: true, dataDirectory: data)
      #expect(result.path.hasPrefix(data + "/backups/backup_"))
      #expect(FileManager.default.fileExists(atPath: result.path + "/mlruns/mlruns/0/meta.yaml"))
      let bytes = try run("/bin/sh", ["-c", "cat \(result.path)/hrp.duckdb \(result.path)/mlruns/mlruns/0/* | wc -c"])
      let expected = try #require(Double(bytes.output.trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(abs(result.sizeMB - expected / 1024 / 1024) < 0.006)
      let without = try createBackup(includeMLflow: false, dataDirectory: data)
      #expect(!FileManager.default.fileExists(atPath: without.path + "/mlruns"))
    }
  }

  @Test("the checksum file is a path, and the file is there", .guide(32))
  func checksumFile() throws {
    try withGuideHome { home in
      let key = try #require(OperationsGuide.text.firstMatch(of: #/result\['(checksum\w+)'\]/#)?.1)
      let output = try hrp(["backup", "create", "--json"], in: home).output
      let value = try #require(JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
      let path = try #require(value[String(key)] as? String)
      #expect(path == (value["path"] as? String ?? "") + "/checksums.txt")
      #expect(FileManager.default.fileExists(atPath: path))
      #expect(try createBackup(dataDirectory: home + "/hrp-data").checksumFile.hasSuffix("/checksums.txt"))
    }
  }

  @Test("the list has the guide's heading and lines, the newest first", .guide(33, 34, 35))
  func list() throws {
    try withGuideHome { home in
      let expected = OperationsGuide.output(of: "python -m hrp.data.backup --list")
      let names = try (0..<3).map { _ in
        try lines(hrp(["backup", "--backup"], in: home).output)[1].split(separator: "/").last.map(String.init) ?? ""
      }
      let shown = try lines(hrp(["backup", "--list"], in: home).output)
      #expect(shown.first == expected.first)
      #expect(OperationsGuide.agrees(shown, with: expected), "\(shown)")
      for (number, name) in names.reversed().enumerated() {
        #expect(shown[number + 1].hasPrefix("  \(number + 1). \(name) ("))
      }
    }
  }

  @Test("an empty directory is no failure, and the options of the Python tool are taken", .guide(36, 37))
  func options() throws {
    try withGuideHome { home in
      try run("/bin/mkdir", ["empty"], in: home)
      let empty = try hrp(["backup", "--list", "--backup-dir", "empty"], in: home)
      #expect(empty.status == 0 && empty.output == "No backups found\n")
      let taken: [[String]] = [
        ["--backup", "--data-dir", "hrp-data", "--backup-dir", "elsewhere", "--no-mlflow", "-q"],
        ["--backup", "--backup-dir", "elsewhere", "--quiet"],
        ["--restore", "latest", "--backup-dir", "elsewhere", "--target-dir", "new", "-q"],
        ["--rotate", "--backup-dir", "elsewhere", "--keep-days", "30"],
      ]
      for words in taken {
        let done = try hrp(["backup"] + words, in: home)
        #expect(done.status == 0 && done.errors.isEmpty, "\(words): \(done)")
      }
      #expect(try hrp(["backup", "--backup", "--no-such-option"], in: home).status == 2)
      let help = try hrp(["backup"], in: home)
      #expect(help.status == 0 && help.output.contains("USAGE"))
    }
  }

  @Test("a restore verifies by itself: a damaged backup is refused, and nothing appears", .guide(38, 48))
  func verifiesBeforeRestoring() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      try damage(home)
      let restored = try hrp(["backup", "--restore", "latest", "--target-dir", "new"], in: home)
      #expect(restored.status == 1 && restored.errors.contains("Checksum mismatch"), "\(restored)")
      #expect(!FileManager.default.fileExists(atPath: home + "/new/hrp.duckdb"))
    }
  }

  @Test("a good backup is said to be one in the guide's lines, by path, name, number and latest", .guide(39, 40, 41))
  func verified() throws {
    try withGuideHome { home in
      let expected = OperationsGuide.output(of: "python -m hrp.data.backup --verify", variant: "success")
      let path = try lines(hrp(["backup", "--backup"], in: home).output)[1].dropFirst("  Path: ".count)
      let name = path.split(separator: "/").last ?? ""
      for reference in [String(path), String(name), "1", "latest"] {
        let shown = try hrp(["backup", "--verify", reference], in: home)
        #expect(shown.status == 0 && shown.output == expected.joined(separator: "\n") + "\n", "\(reference): \(shown)")
      }
    }
  }

  @Test("a damaged one is said to be that in the guide's lines, each file on a line of its own", .guide(42, 43))
  func damaged() throws {
    try withGuideHome { home in
      let expected = OperationsGuide.output(of: "python -m hrp.data.backup --verify", variant: "failure")
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      try damage(home)
      try run(
        "/bin/sh", ["-c", "cd hrp-data/backups/backup_* && rm -f mlruns/mlruns/0/meta.yaml && echo x > more"], in: home)
      let shown = try hrp(["backup", "--verify", "latest"], in: home)
      #expect(shown.status == 1)
      let shownLines = lines(shown.output)
      #expect(shownLines.first == expected.first && shownLines.contains(expected[1]), "\(shown)")
      #expect(
        Set(shownLines.dropFirst()) == [
          expected[1], "  Missing file: mlruns/mlruns/0/meta.yaml", "  Unexpected file: more",
        ])
    }
  }

  @Test("from a program: true and false", .guide(44, 45))
  func verifyFromAProgram() throws {
    try withGuideHome { home in
      let path = try createBackup(dataDirectory: home + "/hrp-data").path
      #expect(verifyBackup(path))
      try damage(home)
      #expect(!verifyBackup(path) && !verifyBackup(home + "/nowhere"))
      try FileManager.default.removeItem(atPath: path + "/checksums.txt")
      #expect(!verifyBackup(path))
    }
  }

  /// Changes one byte in the database of every backup.
  private func damage(_ home: String) throws {
    try run(
      Checkout.python,
      [
        "-c",
        """
        import glob, os
        for path in glob.glob('hrp-data/backups/backup_*/hrp.duckdb'):
            os.chmod(path, 0o644)
            data = bytearray(open(path, 'rb').read()); data[5000] ^= 1; open(path, 'wb').write(data)
        """,
      ], in: home)
  }
}
