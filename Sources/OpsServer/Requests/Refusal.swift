internal import HTTPTypes

/// A request that is not done, and why: the body is `{"detail":"…"}`, as the platform's own.
struct Refusal: Error {
  let status: HTTPResponse.Status
  let detail: String
  var fields: HTTPFields = [:]

  static let notFound = Refusal(status: .notFound, detail: "Not Found")
  static let tooLarge = Refusal(
    status: .contentTooLarge, detail: "the body is larger than \(ConnectionGuard.maximumBodyBytes) bytes")

  static func methodNotAllowed(_ methods: [HTTPRequest.Method]) -> Refusal {
    Refusal(
      status: .methodNotAllowed, detail: "Method Not Allowed",
      fields: [.allow: methods.map(\.rawValue).joined(separator: ", ")])
  }

  static func forbidden(_ detail: String) -> Refusal { Refusal(status: .forbidden, detail: detail) }
}
