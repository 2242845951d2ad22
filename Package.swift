// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target of ours.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// A room: one target, whose tests (`Tests/XTests`) are a target too. Imports go down the list only; `TidyTests` checks it.
///
/// - Parameter isTestable: its tests use what other rooms do not see (`@testable`). The flag stands at the target because
///   `--enable-testable-imports` would compile every dependency a second time.
func room(
    _ name: String, _ dependencies: [Target.Dependency], isTestable: Bool = false, tests: [Target.Dependency] = [], testFiles: [String] = []
) -> [Target] {
    [
        .target(
            name: name, dependencies: dependencies,
            swiftSettings: settings + (isTestable ? [.unsafeFlags(["-enable-testing"])] : [])),
        .testTarget(
            name: name + "Tests",
            dependencies: [.byName(name: name), "TestSupport"] + dependencies + tests,
            // Read from the checkout, not copied into a bundle.
            exclude: testFiles,
            swiftSettings: settings),
    ]
}

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let sqlite = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let grpc = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcTransport = Target.Dependency.product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
let asyncAlgorithms = Target.Dependency.product(name: "AsyncAlgorithms", package: "swift-async-algorithms")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .library(name: "ApusKit", targets: ["ApusKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .systemLibrary(name: "CZstd", path: "Sources/CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CSnappy", path: "Sources/CSnappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CDeflate", path: "Sources/CDeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CBzip2", path: "Sources/CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(name: "CRoaring", path: "Sources/CRoaring", providers: [.apt(["libroaring-dev"])]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "CIntrinsics"),

        .target(name: "TestSupport", dependencies: ["Telemetry"], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(name: "TidyTests", dependencies: ["TestSupport"], swiftSettings: settings),

        // The app itself (Sources/Web/app) is served as it lies and is no part of the build.
        .target(name: "Web", path: "Sources/Web/Swift", swiftSettings: settings),
        .executableTarget(
            name: "apus",
            dependencies: [
                "Telemetry", "EmbeddedStore", "Query", "PromQL", "LogQL", "TraceQL", "FlameQL", "Collectors", "Alerting", "Server", "Web",
                "Settings", "Patterns", "Formats",
                arguments, lifecycle, logging, httpClient, nio, nioHTTP1,
            ],
            swiftSettings: settings),
        // Run by hand (docs/benchmarks.md), never as a test: it times.
        .executableTarget(
            name: "benchmarks", dependencies: ["Telemetry", "Codecs", "Patterns", "Formats", "EmbeddedStore", "Collectors", "CIntrinsics"], path: "Benchmarks",
            swiftSettings: settings),
        .executableTarget(
            name: "recommendations", dependencies: ["ApusKit", hummingbird, logging, tracing],
            path: "examples/shop/recommendations/Sources", swiftSettings: settings),
    ]
        + room("Telemetry", [], isTestable: true)
        + room("Codecs", ["CZstd", "CSnappy", "CZlib", "CDeflate", "CBzip2", "CIntrinsics"], isTestable: true)
        + room("Patterns", ["CRE2", "CIntrinsics"])
        // Not "Configuration": swift-configuration has a target of that name, and names are unique in a package graph.
        + room("Settings", [yams])
        + room("Formats", ["Telemetry", "Codecs"])
        + room("EmbeddedStore", ["Telemetry", "Codecs", "Patterns", "CRoaring", "CIntrinsics", sqlite], isTestable: true, tests: ["Formats"])
        + room("Query", ["Telemetry", "Patterns"])
        + room("PromQL", ["Telemetry", "Query", "Patterns"], testFiles: ["Scripts"])
        + room("Templates", ["Telemetry", "Codecs", "Patterns", crypto])
        + room("LogQL", ["Telemetry", "Query", "Patterns", "Templates"], tests: ["EmbeddedStore"])
        + room("TraceQL", ["Telemetry", "Query", "Patterns"], isTestable: true)
        + room("FlameQL", ["Telemetry", "Query", "Patterns"])
        + room(
            "Collectors",
            [
                "Telemetry", "Codecs", "Formats", "Patterns", "Templates", "Settings", "CIntrinsics", httpClient, logging, lifecycle, asyncAlgorithms, crypto,
                cryptoExtras, nio, nioHTTP1, nioPosix, nioSSL, nioTLS,
            ],
            isTestable: true, testFiles: ["Stages/promtail-stages.jsonl"])
        + room(
            "Alerting",
            ["Telemetry", "Query", "PromQL", "LogQL", "Patterns", "Settings", httpClient, logging, lifecycle, asyncAlgorithms, nio, nioHTTP1],
            isTestable: true, tests: [nioPosix])
        + room(
            "Server",
            [
                "Telemetry", "Codecs", "Formats", "EmbeddedStore", "Query", "PromQL", "LogQL", "TraceQL", "FlameQL", "Collectors", "Alerting", "Web",
                "Templates", "Settings", "CIntrinsics", hummingbird, hummingbirdCore, grpc, grpcTransport, logging, lifecycle, signals, crypto, nio, nioHTTP1, nioWebSocket,
            ],
            tests: [httpClient])
        + room(
            "ApusKit", [logging, metrics, tracing, lifecycle, hummingbird, httpClient, nio, nioPosix, nioHTTP1], tests: []),
    cxxLanguageStandard: .cxx17
)
