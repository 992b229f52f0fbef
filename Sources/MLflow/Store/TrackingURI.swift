private import Files
package import SystemPackage

/// What `MLFLOW_TRACKING_URI` names.
package enum TrackingURI: Equatable, Sendable {
  /// An SQLite database, by absolute path.
  case sqlite(FilePath)
  /// A file store, by absolute path.
  case folder(FilePath)
  /// A server or another database: its records are not on this machine's file system.
  case remote(scheme: String)

  /// Reads a URI as MLflow does (`mlflow/store/db/utils.py`, `mlflow/utils/file_utils.py`, 3.x); a relative path is
  /// relative to the working directory.
  ///
  /// - Parameter home: the directory that `~` stands for; when it is nil, `~` stays as it is.
  package init(_ text: String, workingDirectory: FilePath, home: String? = nil) {
    let absolute = { (text: String) in
      let path = Self.percentDecoded(text)
      let isHome = path == "~" || path.hasPrefix("~/")
      let expanded = isHome ? home.map { $0 + path.dropFirst() } ?? path : path
      return workingDirectory.pushing(FilePath(expanded)).lexicallyNormalized()
    }
    if let rest = Self.rest(of: Self.withoutDriver(text), after: "sqlite:///") {
      self = .sqlite(absolute(String(rest.prefix { $0 != "?" })))
    } else if let rest = Self.rest(of: text, after: "file://") {
      // An authority (`file://localhost/x`) is dropped; the path begins at the next slash.
      self = .folder(absolute(String(rest.first == "/" ? rest : rest.drop { $0 != "/" })))
    } else if let rest = Self.rest(of: text, after: "file:") {
      self = .folder(absolute(String(rest)))
    } else if let end = text.range(of: "://") {
      self = .remote(scheme: String(text[..<end.lowerBound]))
    } else if text == "databricks" || text == "uc" {
      self = .remote(scheme: text)
    } else {
      self = .folder(absolute(text))
    }
  }

  /// SQLAlchemy's `sqlite+pysqlite:` is `sqlite:`.
  private static func withoutDriver(_ text: String) -> String {
    guard text.lowercased().hasPrefix("sqlite+"), let colon = text.firstIndex(of: ":") else { return text }
    return "sqlite" + text[colon...]
  }

  private static func rest(of text: String, after prefix: String) -> Substring? {
    text.lowercased().hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil
  }

  /// The text with `%41` read as `A`; as it stands where that is no valid escape.
  static func percentDecoded(_ text: String) -> String {
    guard text.contains("%"), let bytes = ByteText.bytes(of: text.utf8) else { return text }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension String {
  /// The first place of a text in this one.
  fileprivate func range(of other: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
      start = index(after: start)
    }
    return nil
  }
}
