/// An error that knows how users are told of it, whatever was being done.
package protocol ExplainedError: Error {
  /// What users see of it.
  var explanation: BackupError { get }
}
