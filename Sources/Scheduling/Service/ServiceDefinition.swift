internal import Files
package import SystemPackage

/// The scheduler or the ops server as a service of the user: what systemd or launchd is told.
package struct ServiceDefinition: Sendable {
  /// The line by which hrp knows a file that it wrote.
  static let mark = "Written by hrp service install"

  private let kind: ServiceKind
  private let program: FilePath
  private let dataDirectory: FilePath
  private let environment: [(name: String, value: String)]

  /// - Parameter environment: variables that the configuration file does not say; a frozen variable would overrule the
  ///   file for ever, so there are few.
  package init(
    _ kind: ServiceKind = .scheduler, program: FilePath, dataDirectory: FilePath,
    environment: [(name: String, value: String)]
  ) {
    self.kind = kind
    self.program = program
    self.dataDirectory = dataDirectory
    self.environment = environment
  }

  private var arguments: [String] {
    [program.string] + kind.words + ["--data-dir", dataDirectory.string]
  }

  private var logs: FilePath { dataDirectory.appending("logs") }

  /// The text of the definition.
  package func text(for manager: ServiceSystem) -> String {
    switch manager {
    case .systemd: unit
    case .launchd: propertyList
    }
  }

  /// Whether a definition is one for the same data directory.
  func isMeant(by text: String, for manager: ServiceSystem) -> Bool {
    guard text.contains(Self.mark) else { return false }
    return switch manager {
    case .systemd: text.contains("\"--data-dir\" \(Self.dollar(Self.quoted(dataDirectory.string)))\n")
    case .launchd: text.contains("<string>\(Self.escaped(dataDirectory.string))</string>")
    }
  }

  /// The line for a crontab, where there is no manager of services; nil when a crontab does not help.
  package var cronLine: String? {
    guard let once = kind.wordsOnce else { return nil }
    // In a crontab a percent sign ends the command.
    let words = [program.string] + once + ["--data-dir", dataDirectory.string]
    let command = words.map { ShellWord.quoted(FilePath($0)) }.joined(separator: " ")
    return "* * * * * " + command.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "\\%")
  }

  // MARK: - systemd (man 5 systemd.service, man 5 systemd.exec)

  private var unit: String {
    let variables = environment.map { "Environment=\(Self.quoted("\($0.name)=\($0.value)"))\n" }.joined()
    return """
      # \(Self.mark). It is replaced by the next install, and removed by: hrp service uninstall
      [Unit]
      Description=hrp \(kind.title) of \(Self.percent(dataDirectory.string))

      [Service]
      ExecStart=\(arguments.map { Self.dollar(Self.quoted($0)) }.joined(separator: " "))
      \(variables)KillMode=mixed
      TimeoutStopSec=60
      Restart=always
      RestartSec=60
      RestartPreventExitStatus=2
      Nice=10
      IOSchedulingClass=best-effort
      IOSchedulingPriority=7
      StandardOutput=append:\(Self.percent(logs.appending("\(kind.rawValue).log").string))
      StandardError=append:\(Self.percent(logs.appending("\(kind.rawValue).error.log").string))

      [Install]
      WantedBy=default.target

      """
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text {
      if character == "\"" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return percent(result + "\"")
  }

  private static func percent(_ text: String) -> String { doubled("%", in: text) }

  private static func dollar(_ text: String) -> String { doubled("$", in: text) }

  private static func doubled(_ character: Character, in text: String) -> String {
    text.split(separator: character, omittingEmptySubsequences: false).joined(separator: "\(character)\(character)")
  }

  // MARK: - launchd (man 5 launchd.plist)

  private var propertyList: String {
    let words = arguments.map { "    <string>\(Self.escaped($0))</string>\n" }.joined()
    let variables = environment.map {
      "    <key>\(Self.escaped($0.name))</key>\n    <string>\(Self.escaped($0.value))</string>\n"
    }.joined()
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
      <!-- \(Self.mark). It is replaced by the next install, and removed by: hrp service uninstall -->
      <plist version="1.0">
      <dict>
        <key>Label</key>
        <string>\(ServiceSystem.launchd.name(of: kind))</string>
        <key>ProgramArguments</key>
        <array>
      \(words)  </array>
        <key>EnvironmentVariables</key>
        <dict>
      \(variables)  </dict>
        <key>RunAtLoad</key>
        <true/>
        <key>KeepAlive</key>
        <true/>
        <key>ExitTimeOut</key>
        <integer>60</integer>
        <key>ThrottleInterval</key>
        <integer>60</integer>
        <key>ProcessType</key>
        <string>\(kind == .ops ? "Adaptive" : "Background")</string>
        <key>LowPriorityIO</key>
        <true/>
        <key>Nice</key>
        <integer>10</integer>
        <key>StandardOutPath</key>
        <string>\(Self.escaped(logs.appending("\(kind.rawValue).log").string))</string>
        <key>StandardErrorPath</key>
        <string>\(Self.escaped(logs.appending("\(kind.rawValue).error.log").string))</string>
      </dict>
      </plist>

      """
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      default: result.append(character)
      }
    }
    return result
  }
}
