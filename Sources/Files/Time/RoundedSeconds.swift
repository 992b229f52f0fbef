extension Double {
  /// Seconds with three decimals: more says nothing about how long something took.
  package var roundedToMilliseconds: Double { (self * 1000).rounded() / 1000 }
}
