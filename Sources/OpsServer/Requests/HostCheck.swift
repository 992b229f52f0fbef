internal import Settings

/// Whether a request names this server by a name that is its own.
///
/// A page of a stranger may make a browser resolve the stranger's name to this machine (DNS rebinding). The request
/// then carries the stranger's name, and is refused.
package struct HostCheck: Sendable {
  private let names: Set<String>

  /// - Parameter host: what the server binds to.
  package init(host: String, allowed: [String]) {
    names = Set(["localhost", host.lowercased()] + allowed.map { $0.lowercased() })
  }

  /// - Parameter authority: the field `Host`, with a port or without; nil when there is none, as in HTTP/1.0.
  package func allows(_ authority: String?) -> Bool {
    guard let authority else { return true }
    guard let name = Self.name(in: authority) else { return false }
    return names.contains(name) || Self.isAddress(name)
  }

  /// Whether the page that made a browser send a request is our own.
  /// - Parameter origin: the field `Origin`; nil when there is none.
  /// - Parameter authority: the field `Host` of the same request.
  package func allows(origin: String?, of authority: String?) -> Bool {
    guard let origin else { return true }
    guard let start = origin.firstRange(of: "://"), let authority else { return false }
    return allows(authority) && origin[start.upperBound...].lowercased() == authority.lowercased()
  }

  /// The name without its port, in small letters; nil when it is none.
  private static func name(in authority: String) -> String? {
    let text = authority.lowercased()
    guard OpsSettings.host(text) != nil else { return nil }
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") && OpsSettings.port(String(rest.dropFirst())) != nil else { return nil }
      return String(text[...end])
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.count == 1 || OpsSettings.port(String(parts[1])) != nil else { return nil }
    // A name may end with a dot.
    let name = parts[0].last == "." ? parts[0].dropLast() : parts[0]
    return name.isEmpty ? nil : String(name)
  }

  /// Whether a name is an address itself, which no stranger can make lead elsewhere.
  private static func isAddress(_ name: String) -> Bool {
    if name.hasPrefix("[") {
      return name.dropFirst().dropLast().utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || byte == 0x3A || byte == 0x2E
      } && name.contains(":")
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        !part.isEmpty && part.count <= 3 && part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
      }
  }
}
