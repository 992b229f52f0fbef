/// Tells names of zones from texts that Foundation takes for one by guessing.
///
/// Foundation makes a zone of `PST`, of `GMT+7` and of a name with a NUL at its end. A schedule in a guessed zone runs
/// at a wrong time, so only names from the tz database are taken, written as they are there.
enum ZoneNames {
  private static let longestName = 64

  /// The names of the tz database that have no area before a slash.
  private static let plainNames: Set<String> = [
    "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT+0", "GMT-0",
    "GMT0",
    "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya", "MET", "MST",
    "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK", "Singapore", "Turkey",
    "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu",
  ]

  /// Whether a name is one of the tz database, as far as its form tells.
  static func mayBeNamed(_ name: String) -> Bool {
    if plainNames.contains(name) { return true }
    let bytes = name.utf8
    guard bytes.count <= longestName, bytes.contains(UInt8(ascii: "/")), !name.hasPrefix("SystemV/") else {
      return false
    }
    return bytes.allSatisfy(isNameByte)
  }

  /// Whether what Foundation found for a name is that zone.
  ///
  /// It calls UTC by another name, GMT; every other zone it finds keeps the name that it was asked for.
  static func isZone(foundAs identifier: String, named name: String) -> Bool {
    identifier == name || plainNames.contains(name) && identifier == "GMT"
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
