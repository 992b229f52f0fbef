internal import Files
package import Settings

/// An e-mail.
package struct MailMessage: Sendable {
  package let sender: String
  package let receivers: [String]
  package let subject: String
  package let text: String
  private let timestamp: Int64

  package init(_ notice: Notice, email: NoticeSettings.Email) {
    sender = email.sender.value.text
    receivers = email.receivers.value.map(\.text)
    subject = notice.subject
    text = notice.text
    timestamp = notice.timestamp
  }

  /// The header, a line each.
  package var headers: [String] {
    [
      "From: \(sender)", "To: \(receivers.joined(separator: ", "))", "Subject: \(Self.encoded(subject))",
      "Date: \(date)",
      // No answer of a holiday comes back.
      "Auto-Submitted: auto-generated",
    ]
  }

  /// The whole message, as `sendmail` takes it.
  package var whole: String {
    let isPlain =
      text.utf8.allSatisfy { $0 == UInt8(ascii: "\n") || (0x20..<0x7F).contains($0) }
      && text.split(separator: "\n").allSatisfy { $0.utf8.count < 900 }
    let form = [
      "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: \(isPlain ? "7bit" : "base64")", "",
    ]
    let body = isPlain ? text : Base64.lines(of: text).joined(separator: "\n") + "\n"
    return (headers + form).joined(separator: "\n") + "\n" + body
  }

  /// A text for a header: as it stands, or in the words of RFC 2047.
  private static func encoded(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), !text.contains("=?") { return text }
    var words: [String] = []
    var word = ""
    for scalar in text.unicodeScalars {
      // A word has at most 75 characters, of which base64 takes four for three bytes.
      if !word.isEmpty, word.utf8.count + UTF8.width(scalar) > 42 {
        words.append(word)
        word = ""
      }
      word.unicodeScalars.append(scalar)
    }
    return (words + [word]).map { "=?UTF-8?B?\(Base64.encoded($0))?=" }.joined(separator: " ")
  }

  /// As RFC 5322 has it: "Thu, 26 Nov 2026 14:00:00 +0000".
  private var date: String {
    let time = LocalTime(nanoseconds: timestamp)
    let pad = { (number: Int) in (number < 10 ? "0" : "") + "\(number)" }
    // The first day of 1970 was a Thursday.
    let seconds = timestamp / 1_000_000_000 + Int64(time.offsetSeconds)
    let weekday = Int(((seconds / 86_400) % 7 + 7) % 7)
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let minutes = abs(time.offsetSeconds) / 60
    return "\(days[weekday]), \(time.day) \(months[time.month - 1]) \(time.year) "
      + "\(pad(time.hour)):\(pad(time.minute)):\(pad(time.second)) "
      + "\(time.offsetSeconds < 0 ? "-" : "+")\(pad(minutes / 60))\(pad(minutes % 60))"
  }
}
