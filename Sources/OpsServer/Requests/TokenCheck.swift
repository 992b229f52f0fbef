internal import Crypto

/// Compares the token of a request with the one that is configured.
package struct TokenCheck: Sendable {
  private let digest: SHA256.Digest

  package init(token: String) { digest = SHA256.hash(data: Array(token.utf8)) }

  /// - Parameter field: the field `Authorization`.
  package func allows(_ field: String?) -> Bool {
    guard let field, field.lowercased().hasPrefix("bearer ") else { return false }
    // Digests are compared in constant time, and so is what they are of.
    return SHA256.hash(data: Array(field.dropFirst(7).utf8)) == digest
  }
}
