public import Foundation

/// A program ended before it said what a test waited for.
public struct EndedTooEarly: Error {
  /// All that it said.
  public let said: String
}

/// Starts a program and returns once it has said something, on either of its streams: what a test needs of it is done.
///
/// Whoever starts it ends it. It should not say much more, for nobody reads it.
/// - Throws: `EndedTooEarly`.
public func start(
  _ program: String, _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:],
  until word: String
) throws -> Process {
  let process = prepared(program, arguments: arguments, in: folder, environment: environment)
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  var said = ""
  while !said.contains(word) {
    let more = pipe.fileHandleForReading.availableData
    if more.isEmpty { throw EndedTooEarly(said: said) }
    said += String(decoding: more, as: UTF8.self)
  }
  return process
}
