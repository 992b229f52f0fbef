/// The group `places` of the configuration: where copies of backups go.
package struct PlaceValues: Sendable {
  /// What stands before a colon in the address of a vault.
  private static let reserved = ["rest", "rclone", "live"]

  /// The places in the order of the file.
  package let places: [PlaceSettings]

  /// - Parameter map: the group; when it is nil, there are none.
  init(_ map: SettingsMap?) {
    var places: [PlaceSettings] = []
    for name in map?.names ?? [] {
      guard let (place, line) = map?.group(name) else { continue }
      guard JobSettings.isID(name), !Self.reserved.contains(name) else {
        place.note(
          "the name of a place has small letters, digits, _ and -, at most 64, and is none of "
            + "\(Self.reserved.joined(separator: ", ")): '\(name)' is no such name", line: line)
        continue
      }
      if let place = Self.place(name, in: place, line: line) { places.append(place) }
    }
    self.places = places
  }

  private static func place(_ name: String, in map: SettingsMap, line: Int) -> PlaceSettings? {
    let word = { (text: String) in text.isEmpty ? nil : text }
    let path = map.value("path", allowed: "a directory", read: word)
    let id = map.value("id", allowed: "the id in the marker of the place", read: word)
    let isScheduled = map.value("scheduled", allowed: "true or false", read: SettingsMap.truth)
    let retention = map.map("retention").map { RetentionValues($0) }
    map.reportUnknown()
    guard let path else {
      if map.names.contains("path") == false { map.note("\(map.path) has no path", line: line) }
      return nil
    }
    return PlaceSettings(
      name: name, path: path.value, id: id?.value, retention: retention, isScheduled: isScheduled?.value ?? true,
      line: line)
  }
}
