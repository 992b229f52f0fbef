internal import Files
private import SystemPackage

/// Where DuckDB's C library may be.
package enum EngineLibrary {
  /// The environment variable that names it.
  package static let variable = "HRP_DUCKDB_LIBRARY"

  /// The places to look in, best first.
  ///
  /// What the user named, alone; else what was installed with this program (`bin/hrp` beside `lib/hrp`); else what
  /// `scripts/setup` made for the checkout that this program was built in; else whatever the system's loader finds.
  package static func candidates() -> [String] {
    if let named = ThisProcess.environment(variable) { return [named] }
    var candidates: [String] = []
    if let folder = ThisProcess.executable?.removingLastComponent().removingLastComponent() {
      candidates += ["so", "dylib"].map { folder.appending("lib/hrp/libduckdb.\($0)").string }
    }
    if let path = ThisProcess.executable?.string, let build = path.ranges(of: "/.build").first {
      candidates.append(path[..<build.lowerBound] + "/.deps/lib/libduckdb.so")
    }
    // Where Homebrew puts it; the loader of macOS does not look there by itself.
    let brewed = ["/opt/homebrew/lib/libduckdb.dylib", "/usr/local/lib/libduckdb.dylib"]
    return candidates + ["libduckdb.so"] + brewed
  }
}
