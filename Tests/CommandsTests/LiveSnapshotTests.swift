import Foundation
import TestKit
import Testing

/// The hot copy that answers questions about a stack in use, seen from outside.
@Suite("A kept snapshot")
struct LiveSnapshotTests {
  private func snapshots(_ home: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: home + "/hrp-data/scratch")
      .filter { $0.hasPrefix("hrp-snapshot.") }.sorted()
  }

  @Test("S3: one is kept, used again while nothing is written, and for a day at most")
  func kept() throws {
    try withGuideHome { home in
      let ask = { () throws -> Finished in try hrp(["validate", "--json"], in: home) }
      _ = try ask()
      let first = try snapshots(home)
      #expect(first.count == 1)
      _ = try ask()
      #expect(try snapshots(home) == first)
      try Engine("2.0.1").run(
        "c = duckdb.connect('hrp-data/hrp.duckdb'); c.execute('INSERT INTO t VALUES (10)'); c.close()", in: home)
      #expect(try ask().status == 0)
      let second = try snapshots(home)
      #expect(second.count == 1 && second != first)
      // As if it had been made two days ago.
      let folder = home + "/hrp-data/scratch/" + second[0]
      try run("/bin/sh", ["-c", "touch -d '2 days ago' *"], in: folder)
      _ = try ask()
      let third = try snapshots(home)
      #expect(third.count == 1 && third != second)
    }
  }

  @Test("S1: what a killed process left is removed by the next question; one that is in use stays")
  func killed() throws {
    try withGuideHome { home in
      let scratch = home + "/hrp-data/scratch"
      try run("/bin/mkdir", ["-p", scratch + "/hrp-snapshot.dead", scratch + "/hrp-snapshot.used"])
      let user = try start(
        "/bin/sh", ["-c", "exec 9< hrp-snapshot.used; flock -s 9; echo ready; exec sleep 60"], in: scratch,
        until: "ready")
      defer { kill(user.processIdentifier, SIGKILL) }
      _ = try hrp(["validate"], in: home)
      let left = try snapshots(home)
      #expect(left.contains("hrp-snapshot.used") && !left.contains("hrp-snapshot.dead") && left.count == 2)
    }
  }
}
