import Foundation
import Logging
import Settings
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// What tests of discoveries share.
enum DiscoveryBench {
    /// The entries of a mapping such as `docker_sd_configs: […]`.
    static func entries(_ yaml: String, file: String = "/etc/p.yml") throws -> [DiscoveryEntry] {
        var warnings: [ConfigurationWarning] = []
        return try DiscoveryTable.entries(
            try ConfigurationNode.parse(yaml, file: file).mapping(DiscoveryTable.keys), warnings: &warnings)
    }

    /// Runs the entries as the pool `p` while `body` looks on.
    static func run(
        _ yaml: String, file: String = "/etc/p.yml", environment: [String: String] = [:],
        _ configure: (inout DiscoveryContext) -> Void = { _ in }, _ body: (DiscoveryManager) async throws -> Void
    ) async throws {
        try await withTransport { transport async throws in
            var context = DiscoveryContext(transport: transport, logger: Logger(label: "test"), environment: environment)
            context.retryInterval = .milliseconds(100)
            configure(&context)
            let manager = DiscoveryManager(context: context)
            manager.apply(["p": try entries(yaml, file: file)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await manager.run() }
                try await body(manager)
                group.cancelAll()
            }
        }
    }

    /// Runs the entries until they have found targets, and returns these, in order of address.
    static func targets(
        _ yaml: String, environment: [String: String] = [:], _ configure: (inout DiscoveryContext) -> Void = { _ in }
    ) async throws -> [Labels] {
        let found = Mutex<[Labels]>([])
        try await run(yaml, environment: environment, configure) { manager in
            try await until { !manager.targets.isEmpty }
            found.withLock { $0 = manager.targets }
        }
        return found.withLock { $0 }
    }

    /// Whether refused with this message, place included.
    static func refusal(_ yaml: String) throws -> String {
        try #require(throws: ConfigurationError.self) { try entries(yaml) }.description
    }
}

extension DiscoveryManager {
    /// All targets of the pool `p`, in order of address.
    var targets: [Labels] {
        found("p").groups.flatMap(\.labelSets).sorted { ($0["__address__"] ?? "") < ($1["__address__"] ?? "") }
    }

    var addresses: [String] { targets.map { $0["__address__"] ?? "" } }
}

/// A value that tests change while a server reads it.
final class Box<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>
    init(_ value: Value) { stored = Mutex(value) }
    var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}
