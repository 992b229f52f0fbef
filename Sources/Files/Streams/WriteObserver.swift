/// Sees every byte that is written to a copy, in the order of writing.
package protocol WriteObserver: AnyObject {
  func wrote(_ bytes: UnsafeRawBufferPointer, at offset: Int64)
  func truncated(to length: Int64)
}
