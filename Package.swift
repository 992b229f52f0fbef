// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target: Swift 6 and the upcoming features that make visibility and isolation explicit.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),  // SE-0335
  .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
  .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypesHTTP: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

// The arrows between modules (ARCHITECTURE.md): a target names everything that it may import, nothing points up.
let package = Package(
  name: "hrp",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "hrp", targets: ["hrp"]),
    .library(name: "HRP", targets: ["HRP"]),
    .library(name: "DuckDBFile", targets: ["DuckDBFile"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-system.git", exact: "1.8.1"),
    .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
    // Without traits it brings no TLS library and no second configuration.
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/hummingbird-project/swift-mustache.git", exact: "2.1.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
    // Only for `swift package generate-documentation`: no target uses it, so no program that uses the library fetches it.
    .package(url: "https://github.com/swiftlang/swift-docc-plugin.git", exact: "1.5.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
    .target(name: "CFiles", dependencies: ["CXXHash"]),
    .target(name: "Files", dependencies: ["CFiles", system], swiftSettings: strict),
    .target(
      name: "DuckDBFile", dependencies: ["Files", system],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
    .target(name: "MLflow", dependencies: ["CSQLite", "Files", system, grdb], swiftSettings: strict),
    .target(name: "CDuckDB"),
    .target(name: "DuckDBEngine", dependencies: ["CDuckDB", "Files", system], swiftSettings: strict),
    .target(name: "Store", dependencies: ["Files", system, crypto], swiftSettings: strict),
    .target(name: "Calendars", swiftSettings: strict),
    .target(name: "Retention", dependencies: ["Calendars"], swiftSettings: strict),
    .target(
      name: "Settings", dependencies: ["Calendars", "Files", "Retention", system, yams], swiftSettings: strict),
    .target(name: "Notices", dependencies: ["Files", "Settings", system], swiftSettings: strict),
    .target(
      name: "Stacks", dependencies: ["DuckDBEngine", "DuckDBFile", "Files", "MLflow", "Settings", "Store", system],
      swiftSettings: strict),
    .target(
      name: "Backup",
      dependencies: [
        "DuckDBEngine", "DuckDBFile", "Files", "MLflow", "Retention", "Settings", "Stacks", "Store", system,
      ],
      swiftSettings: strict),
    .target(
      name: "Jobs", dependencies: ["Backup", "Files", "MLflow", "Settings", "Stacks", "Store", system, grdb],
      swiftSettings: strict),
    .target(
      name: "Advice",
      dependencies: [
        "Backup", "Calendars", "DuckDBEngine", "DuckDBFile", "Files", "Jobs", "MLflow", "Notices", "Retention",
        "Settings", "Stacks", "Store", system,
      ], swiftSettings: strict),
    .target(
      name: "Scheduling",
      dependencies: [
        "Advice", "Backup", "Calendars", "Files", "Jobs", "Notices", "Settings", "Stacks", "Store", system,
      ],
      swiftSettings: strict),
    .target(
      name: "OpsServer",
      dependencies: [
        "Advice", "Backup", "Calendars", "DuckDBFile", "Files", "Jobs", "MLflow", "Retention", "Settings", "Stacks",
        "Store", system, crypto, httpTypes, hummingbird, hummingbirdCore, lifecycle, logging, mustache, nioCore,
        nioHTTP, nioHTTPTypes, nioHTTPTypesHTTP, nioPosix, unixSignals,
      ], resources: [.embedInCode("Page/Templates")], swiftSettings: strict),
    .target(
      name: "HRP",
      dependencies: ["Backup", "Calendars", "Files", "Jobs", "Scheduling", "Settings", "Stacks", "Store", system],
      swiftSettings: strict),
    .target(
      name: "Commands",
      dependencies: [
        "Advice", "Backup", "Calendars", "DuckDBEngine", "DuckDBFile", "Files", "Jobs", "MLflow", "Notices",
        "OpsServer", "Retention", "Scheduling", "Settings", "Stacks", "Store", system, argumentParser,
      ], swiftSettings: strict),
    .executableTarget(name: "hrp", dependencies: ["Commands"], swiftSettings: strict),

    .target(name: "TestKit", dependencies: ["Files", system], path: "Tests/TestKit", swiftSettings: strict),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestKit", system], swiftSettings: strict),
    .testTarget(
      name: "DuckDBFileTests", dependencies: ["DuckDBFile", "Files", "TestKit", system], swiftSettings: strict),
    .testTarget(
      name: "SchedulingTests",
      dependencies: [
        "Advice", "Calendars", "Files", "Jobs", "Retention", "Scheduling", "Settings", "Stacks", "Store", "TestKit",
        system,
      ], swiftSettings: strict),
    .testTarget(
      name: "OpsServerTests", dependencies: ["Files", "OpsServer", "Settings", "TestKit", httpTypes],
      swiftSettings: strict),
    .testTarget(name: "AdviceTests", dependencies: ["Advice", "Jobs", "Settings", "TestKit"], swiftSettings: strict),
    .testTarget(name: "CalendarsTests", dependencies: ["Calendars", "TestKit"], swiftSettings: strict),
    .testTarget(
      name: "RetentionTests", dependencies: ["Retention", "TestKit"], exclude: ["Golden"], swiftSettings: strict),
    .testTarget(
      name: "SettingsTests", dependencies: ["Calendars", "Files", "Retention", "Settings", "TestKit", system],
      swiftSettings: strict),
    .testTarget(
      name: "NoticesTests", dependencies: ["Files", "Notices", "Settings", "TestKit", system], swiftSettings: strict),
    .testTarget(name: "MLflowTests", dependencies: ["MLflow", "Files", "TestKit", system], swiftSettings: strict),
    .testTarget(
      name: "BackupTests",
      dependencies: [
        "Backup", "Calendars", "DuckDBEngine", "DuckDBFile", "Files", "Jobs", "MLflow", "Retention", "Settings",
        "Stacks", "Store", "TestKit", system,
      ],
      swiftSettings: strict),
    // As a program that uses the library would be built.
    .testTarget(name: "HRPTests", dependencies: ["HRP", "TestKit"], swiftSettings: [.swiftLanguageMode(.v6)]),
    // The operations guide, item by item; names and lines are read from it.
    .testTarget(name: "GuideTests", dependencies: ["HRP", "TestKit"], swiftSettings: [.swiftLanguageMode(.v6)]),
    .testTarget(
      name: "CommandsTests",
      dependencies: [
        "hrp", "Advice", "Backup", "Commands", "Files", "Jobs", "Stacks", "Store", "TestKit", system,
      ], exclude: ["Recorded"], swiftSettings: strict),
    .testTarget(
      name: "TidyTests", dependencies: ["TestKit"], exclude: ["structure.py"], swiftSettings: strict),
  ]
)

// libFuzzer brings its own `main`, so its program is part of the package only for scripts/fuzz.
if Context.environment["HRP_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["Backup", "DuckDBFile", "Files", "Stacks", "Store"], path: "Tests/Fuzz",
      exclude: ["Corpus", "seeds.py"],
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}

// The programs that answer what other programs judge: part of the package only for scripts/calendar and scripts/retention.
if Context.environment["HRP_JUDGES"] != nil {
  package.targets += [
    .executableTarget(
      name: "calendar-answers", dependencies: ["Calendars"], path: "Tests/Judges/Calendar", exclude: ["oracle.py"],
      swiftSettings: strict),
    .executableTarget(
      name: "retention-answers", dependencies: ["Retention"], path: "Tests/Judges/Retention", exclude: ["restic.py"],
      swiftSettings: strict),
  ]
}
