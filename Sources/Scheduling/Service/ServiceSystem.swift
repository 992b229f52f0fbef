internal import Files
package import SystemPackage

/// The program of the operating system that keeps services running.
package enum ServiceSystem: String, Sendable {
  case systemd, launchd

  /// The one of this system.
  package static var current: ServiceSystem {
    #if canImport(Darwin)
      .launchd
    #else
      .systemd
    #endif
  }

  /// What a service is called: "hrp-scheduler.service", "com.hrp.ops".
  package func name(of kind: ServiceKind) -> String {
    switch self {
    case .systemd: "hrp-\(kind.rawValue).service"
    case .launchd: "com.hrp.\(kind.rawValue)"
    }
  }

  /// Where the definition of the service lies.
  /// - Parameter configHome: `XDG_CONFIG_HOME`; nil for `.config` in the home directory.
  package func path(of kind: ServiceKind, home: FilePath, configHome: FilePath? = nil) -> FilePath {
    switch self {
    case .systemd:
      (configHome ?? home.appending(".config")).appending("systemd").appending("user").appending(name(of: kind))
    case .launchd: home.appending("Library").appending("LaunchAgents").appending(name(of: kind) + ".plist")
    }
  }
}
