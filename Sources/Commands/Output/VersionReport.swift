internal import DuckDBEngine
internal import Files
internal import Stacks
internal import Store

/// What `hrp --version --json` says: the version of this program, and of the engine that it would use.
enum VersionReport {
  static func json() -> JSONText {
    var fields: [(String, JSONText)] = [("version", .text(Version.current))]
    do {
      let (version, library) = try EngineRun(files: Kernel()).identify()
      fields.append(("engine", .object([("version", .text(version)), ("library", .text(library))])))
    } catch {
      fields.append(("engine", .null))
      fields.append(("engine_error", .text(BackupError(error, doing: "loading the engine").message)))
    }
    return .object(fields)
  }
}
