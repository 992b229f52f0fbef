internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// Sees to it that each request names this server once, so that whoever looks at the name looks at the right one.
///
/// Requests of HTTP/1.1 that have no field `Host`, or more than one, are refused with 400 (RFC 9112, 3.2). What a whole
/// address names takes the place of the field (3.2.2).
final class HostFieldGuard: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private var isRefused = false

  /// Puts itself before the handler that turns fields into those of the newer kind, which have no version.
  static func add(to context: ChannelHandlerContext) {
    do {
      let operations = context.pipeline.syncOperations
      let codec = try operations.handler(type: HTTP1ToHTTPServerCodec.self)
      try operations.addHandler(HostFieldGuard(), position: .before(codec))
    } catch {
      // A connection whose requests cannot be looked at serves nobody.
      context.close(promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isRefused { return }
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    if isRight(head) {
      if let authority = Self.authority(in: head.uri) { head.headers.replaceOrAdd(name: "host", value: authority) }
      return context.fireChannelRead(wrapInboundOut(.head(head)))
    }
    isRefused = true
    let body = #"{"detail":"a request of HTTP/1.1 has one field Host"}"#
    var fields = HTTPHeaders()
    fields.add(name: "content-type", value: "application/json")
    fields.add(name: "content-length", value: "\(body.utf8.count)")
    fields.add(name: "connection", value: "close")
    fields.add(name: "x-content-type-options", value: "nosniff")
    let answer = HTTPResponseHead(version: .http1_1, status: .badRequest, headers: fields)
    context.write(wrapOutboundOut(.head(answer)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: body)))), promise: nil)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil) }
  }

  /// What a whole address names: "example.org" in `http://example.org/health`; nil for a path.
  private static func authority(in uri: String) -> String? {
    guard let start = uri.firstRange(of: "://"), !uri.hasPrefix("/") else { return nil }
    return String(uri[start.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" })
  }

  private func isRight(_ head: HTTPRequestHead) -> Bool {
    let hosts = head.headers["host"].count
    return (head.version.major, head.version.minor) < (1, 1) ? hosts <= 1 : hosts == 1
  }
}
