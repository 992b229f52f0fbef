/// Reads a TZif file (RFC 9636, versions 1 to 4) from its bytes.
///
/// The file is a stranger's: every count has a limit, and whatever does not fit is an error.
struct ZoneFileReader {
  private var bytes: ByteReader

  /// Far more than any file of the tz database has.
  private static let largestFile = 1 << 20
  private static let mostTransitions: Int64 = 10_000
  private static let mostLeapSeconds: Int64 = 1_000
  private static let mostCharacters: Int64 = 4_096
  private static let longestFooter = 256
  /// Offsets that RFC 9636 expects, in seconds.
  private static let offsets: ClosedRange<Int64> = -89_999...93_599

  private struct Header {
    let version: UInt8
    let utcMarks, standardMarks, leapSeconds, transitions, types, characters: Int64

    func dataLength(width: Int64) -> Int64 {
      transitions * (width + 1) + types * 6 + characters + leapSeconds * (width + 4) + standardMarks + utcMarks
    }
  }

  init(_ bytes: [UInt8]) throws(MalformedZoneFile) {
    guard bytes.count <= Self.largestFile else { throw MalformedZoneFile(reason: "it is too large") }
    self.bytes = ByteReader(bytes)
  }

  mutating func rules() throws(MalformedZoneFile) -> ZoneRules {
    let header = try takeHeader()
    guard header.version > 0 else { return try takeData(header: header, width: 4).rules(yearly: nil) }
    // The block of 32 bits is for old readers; what counts follows it.
    _ = try bytes.take(count: Int(header.dataLength(width: 4)))
    let data = try takeData(header: try takeHeader(), width: 8)
    let footer = try bytes.takeFooter(limit: Self.longestFooter)
    guard !footer.isEmpty else { return data.rules(yearly: nil) }
    var reader = YearlyRulesReader(footer)
    return data.rules(yearly: try reader.rules())
  }

  private mutating func takeHeader() throws(MalformedZoneFile) -> Header {
    guard try bytes.take(count: 4).elementsEqual("TZif".utf8) else { throw MalformedZoneFile(reason: "it is no TZif") }
    let version = try bytes.take(count: 16).first ?? 0
    guard version == 0 || (UInt8(ascii: "2")...UInt8(ascii: "4")).contains(version) else {
      throw MalformedZoneFile(reason: "its version is unknown")
    }
    return Header(
      version: version, utcMarks: try takeCount(through: 256), standardMarks: try takeCount(through: 256),
      leapSeconds: try takeCount(through: Self.mostLeapSeconds),
      transitions: try takeCount(through: Self.mostTransitions), types: try takeCount(through: 256),
      characters: try takeCount(through: Self.mostCharacters))
  }

  private mutating func takeCount(through limit: Int64) throws(MalformedZoneFile) -> Int64 {
    let count = try bytes.takeNumber(width: 4)
    guard (0...limit).contains(count) else { throw MalformedZoneFile(reason: "it counts too many parts") }
    return count
  }

  private struct Data {
    let transitionSeconds: [Int64]
    let offsets: [Int64]
    let firstOffset: Int64

    func rules(yearly: YearlyRules?) -> ZoneRules {
      ZoneRules(
        transitionSeconds: transitionSeconds, offsetsSeconds: offsets, firstOffsetSeconds: firstOffset, yearly: yearly)
    }
  }

  private mutating func takeData(header: Header, width: Int) throws(MalformedZoneFile) -> Data {
    guard header.types > 0 else { throw MalformedZoneFile(reason: "it has no offsets") }
    guard header.leapSeconds == 0 else { throw MalformedZoneFile(reason: "it counts leap seconds") }
    var seconds: [Int64] = []
    for _ in 0..<header.transitions {
      let second = try bytes.takeNumber(width: width)
      if let last = seconds.last, last >= second { throw MalformedZoneFile(reason: "its changes are not in order") }
      seconds.append(second)
    }
    let indices = try bytes.take(count: Int(header.transitions))
    var types: [Int64] = []
    for _ in 0..<header.types { types.append(try takeOffset(characters: header.characters)) }
    _ = try bytes.take(count: Int(header.characters + header.standardMarks + header.utcMarks))
    var offsets: [Int64] = []
    for index in indices {
      guard Int(index) < types.count else { throw MalformedZoneFile(reason: "a change has no offset") }
      offsets.append(types[Int(index)])
    }
    return Data(transitionSeconds: seconds, offsets: offsets, firstOffset: types[0])
  }

  private mutating func takeOffset(characters: Int64) throws(MalformedZoneFile) -> Int64 {
    let offset = try bytes.takeNumber(width: 4)
    let marks = Array(try bytes.take(count: 2))
    guard Self.offsets.contains(offset), marks[0] <= 1, Int64(marks[1]) < characters else {
      throw MalformedZoneFile(reason: "an offset is out of its range")
    }
    return offset
  }
}
