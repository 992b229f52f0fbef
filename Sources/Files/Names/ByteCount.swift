/// Sizes for people: MB = 1024 x 1024 bytes, as the guide counts.
package enum ByteCount {
  /// In the form `245.3 MB`.
  package static func megabytes(_ bytes: Int64) -> String { "\(rounded(Double(bytes) / 1_048_576, decimals: 1)) MB" }

  /// The same unit as a number with at most two decimals, for `size_mb`.
  package static func roundedMegabytes(_ bytes: Int64) -> Double {
    (Double(bytes) / 1_048_576 * 100).rounded() / 100
  }

  /// With the unit that fits: `12 bytes`, `3.1 KB`, `245.3 MB`, `1.2 GB`.
  package static func text(_ bytes: Int64) -> String {
    let value = Double(bytes)
    return switch bytes {
    case ..<1024: "\(bytes) bytes"
    case ..<1_048_576: "\(rounded(value / 1024, decimals: 1)) KB"
    case ..<1_073_741_824: megabytes(bytes)
    default: "\(rounded(value / 1_073_741_824, decimals: 1)) GB"
    }
  }

  /// The number with exactly so many decimals.
  package static func rounded(_ value: Double, decimals: Int) -> String {
    let factor = decimals == 1 ? 10.0 : 100.0
    let scaled = Int64((value * factor).rounded())
    let digits = String(abs(scaled) % Int64(factor))
    let padded = String(repeating: "0", count: decimals - digits.count) + digits
    return "\(scaled < 0 ? "-" : "")\(abs(scaled) / Int64(factor)).\(padded)"
  }
}
