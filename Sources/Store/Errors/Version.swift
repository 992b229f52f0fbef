/// The version of this program.
public enum Version {
  /// Semantic version, as `hrp --version` says it.
  public static let current = "0.1.0"
}
