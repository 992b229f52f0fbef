import Foundation
import TestKit
import Testing

/// `hrp` as it is installed: outside of the checkout, with its engine in `../lib/hrp`.
@Suite("An installed hrp")
struct InstalledTests {
  @Test("it finds the engine that was installed with it, also through a link, and names both versions")
  func engine() throws {
    try withTemporaryFolder { folder in
      let library = Checkout.root.appendingPathComponent(".deps/lib/1.5.6/libduckdb.so").path
      try run("/bin/mkdir", ["-p", "there/bin", "there/lib/hrp", "links"], in: folder)
      try run("/bin/cp", [Checkout.hrp, "there/bin/hrp"], in: folder)
      try run("/bin/cp", [library, "there/lib/hrp/libduckdb.so"], in: folder)
      try run("/bin/ln", ["-s", "../there/bin/hrp", "links/hrp"], in: folder)
      for program in ["/there/bin/hrp", "/links/hrp"] {
        let done = try run(folder + program, ["--version", "--json"], in: folder)
        let report = try #require(try JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String: Any])
        let engine = report["engine"] as? [String: Any]
        #expect(done.status == 0 && report["version"] as? String == "0.1.0", "\(done.output)\(done.errors)")
        #expect(engine?["version"] as? String == "v1.5.6")
        #expect(engine?["library"] as? String == folder + "/there/lib/hrp/libduckdb.so")
      }
    }
  }

  @Test("without an engine the version is said all the same, and why there is none")
  func none() throws {
    let done = try run(
      Checkout.hrp, ["--json", "--version"], environment: ["HRP_DUCKDB_LIBRARY": "/nowhere/libduckdb.so"])
    let report = try #require(try JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String: Any])
    #expect(done.status == 0 && report["version"] as? String == "0.1.0")
    #expect(report["engine"] is NSNull && report["engine_error"] as? String == "DuckDB's library could not be loaded")
  }
}
