private import Synchronization

/// Counts requests and how long they took.
package final class RequestMetrics: Sendable {
  /// Upper bounds of the histogram, in seconds: those of the platform's own client library.
  package static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

  private struct Key: Hashable {
    let method: String
    let endpoint: String
    let status: Int
  }

  private struct Duration {
    var buckets = [Int](repeating: 0, count: RequestMetrics.bounds.count)
    var count = 0
    var sum = 0.0
  }

  private struct State {
    var requests: [Key: Int] = [:]
    var durations: [Key: Duration] = [:]
    var connections = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Notes a request that was answered.
  /// - Parameter method: one that the server knows, or `other`; strangers choose no labels.
  /// - Parameter endpoint: the template of the route, or `other`.
  package func note(method: String, endpoint: String, status: Int, seconds: Double) {
    state.withLock { state in
      state.requests[Key(method: method, endpoint: endpoint, status: status), default: 0] += 1
      var duration = state.durations[Key(method: method, endpoint: endpoint, status: 0)] ?? Duration()
      for (index, bound) in Self.bounds.enumerated() where seconds <= bound { duration.buckets[index] += 1 }
      duration.count += 1
      duration.sum += seconds
      state.durations[Key(method: method, endpoint: endpoint, status: 0)] = duration
    }
  }

  package func connectionOpened() { state.withLock { $0.connections += 1 } }
  package func connectionClosed() { state.withLock { $0.connections -= 1 } }

  /// Writes what was counted.
  package func write(to text: inout MetricsText) {
    let (requests, durations, connections) = state.withLock { ($0.requests, $0.durations, $0.connections) }
    let order = { (left: Key, right: Key) in
      (left.endpoint, left.method, left.status) < (right.endpoint, right.method, right.status)
    }
    let name = "hrp_http_requests_total"
    text.begin(name, kind: .counter, help: "Requests that were answered.")
    for (key, count) in requests.sorted(by: { order($0.key, $1.key) }) {
      text.add(
        name, labels: ["method": key.method, "endpoint": key.endpoint, "status": "\(key.status)"], value: Double(count))
    }
    let histogram = "hrp_http_request_duration_seconds"
    text.begin(histogram, kind: .histogram, help: "How long requests took.")
    for (key, duration) in durations.sorted(by: { order($0.key, $1.key) }) {
      for (bound, count) in zip(Self.bounds, duration.buckets) {
        text.add(
          histogram + "_bucket", labels: ["method": key.method, "endpoint": key.endpoint, "le": "\(bound)"],
          value: Double(count))
      }
      text.add(
        histogram + "_bucket", labels: ["method": key.method, "endpoint": key.endpoint, "le": "+Inf"],
        value: Double(duration.count))
      text.add(
        histogram + "_sum", labels: ["method": key.method, "endpoint": key.endpoint], value: duration.sum)
      text.add(
        histogram + "_count", labels: ["method": key.method, "endpoint": key.endpoint], value: Double(duration.count))
    }
    text.gauge("hrp_active_connections", help: "Connections that are open.", value: Double(connections))
  }
}
