/// Metrics in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).
package struct MetricsText {
  /// What a metric is.
  package enum Kind: String { case counter, gauge, histogram }

  /// A label and its value.
  package typealias Labels = KeyValuePairs<String, String>

  package private(set) var text = ""

  package init() {}

  /// Begins a metric.
  package mutating func begin(_ name: String, kind: Kind, help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  /// Adds a sample to the metric that was begun.
  package mutating func add(_ name: String, labels: Labels = [:], value: Double) {
    text += name
    if !labels.isEmpty {
      text += "{\(labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ","))}"
    }
    text += " \(Self.number(value))\n"
  }

  /// A gauge with one sample; without a value it is left out.
  package mutating func gauge(_ name: String, help: String, value: Double?) {
    guard let value else { return }
    begin(name, kind: .gauge, help: help)
    add(name, value: value)
  }

  /// A number as Prometheus reads it; a whole one without a fraction.
  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value) { return "\(whole)" }
    return "\(value)"
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
