internal import Foundation
private import Synchronization

/// A mail server without encryption that keeps what it gets.
public final class SMTPListener: Sendable {
  private let received: Received
  private let listening: ListeningSocket

  private final class Received: Sendable {
    let commands = Mutex<[String]>([])
    let messages = Mutex<[String]>([])
  }

  /// Begins to listen.
  /// - Parameter refusals: answers other than 250, by the first word of a command, such as `["RCPT": "550 no"]`.
  /// - Throws: what making the socket throws.
  public init(refusals: [String: String] = [:]) throws {
    let received = Received()
    self.received = received
    listening = try ListeningSocket { connection in
      connection.write("220 test\r\n")
      while let line = connection.line() {
        received.commands.withLock { $0.append(line) }
        let word = String(line.prefix { $0 != " " && $0 != ":" }).uppercased()
        if let refusal = refusals[word] {
          connection.write(refusal + "\r\n")
          continue
        }
        switch word {
        case "EHLO": connection.write("250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n")
        case "AUTH":
          connection.write("334 \r\n")
          if let answer = connection.line() { received.commands.withLock { $0.append(answer) } }
          connection.write("235 welcome\r\n")
        case "DATA":
          connection.write("354 go on\r\n")
          received.messages.withLock { $0.append(Self.message(connection)) }
          connection.write("250 taken\r\n")
        case "QUIT": return connection.write("221 bye\r\n")
        default: connection.write("250 good\r\n")
        }
      }
    }
  }

  private static func message(_ connection: SocketConnection) -> String {
    var lines: [String] = []
    while let line = connection.line(), line != "." { lines.append(line) }
    return lines.joined(separator: "\n")
  }

  /// Where it is: "smtp://127.0.0.1:4711".
  public var address: String { "smtp://127.0.0.1:\(listening.port)" }

  /// What was said to it, line by line, without the messages.
  public var commands: [String] { received.commands.withLock { $0 } }

  /// The messages, their lines with line feeds.
  public var messages: [String] { received.messages.withLock { $0 } }
}
