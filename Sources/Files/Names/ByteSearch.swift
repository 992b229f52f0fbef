private import CFiles

extension [UInt8] {
  /// Whether other bytes stand somewhere in these.
  package func holds(_ wanted: [UInt8]) -> Bool {
    withUnsafeBytes { all in
      wanted.withUnsafeBytes { hrp_contains(all.baseAddress, Int64(all.count), $0.baseAddress, Int64($0.count)) }
    } != 0
  }
}
