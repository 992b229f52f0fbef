public import Backup
public import Files
public import Store

// The types that the functions of this library take and give, so that a program names them with this module alone.

/// Why an operation could not be done, and what to do about it.
public typealias BackupError = Store.BackupError
/// What an operation tells while it runs.
public typealias Event = Store.Event
/// Where events go.
public typealias EventStream = Store.EventStream
/// How deep a check looks.
public typealias VerificationLevel = Store.VerificationLevel
/// What a check found.
public typealias VerificationReport = Store.VerificationReport
/// One thing that is wrong with a backup.
public typealias Finding = Store.Finding
/// What DuckDB itself read of a backup.
public typealias EngineSummary = Store.EngineSummary
/// The contents of a table, told in a few numbers.
public typealias TableFingerprint = Files.TableFingerprint
/// Where a table is in a database.
public typealias TablePath = Files.TablePath
/// What `createBackup` made.
public typealias CreateResult = Backup.CreateResult
/// The tables that are expected in a stack.
public typealias StackProfile = Backup.StackProfile
/// A day of the calendar.
public typealias CalendarDay = Backup.CalendarDay
/// Whether a stack is healthy, and how many rows its tables have.
public typealias HealthReport = Backup.HealthReport
/// The prices of some symbols.
public typealias PriceHistory = Backup.PriceHistory
/// One price.
public typealias Price = Backup.Price
/// The version of this program.
public typealias Version = Store.Version
