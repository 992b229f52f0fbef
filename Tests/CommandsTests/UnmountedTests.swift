import Foundation
import TestKit
import Testing

/// B8: a disk that is not mounted is not taken for a new place.
@Suite("A backup directory that is not mounted")
struct UnmountedTests {
  private func refused(_ home: Home, _ words: String...) throws -> String {
    let done = try home.hrp(["backup", "create", "--json"] + words)
    #expect(done.status == 10, "\(done.output)\(done.errors)")
    let error = try #require(try home.error(done))
    #expect(error.code == "backup-directory.not-mounted")
    return error.message
  }

  @Test("a place that held backups and is missing, or is empty now, ends a backup with exit code 10 and stays so")
  func missing() throws {
    try withHome { home in
      try home.shell("mkdir disk")
      let first = try home.create("--backup-dir", "disk/b")
      try home.shell("mv disk/b away")
      for dry in ["--dry-run", "--no-mlflow"] {
        #expect(try refused(home, "--backup-dir", "disk/b", dry).contains("its newest backup was \(first)"))
      }
      #expect(try home.names(in: home.folder + "/disk") == [])
      // The empty mount point; whatever else is done there, what was known stays known.
      try home.shell("mkdir disk/b")
      for _ in 0..<2 { #expect(try refused(home, "--backup-dir", "disk/b").contains("holds none of the backups")) }
      #expect(try home.hrp("backup", "rotate", "--backup-dir", "disk/b").status == 0)
      // So does one with a backup that was made there while the disk was away.
      try home.shell(
        """
        cp -a away/backup_* disk/b/backup_20200101_000000 && cd disk/b/backup_20200101_000000
        chmod -R u+w . && sed -i 's/"size_bytes": /"size_bytes": 9/' metadata.json
        """)
      _ = try refused(home, "--backup-dir", "disk/b")
      let doctor = try home.hrp("doctor", "--backup-dir", "disk/b")
      #expect(doctor.status == 1 && doctor.output.contains("Is the disk mounted?"), "\(doctor.output)")
      // Mounted again, all is well.
      try home.shell("rm -rf disk/b && mv away disk/b")
      #expect(try home.verifies(home.create("--backup-dir", "disk/b")))
    }
  }

  @Test("--new-place begins anew, once and for all")
  func anew() throws {
    try withHome { home in
      _ = try home.create()
      try home.shell("rm -rf hrp-data/backups")
      _ = try refused(home)
      let first = try home.create("--new-place"), second = try home.create()
      #expect(try Set(home.list()) == [first, second])
    }
  }

  @Test(
    "a catalogue that is absent, damaged or cannot be read forbids nothing", arguments: ["rm", "echo x >", "mkdir"])
  func catalogue(ruin: String) throws {
    try withHome { home in
      _ = try home.create()
      try home.shell(
        "rm -rf backups hrp-catalogue.db* && \(ruin == "rm" ? "true" : "\(ruin) hrp-catalogue.db")", in: home.data)
      #expect(try home.verifies(home.create()))
    }
  }

  @Test("backups that a rotation left or that somebody renamed are known: no false alarm")
  func known() throws {
    try withHome { home in
      let old = try (1...2).map { try home.age(home.create(), days: 90 + $0) }
      for _ in 0..<2 { _ = try home.create() }
      #expect(try home.hrp("backup", "rotate").status == 0)
      #expect(try Set(home.list()).isDisjoint(with: old))
      try home.shell("for backup in backup_*; do mv $backup ${backup}_mine; done", in: home.backups)
      _ = try home.create()
    }
  }
}
