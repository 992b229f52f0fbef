internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Ends connections of clients that are slow or send too much, so that they cannot use the server up.
///
/// The time that a client has does not begin anew with each byte: a request must be whole in time.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// More is no request that this server knows.
  static let maximumBodyBytes = 64 << 10

  /// How long the parts of a request may take.
  struct Limits: Sendable {
    /// From the connection to the end of the first head.
    var firstHead: TimeAmount = .seconds(10)
    /// From the head to the end of the body.
    var body: TimeAmount = .seconds(20)
    /// For the client to take the answer.
    var answer: TimeAmount = .seconds(30)
    /// To the end of the next head.
    var nextHead: TimeAmount = .seconds(60)
  }

  /// What is left of a body that is too large is thrown away for so long, so that the client can read the answer.
  private static let lingering: TimeAmount = .milliseconds(500)

  private let limits: Limits
  private let metrics: RequestMetrics
  private var timer: Scheduled<Void>?
  private var bodyBytes = 0
  private var isTooLarge = false
  /// Whether the answer says that it is the last one.
  private var isLast = false
  private var isClosing = false

  init(_ limits: Limits, metrics: RequestMetrics) {
    self.limits = limits
    self.metrics = metrics
  }

  func handlerAdded(context: ChannelHandlerContext) {
    metrics.connectionOpened()
    HostFieldGuard.add(to: context)
    start(limits.firstHead, context: context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    metrics.connectionClosed()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isClosing { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      bodyBytes = 0
      let announced = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
      isTooLarge = announced > Self.maximumBodyBytes
      start(limits.body, context: context)
    case .body(let bytes):
      // The part that is too much is handed on, so that whoever reads the body sees it; nothing more is.
      if bodyBytes > Self.maximumBodyBytes { return }
      bodyBytes += bytes.readableBytes
      if bodyBytes > Self.maximumBodyBytes { isTooLarge = true }
    case .end:
      timer?.cancel()
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      if head.headerFields[.connection]?.lowercased() == "close" { isLast = true }
      start(limits.answer, context: context)
      context.write(data, promise: promise)
    case .body:
      context.write(data, promise: promise)
    case .end:
      let written = promise ?? context.eventLoop.makePromise()
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      written.futureResult.whenSuccess {
        let (guardian, context) = bound.value
        guardian.answered(context)
      }
      context.write(data, promise: written)
    }
  }

  /// The client has the answer.
  private func answered(_ context: ChannelHandlerContext) {
    guard isTooLarge || isLast else { return start(limits.nextHead, context: context) }
    isClosing = true
    start(Self.lingering, context: context)
  }

  private func start(_ limit: TimeAmount, context: ChannelHandlerContext) {
    timer?.cancel()
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: limit) { bound.value.close(promise: nil) }
  }
}
