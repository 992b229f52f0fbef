/// An error that has its own explanation for users, whatever was being done.
package protocol ExplainedError: Error {
  /// What users see of it.
  var explanation: BackupError { get }
}
