/// Writes TZif files for tests.
struct ZoneFile {
  var version: Character = "2"
  var transitions: [(second: Int64, type: UInt8)] = []
  var offsets: [Int32] = [0]
  var leapSeconds = 0
  var footer = "UTC0"

  var bytes: [UInt8] {
    if version == "\0" { return block(width: 4) }
    return block(width: 4) + block(width: 8) + Array("\n\(footer)\n".utf8)
  }

  private func block(width: Int) -> [UInt8] {
    let counts = [0, 0, leapSeconds, transitions.count, offsets.count, 4]
    var bytes = Array("TZif".utf8) + [version.asciiValue ?? 0] + [UInt8](repeating: 0, count: 15)
    for count in counts { bytes += number(Int64(count), width: 4) }
    for transition in transitions { bytes += number(transition.second, width: width) }
    bytes += transitions.map(\.type)
    for offset in offsets { bytes += number(Int64(offset), width: 4) + [0, 0] }
    return bytes + Array("ABC\0".utf8) + [UInt8](repeating: 0, count: leapSeconds * (width + 4))
  }

  private func number(_ value: Int64, width: Int) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}
