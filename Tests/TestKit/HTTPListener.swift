internal import Foundation
private import Synchronization

/// A web server that keeps what it is asked, and answers as a test wants.
public final class HTTPListener: Sendable {
  /// What somebody asked.
  public struct Request: Sendable {
    /// The method: "POST".
    public let method: String
    /// Path and query.
    public let target: String
    /// The header, its names in small letters.
    public let headers: [String: String]
    /// The body.
    public let body: String
  }

  private final class State: Sendable {
    let requests = Mutex<[Request]>([])
    let arrived = DispatchSemaphore(value: 0)
  }

  private let state: State
  private let listening: ListeningSocket

  /// Begins to listen.
  /// - Parameter answers: the status of each answer in order, of which the last holds for all others; 0: none is given,
  ///   until the other side closes.
  /// - Throws: what making the socket throws.
  public init(answers: [Int] = [200]) throws {
    let state = State()
    self.state = state
    listening = try ListeningSocket { connection in
      guard let request = Self.read(connection) else { return }
      let number = state.requests.withLock { requests in
        requests.append(request)
        return requests.count
      }
      state.arrived.signal()
      let status = answers[min(number, answers.count) - 1]
      guard status > 0 else { return connection.drain() }
      let place = (300..<400).contains(status) ? "Location: /elsewhere\r\n" : ""
      connection.write("HTTP/1.1 \(status) Answer\r\n\(place)Content-Length: 2\r\nConnection: close\r\n\r\nOK")
    }
  }

  /// Where it is: "http://127.0.0.1:4711".
  public var address: String { "http://127.0.0.1:\(listening.port)" }

  /// What was asked so far.
  public var requests: [Request] { state.requests.withLock { $0 } }

  /// Waits until one more request has come.
  public func waitForRequest() { state.arrived.wait() }

  private static func read(_ connection: SocketConnection) -> Request? {
    guard let first = connection.line()?.split(separator: " "), first.count == 3 else { return nil }
    var headers: [String: String] = [:]
    while let line = connection.line(), !line.isEmpty {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
    }
    let body = connection.bytes(headers["content-length"].flatMap { Int($0) } ?? 0)
    return Request(
      method: String(first[0]), target: String(first[1]), headers: headers,
      body: String(decoding: body, as: UTF8.self))
  }
}
