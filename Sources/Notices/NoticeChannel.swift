package import Settings

/// A way that a notice goes.
package enum NoticeChannel: String, CaseIterable, Sendable {
  case ping, webhook, email, command
}

/// What became of a notice on one channel.
package struct NoticeDelivery: Equatable, Sendable {
  package let channel: NoticeChannel
  package let isDelivered: Bool
  /// Why not, as a clause without secrets; empty when it was delivered.
  package let words: String
  /// How often it was tried.
  package let tries: Int

  package init(_ channel: NoticeChannel, isDelivered: Bool, words: String = "", tries: Int) {
    self.channel = channel
    self.isDelivered = isDelivered
    self.words = words
    self.tries = tries
  }
}

extension NoticeSettings {
  /// The commands that notices run; the others belong to a scheduled backup.
  static let noticeMoments: [HookMoment] = [.start, .success, .failure]

  /// Whether notices can go this way.
  package func isConfigured(_ channel: NoticeChannel) -> Bool {
    switch channel {
    case .ping: ping != nil
    case .webhook: webhook != nil
    case .email: email != nil
    case .command: Self.noticeMoments.contains { commands[$0] != nil }
    }
  }

  /// The ways that notices can go.
  package var channels: Set<NoticeChannel> { Set(NoticeChannel.allCases.filter(isConfigured)) }
}
