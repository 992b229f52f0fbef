private import CDuckDB

/// DuckDB itself, loaded into this process: only ever in the short-lived child, which a damaged file may crash.
final class EngineSession {
  /// The engine's own words.
  struct Failure: Error { let words: String }

  private static let errorSize = 4096

  private let engine: OpaquePointer
  let library: String

  var version: String { String(cString: hrp_engine_version(engine)) }

  /// Loads the library.
  init(library: String) throws(Failure) {
    var error = [CChar](repeating: 0, count: Self.errorSize)
    guard let engine = hrp_engine_load(library, &error, Int64(error.count)) else {
      throw Failure(words: Self.text(error))
    }
    self.engine = engine
    self.library = library
  }

  /// Opens a database; read-only unless it is a scratch copy: then the WAL beside it is replayed in memory, and no byte
  /// of either changes.
  func open(_ request: EngineRequest) throws(Failure) {
    let settings = [
      "access_mode", request.isScratch ? "READ_WRITE" : "READ_ONLY", "memory_limit", "\(request.memoryMegabytes)MB",
      "threads", "\(request.threads)",
      "temp_directory", request.scratch, "autoinstall_known_extensions", "false",
      // Checkpoints of a scratch copy are written when the proof asks for one (`CheckpointProof`).
      "checkpoint_threshold", "1TB",
      // A stranger's view must not make us read a file or ask a server.
      "enable_external_access", "false",
    ]
    var error = [CChar](repeating: 0, count: Self.errorSize)
    let status = Self.withStrings(settings) {
      hrp_engine_open(engine, request.database, $0, &error, Int64(error.count))
    }
    if status != 0 { throw Failure(words: Self.text(error)) }
  }

  /// Closes the database; `open` opens it again.
  func close() { hrp_engine_close(engine) }

  /// Runs a statement and throws its result away.
  func run(_ sql: String) throws(Failure) {
    var error = [CChar](repeating: 0, count: Self.errorSize)
    guard hrp_engine_query(engine, sql, nil, nil, &error, Int64(error.count)) == 0 else {
      throw Failure(words: Self.text(error))
    }
  }

  /// The rows of a statement whose columns are all VARCHAR; NULL is an empty text.
  func rows(_ sql: String) throws(Failure) -> [[String]] {
    var all: [[String]] = []
    try stream(sql) { row in all.append(row.map { $0 ?? "" }) }
    return all
  }

  /// Hands over each row of a statement whose columns are all VARCHAR; NULL is nil.
  func stream(_ sql: String, take: ([String?]) -> Void) throws(Failure) {
    var error = [CChar](repeating: 0, count: Self.errorSize)
    let status = withoutActuallyEscaping(take) { take in
      let reader = RowReader(take)
      return hrp_engine_query(
        engine, sql,
        { context, columns, values, lengths in
          guard let context, let values, let lengths else { return 1 }
          Unmanaged<RowReader>.fromOpaque(context).takeUnretainedValue().take(
            (0..<Int(columns)).map { column in
              guard let value = values[column] else { return nil }
              // Safe because the shim gives a text of that length for each column, or NULL.
              let bytes = UnsafeRawBufferPointer(start: value, count: Int(lengths[column]))
              return String(decoding: bytes, as: UTF8.self)
            })
          return 0
        }, Unmanaged.passUnretained(reader).toOpaque(), &error, Int64(error.count))
    }
    if status != 0 { throw Failure(words: Self.text(error)) }
  }

  private final class RowReader {
    let take: ([String?]) -> Void
    init(_ take: @escaping ([String?]) -> Void) { self.take = take }
  }

  private static func text(_ error: [CChar]) -> String {
    String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func withStrings(_ texts: [String], body: (UnsafePointer<UnsafePointer<CChar>?>) -> Int32) -> Int32 {
    let buffers = texts.map { text in
      let bytes = Array(text.utf8CString)
      let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count)
      _ = buffer.initialize(from: bytes)
      return buffer
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    let pointers: [UnsafePointer<CChar>?] = buffers.map { UnsafePointer($0.baseAddress) } + [nil]
    return pointers.withUnsafeBufferPointer { pointers in
      // There is at least the NULL at the end, so there is an address.
      pointers.baseAddress.map(body) ?? 1
    }
  }
}
