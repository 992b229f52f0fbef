/// Takes bytes one after the other, from a file that a stranger made.
struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func take(count: Int) throws(MalformedZoneFile) -> ArraySlice<UInt8> {
    guard count >= 0, count <= rest.count else { throw MalformedZoneFile(reason: "it is too short") }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// A signed number of 4 or 8 bytes, the highest first.
  mutating func takeNumber(width: Int) throws(MalformedZoneFile) -> Int64 {
    let bytes = try take(count: width)
    let isNegative = bytes.first.map { $0 >= 0x80 } ?? false
    return bytes.reduce(isNegative ? -1 : 0) { $0 << 8 | Int64($1) }
  }

  /// A line between two line feeds, without them.
  mutating func takeFooter(limit: Int) throws(MalformedZoneFile) -> ArraySlice<UInt8> {
    let lineFeed = UInt8(ascii: "\n")
    guard try take(count: 1).first == lineFeed, let end = rest.prefix(limit + 1).firstIndex(of: lineFeed) else {
      throw MalformedZoneFile(reason: "its footer does not begin or end")
    }
    return try take(count: end - rest.startIndex)
  }
}
