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

  /// What the service is called: "hrp-scheduler.service", "com.hrp.scheduler".
  package var serviceName: String {
    switch self {
    case .systemd: "hrp-scheduler.service"
    case .launchd: "com.hrp.scheduler"
    }
  }

  /// Where the definition of the service lies.
  /// - Parameter configHome: `XDG_CONFIG_HOME`; nil for `.config` in the home directory.
  package func path(home: FilePath, configHome: FilePath? = nil) -> FilePath {
    switch self {
    case .systemd:
      (configHome ?? home.appending(".config")).appending("systemd").appending("user").appending(serviceName)
    case .launchd: home.appending("Library").appending("LaunchAgents").appending(serviceName + ".plist")
    }
  }
}
