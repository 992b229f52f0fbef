package import Files
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// The file that tells a place from an empty mount point (Y6).
package struct PlaceMarker: Codable, Equatable, Sendable {
  /// Its name in a place.
  package static let name: FilePath = ".hrp-place"
  private static let maximumBytes: Int64 = 64 << 10

  /// Random, made once: which place it is, wherever it is mounted.
  package let id: String
  /// ISO 8601 with offset.
  package let createdAt: String

  enum CodingKeys: String, CodingKey {
    case id
    case createdAt = "created_at"
  }

  /// The marker of a directory.
  package static func read(in directory: FilePath, files: any FileSystem) -> Noted<PlaceMarker> {
    let path = directory.pushing(name)
    do throws(SystemError) {
      guard let file = try OpenFile.ifPresent(path, mode: [.noFollow], files: files) else { return .nothing }
      let status = try file.status()
      guard status.kind == .regular, status.size <= maximumBytes else {
        return .unreadable("\(path.text) is not a file that hrp wrote")
      }
      let bytes = Data(try file.read(count: Int(status.size), at: 0))
      return parsed { try JSONDecoder().decode(PlaceMarker.self, from: bytes) }.map { .found($0) }
        ?? .unreadable("\(path.text) is not a file that hrp wrote")
    } catch {
      return .unreadable("\(path.text): \(error.errno)")
    }
  }

  /// Writes a marker into a directory that has none.
  package static func create(
    in directory: FilePath, files: any FileSystem, time: any TimeSource
  ) throws -> PlaceMarker {
    let marker = PlaceMarker(
      id: String(RandomName.make("")), createdAt: LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset)
    try files.replace(
      name, in: OpenFile(directory, mode: [.directory], files: files), with: StoredJSON.bytes(of: marker))
    return marker
  }
}
