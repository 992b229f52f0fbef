package import SystemPackage

extension ThisProcess {
  /// The program `hrp`, which children run: `HRP_EXECUTABLE` names it, else it is this program when that is `hrp`, else
  /// the first `hrp` on `PATH`; nil when there is none.
  package static func hrp(files: any FileSystem) throws(SystemError) -> FilePath? {
    if let named = environment("HRP_EXECUTABLE").map({ FilePath($0) }) {
      return try files.exists(named) ? named : nil
    }
    if let own = executable, own.lastComponent?.string == "hrp" { return own }
    return try onPath("hrp", files: files)
  }

  /// The first program of a name on `PATH`; nil when there is none.
  package static func onPath(_ name: String, files: any FileSystem) throws(SystemError) -> FilePath? {
    for folder in (environment("PATH") ?? "").split(separator: ":") {
      let path = FilePath(String(folder)).appending(name)
      do throws(SystemError) {
        if try files.exists(path) { return path }
      } catch {
        // A folder on PATH that this user may not look into holds no program for this user.
        guard error.errno == .permissionDenied else { throw error }
      }
    }
    return nil
  }
}
