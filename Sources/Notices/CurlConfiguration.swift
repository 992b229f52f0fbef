/// What curl is told on its standard input (man curl, `--config`).
///
/// Nothing of it stands in an argument list, which every user of the machine can read.
package struct CurlConfiguration: Equatable, Sendable {
  /// The text, an option on each line.
  package private(set) var text = ""

  /// The arguments that make curl read it, and no file of the user.
  package static let arguments = ["-q", "--config", "-"]

  private init() {}

  /// A POST to a web server.
  /// - Parameter address: the whole address.
  /// - Parameter bearer: what is sent as `Authorization: Bearer …`.
  package static func post(
    _ address: String, contentType: String, body: String, bearer: String? = nil
  ) -> CurlConfiguration {
    var configuration = CurlConfiguration()
    configuration.addCommon(address, protocols: "=http,https")
    configuration.add("header", value: "Content-Type: \(contentType)")
    // Some services refuse who does not say who it is.
    configuration.add("user-agent", value: "hrp")
    if let bearer { configuration.add("header", value: "Authorization: Bearer \(bearer)") }
    // As it stands: with data, a body that begins with @ would be the name of a file.
    configuration.add("data-raw", value: body)
    configuration.add("max-filesize", value: "1048576")
    return configuration
  }

  /// An e-mail for a server.
  /// - Parameter login: the user and the password.
  /// - Parameter requiresTLS: whether nothing is sent without encryption to a server that is believed.
  package static func mail(
    _ message: MailMessage, server: String, login: (user: String, password: String)?, requiresTLS: Bool
  ) -> CurlConfiguration {
    var configuration = CurlConfiguration()
    configuration.addCommon(server, protocols: "=smtp,smtps")
    configuration.add(requiresTLS ? "ssl-reqd" : "ssl")
    // Who reads along could take the encryption away anyhow: an untrusted certificate makes nothing worse.
    if !requiresTLS { configuration.add("insecure") }
    configuration.add("mail-from", value: message.sender)
    for receiver in message.receivers { configuration.add("mail-rcpt", value: receiver) }
    // One address that the server refuses keeps nobody else from the message.
    configuration.add("mail-rcpt-allowfails")
    if let login { configuration.add("user", value: "\(login.user):\(login.password)") }
    for header in message.headers { configuration.add("header", value: header) }
    // A form is how curl takes a message without a file; quotes keep `@` and `;` from meaning anything.
    let text = message.text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    configuration.add("form", value: "=\"\(text)\";type=text/plain;charset=utf-8;encoder=base64")
    return configuration
  }

  private mutating func addCommon(_ address: String, protocols: String) {
    add("url", value: address)
    // Brackets and braces in an address mean themselves.
    add("globoff")
    add("silent")
    add("fail")
    add("proto", value: protocols)
    add("connect-timeout", value: "5")
    add("max-time", value: "10")
    // The number of the answer is all that is read of it.
    add("output", value: "/dev/null")
    add("write-out", value: "%{response_code}\n")
  }

  private mutating func add(_ option: String) { text += option + "\n" }

  private mutating func add(_ option: String, value: String) {
    text += "\(option) = \(Self.quoted(value))\n"
  }

  /// The value in quotes; a NUL, which no option can hold, is left out.
  static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\t": text += "\\t"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\u{0B}": text += "\\v"
      case "\0": continue
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
