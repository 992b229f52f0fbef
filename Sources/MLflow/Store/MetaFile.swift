/// A `meta.yaml` of a file store: plain fields, one a line.
///
/// MLflow writes them by `yaml.safe_dump` of a flat mapping (`mlflow/store/tracking/file_store.py`, 2.x and 3.x);
/// what is nested or folded is passed over.
package struct MetaFile: Sendable {
  /// Bytes that are read of one at most.
  package static let maximumBytes = 65_536

  private let lines: [Substring]

  package init(_ yaml: some Sequence<UInt8>) {
    lines = String(decoding: Array(yaml), as: UTF8.self).split(separator: "\n")
  }

  /// The value of a field, without its quotes; nil: there is none.
  package subscript(key: String) -> String? {
    guard let line = lines.first(where: { $0.hasPrefix("\(key): ") }) else { return nil }
    let text = line.dropFirst(key.count + 2)
    let value = text.last == "\r" ? text.dropLast() : text
    guard value.count >= 2, let first = value.first, first == value.last, first == "'" || first == "\"" else {
      return String(value)
    }
    return String(value.dropFirst().dropLast())
  }
}
