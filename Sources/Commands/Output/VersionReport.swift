internal import DuckDBEngine
internal import Files
internal import Stacks
internal import Store

/// What `hrp --version --json` says: the version of this program, and of the engine that it would use.
struct VersionReport: Encodable {
  private struct Engine: Encodable {
    let version: String
    let library: String
  }

  private let version = Version.current
  private let engine: Nullable<Engine>
  private let engineError: String?

  private enum CodingKeys: CodingKey { case version, engine, engineError }

  init() {
    do {
      let (version, library) = try EngineRun(files: Kernel()).identify()
      engine = Nullable(Engine(version: version, library: library))
      engineError = nil
    } catch {
      engine = Nullable(nil)
      engineError = BackupError(error, doing: "loading the engine").message
    }
  }
}
