public import Files

// A type that the functions of this library throw, so that a program names it with this module alone.

/// A call to the system that failed: its name, what the kernel said, and the path.
public typealias SystemFailure = Files.SystemError
