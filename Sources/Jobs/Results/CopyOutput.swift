package import Backup
internal import Files
internal import Store

/// What `hrp backup copy --json` says.
package struct CopyOutput: Encodable {
  private let name: String
  private let place: String
  private let placeId: String
  private let path: String
  private let files: Int
  private let sizeBytes: Int64
  private let bytesSent: Int64
  private let bytesLinked: Int64
  private let bytesThereBefore: Int64
  private let wasThere: Bool
  private let otherDevice: Nullable<Bool>
  private let durationSeconds: Double

  package init(_ result: CopyResult) {
    name = result.name
    place = result.place
    placeId = result.placeID
    path = result.receipt.path.text
    files = result.receipt.filesCount
    sizeBytes = result.receipt.sizeBytes
    bytesSent = result.receipt.sentBytes
    bytesLinked = result.receipt.linkedBytes
    bytesThereBefore = result.receipt.arrivedBytes
    wasThere = result.receipt.wasThere
    otherDevice = Nullable(result.isOnOtherDevice)
    durationSeconds = result.durationSeconds.roundedToMilliseconds
  }
}

/// What `hrp backup copy --dry-run --json` says.
package struct CopyPlanOutput: Encodable {
  private let name: String
  private let place: String
  private let sizeBytes: Int64
  private let bytesToSend: Int64
  private let dryRun = true

  private enum CodingKeys: CodingKey { case name, place, sizeBytes, bytesToSend, dryRun }

  package init(name: String, place: String, missingBytes: Int64, totalBytes: Int64) {
    self.name = name
    self.place = place
    sizeBytes = totalBytes
    bytesToSend = missingBytes
  }
}
