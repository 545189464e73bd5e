// swift-tools-version: 6.2
import PackageDescription

// The order is the order of dependency: nothing points back up the list.
let package = Package(
  name: "millwright",
  products: [
    .executable(name: "millwright", targets: ["millwright"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "Telemetry"),
    .target(name: "Statistics", dependencies: ["Telemetry"]),
    .target(
      name: "Payloads",
      dependencies: ["Telemetry", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Sparkplug/sparkplug_b.proto"]),
    .target(name: "Devices", dependencies: ["Telemetry", "Payloads", .product(name: "Yams", package: "Yams")]),
    .target(name: "Rules", dependencies: ["Telemetry", "Devices"]),
    .target(name: "Operations", dependencies: ["Telemetry", "Statistics", "Devices"]),
    .target(name: "Scoring", dependencies: ["Telemetry", "Statistics", "Devices"]),
    .target(name: "Training", dependencies: ["Telemetry", "Statistics", "Scoring"]),
    .target(
      name: "Storage",
      dependencies: [
        "Telemetry", "CZstd",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),
    .target(name: "Capture", dependencies: ["Telemetry", "CZstd"]),
    .target(name: "MQTT", dependencies: ["CLinux", "CMosquitto"]),
    .target(
      name: "Gateway",
      dependencies: [
        "CLinux", "Telemetry", "Payloads", "Devices", "Rules", "Operations", "Scoring", "Storage", "MQTT",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "Web",
      dependencies: [
        "Devices", "Gateway", "Operations", "Rules", "Scoring", "Storage", "Telemetry", "CZlib", "CZstd",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
      ],
      resources: [.copy("Resources")]),
    .target(name: "Simulator", dependencies: ["Telemetry", "Payloads", "MQTT"]),
    .executableTarget(
      name: "millwright",
      dependencies: [
        "Gateway", "Web", "Simulator", "Capture", "Devices", "MQTT", "Operations", "Payloads", "Rules", "Scoring",
        "Statistics", "Storage", "Telemetry", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(
      name: "GatewayTests",
      dependencies: [
        "Gateway", "Scoring", "Simulator", "TestSupport", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "CrashTests", dependencies: ["Storage", "TestSupport", "Telemetry", "millwright"],
      exclude: ["durability_shim.c"]),
    .testTarget(
      name: "CaptureTests",
      dependencies: ["Capture", "Devices", "Simulator", "Storage", "TestSupport", "Telemetry"],
      exclude: ["Golden"]),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "TestSupport"]),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics", "TestSupport", "Telemetry"]),
    .testTarget(
      name: "OperationsTests", dependencies: ["Operations", "Devices", "Statistics", "TestSupport", "Telemetry"]),
    .testTarget(
      name: "ScoringTests", dependencies: ["Scoring", "Devices", "Statistics", "TestSupport", "Telemetry"]),
    .testTarget(
      name: "TrainingTests", dependencies: ["Training", "Scoring", "Statistics", "TestSupport", "Telemetry"]),
    .testTarget(name: "DevicesTests", dependencies: ["Devices", "Payloads", "TestSupport", "Telemetry"]),
    .testTarget(name: "RulesTests", dependencies: ["Rules", "Devices", "Telemetry", "TestSupport"]),
    .testTarget(name: "SimulatorTests", dependencies: ["Simulator", "Telemetry"]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "millwright", "Capture", "Gateway", "Simulator", "Storage", "TestSupport", "Telemetry",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "StorageTests",
      dependencies: [
        "Storage", "TestSupport", "Telemetry", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .testTarget(
      name: "PayloadsTests", dependencies: ["Payloads", "TestSupport", "Telemetry"], exclude: ["Golden", "Sparkplug"]),
    .testTarget(
      name: "WebTests",
      dependencies: [
        "Web", "Gateway", "Devices", "Operations", "Rules", "Scoring", "Statistics", "Storage", "TestSupport",
        "Telemetry", "CZlib", "CZstd",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
