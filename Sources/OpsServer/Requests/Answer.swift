internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Store

/// A response before the fields that all responses have.
struct Answer {
  var status: HTTPResponse.Status = .ok
  var type: String
  var body: String
  var fields: HTTPFields = [:]

  init(_ body: String, type: String, status: HTTPResponse.Status = .ok) {
    self.body = body
    self.type = type
    self.status = status
  }

  static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Answer {
    Answer(text, type: "application/json", status: status)
  }

  static func value(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Answer {
    json(try ResultText.json(value) + "\n", status: status)
  }

  static func refusal(_ refusal: Refusal) -> Answer {
    var json = OrderedJSON()
    // A text is always JSON.
    ignoringEncoding { try json.add("detail", value: refusal.detail) }
    var answer = Answer.json(json.text, status: refusal.status)
    answer.fields = refusal.fields
    return answer
  }

  private static func ignoringEncoding(_ body: () throws -> Void) {
    do { try body() } catch { preconditionFailure("A text cannot be written as JSON: \(error)") }
  }

  /// The response, with the fields that keep a browser from doing more with it than showing it.
  var response: Response {
    var fields = fields
    fields[.contentType] = type
    fields[.contentSecurityPolicy] =
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
      + "form-action 'none'; frame-ancestors 'none'"
    fields[.xContentTypeOptions] = "nosniff"
    fields[.cacheControl] = "no-store"
    for (name, value) in Self.strict { fields[name] = value }
    return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
  }

  private static let strict: [(HTTPField.Name, String)] = [
    ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"), ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"), ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
  ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
}
