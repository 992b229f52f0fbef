/// Where the ops server listens, and who may ask it: the group `ops` of the configuration.
package struct OpsSettings: Sendable {
  package static let ports: ClosedRange<Int> = 0...65_535

  /// The address or name that it binds to; 127.0.0.1 unless something says otherwise.
  package let host: Setting<String>
  package let port: Setting<Int>
  /// Names under which it may be asked, besides localhost, addresses, and the host itself.
  package let allowedHosts: Setting<[String]>
  /// Where the token stands that actions need; nil: there are no actions.
  package let token: Setting<SecretSource>?
  /// What is wrong with environment variables, each as a sentence.
  let warnings: [String]

  /// - Parameter map: the group; when it is nil, environment and defaults hold.
  init(_ map: SettingsMap?, environment: (String) -> String?) {
    var warnings: [String] = []
    let written = map?.value("host", allowed: "a name or an address", read: Self.host)
    host = .first(
      environment: Self.variable(.opsHost, in: environment, warnings: &warnings, allowed: "a name or an address") {
        Self.host($0)
      }, file: written, standard: "127.0.0.1")
    let number = map?.value("port", allowed: "a number from 0 to 65535", read: Self.port)
    port = .first(
      environment: Self.variable(.opsPort, in: environment, warnings: &warnings, allowed: "a number from 0 to 65535") {
        Self.port($0)
      }, file: number, standard: 8080)
    let names = map?.values("allowed_hosts", allowed: "a name, or a list of names", read: Self.host)
    allowedHosts = .first(
      file: names.flatMap { names in names.first.map { (names.map { $0.value.lowercased() }, $0.line) } }, standard: [])
    let file = map?.value("token_file", allowed: "the path of a file") { $0.isEmpty || $0.contains("\0") ? nil : $0 }
    let variable = EnvironmentName.opsToken.rawValue
    if environment(variable) != nil {
      token = Setting(.environment(variable), from: .environment(variable))
    } else {
      token = file.map { Setting(.file($0.value), from: .file(line: $0.line)) }
    }
    self.warnings = warnings
    map?.reportUnknown()
  }

  private static func variable<Value>(
    _ name: EnvironmentName, in environment: (String) -> String?, warnings: inout [String], allowed: String,
    read: (String) -> Value?
  ) -> (name: String, value: Value)? {
    guard let text = environment(name.rawValue) else { return nil }
    if let value = read(text) { return (name.rawValue, value) }
    warnings.append("\(name.rawValue) is '\(text)', which is not \(allowed): it is left out")
    return nil
  }

  /// A name or an address as it stands in the field `Host` of a request, without a port.
  package static func host(_ text: String) -> String? {
    let isPlain = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "-._:%[]".utf8.contains(byte)
    }
    return !text.isEmpty && text.utf8.count <= 255 && isPlain ? text : nil
  }

  package static func port(_ text: String) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text).flatMap { ports.contains($0) ? $0 : nil } : nil
  }
}
