internal import Hummingbird
internal import NIOCore

/// Who sends a request.
struct OpsContext: InitializableFromSource, Sendable {
  /// Whether the client is on this machine.
  let isLocal: Bool

  init(source: ApplicationRequestContextSource) {
    switch source.channel.remoteAddress {
    case .v4(let address): isLocal = address.host.hasPrefix("127.")
    case .v6(let address): isLocal = address.host == "::1" || address.host.hasPrefix("::ffff:127.")
    case .unixDomainSocket: isLocal = true
    case nil: isLocal = false
    }
  }
}
