package import Logging
package import Settings
import Synchronization

/// An entry of a `*_sd_configs`: where targets are looked for.
///
/// Equal entries share one running discovery, and go on undisturbed over a reload.
package protocol DiscoveryConfiguration: Sendable, Hashable {
    /// The part of its key before `_sd_configs`; also what failures are counted under.
    static var name: String { get }

    /// Reads an entry; refuses what Prometheus refuses.
    ///
    /// - Parameter warnings: options that are known and not acted on.
    init(_ node: ConfigurationNode, warnings: inout [ConfigurationWarning]) throws(ConfigurationError)

    func makeDiscovery(_ context: DiscoveryContext) -> any Discovery
}

/// Looks for targets until it is cancelled.
package protocol Discovery: Sendable {
    /// What is known before it runs; nil where it must look.
    var immediateGroups: [TargetGroup]? { get }

    /// Tells `updates` of every change, and of failures; what it told last stays until it tells otherwise.
    func run(_ updates: DiscoveryUpdates) async
}

extension Discovery {
    package var immediateGroups: [TargetGroup]? { nil }
}

/// Why targets could not be looked up.
package struct DiscoveryError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// What discoveries need of their surroundings.
package struct DiscoveryContext: Sendable {
    package var transport: HTTPTransport
    package var logger: Logger
    /// Of this process.
    package var environment: [String: String]
    /// How names are resolved, read at each lookup.
    var resolver: @Sendable () throws(DiscoveryError) -> ResolverConfiguration = { () throws(DiscoveryError) in try .system() }
    /// Where a pod's service account lies.
    var serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"
    /// The instance metadata service of EC2.
    var instanceMetadataURL = "http://169.254.169.254"
    /// The wait after a failure of a discovery that has no interval of its own.
    var retryInterval = Duration.seconds(15)

    package init(
        transport: HTTPTransport, logger: Logger, environment: [String: String] = ProcessEnvironment.variables
    ) {
        self.transport = transport
        self.logger = logger
        self.environment = environment
    }
}

/// An entry of any kind.
package struct DiscoveryEntry: Sendable, Hashable {
    package let configuration: any DiscoveryConfiguration

    package init(_ configuration: any DiscoveryConfiguration) {
        self.configuration = configuration
    }

    /// The kind: `docker`, `kubernetes`, …
    package var name: String { type(of: configuration).name }

    package static func == (left: DiscoveryEntry, right: DiscoveryEntry) -> Bool {
        AnyHashable(left.configuration) == AnyHashable(right.configuration)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(AnyHashable(configuration))
    }
}

/// What one discovery has found so far.
package final class DiscoveryUpdates: Sendable {
    private struct State: Sendable {
        var groups: [String: TargetGroup] = [:]
        /// Grows with every change of the groups.
        var version = 0
        var hasReported = false
        var lastError: String?
        var failureCount = 0
        var updateCount = 0
    }

    private let state = Mutex(State())
    private let logger: Logger
    private let didChange: @Sendable () -> Void

    init(logger: Logger, didChange: @escaping @Sendable () -> Void) {
        self.logger = logger
        self.didChange = didChange
    }

    /// Replaces everything.
    ///
    /// - Parameter failure: why a part of it is older than the rest.
    package func replace(_ groups: [TargetGroup], despite failure: (any Error)? = nil) {
        change(despite: failure) { state in
            state.groups = Dictionary(groups.map { ($0.source, $0) }) { $1 }
        }
    }

    /// Replaces the groups of the same sources; those without targets go.
    package func update(_ groups: [TargetGroup]) {
        change { state in
            for group in groups { state.groups[group.source] = group.targets.isEmpty ? nil : group }
        }
    }

    package func remove(source: String) {
        change { $0.groups[source] = nil }
    }

    /// A lookup failed. It is counted each time and logged once; the groups stay.
    package func failed(_ error: any Error) {
        let text = "\(error)"
        let (isNews, isFirst) = state.withLock { state in
            let wasGood = state.lastError == nil
            let isFirst = !state.hasReported
            state.lastError = text
            state.failureCount += 1
            state.hasReported = true
            return (wasGood, isFirst)
        }
        if isNews {
            logger.error("Targets could not be looked up; those found before stay", metadata: ["error": .string(text)])
        }
        if isFirst { didChange() }
    }

    /// A lookup succeeded that found nothing new.
    package func succeeded() {
        let hasRecovered = state.withLock { state in
            defer { state.lastError = nil }
            return state.lastError != nil
        }
        if hasRecovered { logger.info("Targets are looked up again") }
    }

    private func change(despite failure: (any Error)? = nil, _ body: (inout State) -> Void) {
        let text = failure.map { "\($0)" }
        let (hasChanged, errorBefore) = state.withLock { state in
            let before = state.groups
            body(&state)
            let hasChanged = state.groups != before || !state.hasReported
            let errorBefore = state.lastError
            state.hasReported = true
            state.lastError = text
            if text != nil, text != errorBefore { state.failureCount += 1 }
            state.updateCount += 1
            if hasChanged { state.version += 1 }
            return (hasChanged, errorBefore)
        }
        if let text, text != errorBefore {
            logger.error("Targets could not be looked up; those found before stay", metadata: ["error": .string(text)])
        } else if text == nil, errorBefore != nil {
            logger.info("Targets are looked up again")
        }
        if hasChanged { didChange() }
    }

    /// In order of source.
    package var groups: [TargetGroup] {
        state.withLock { $0.groups }.values.sorted { $0.source < $1.source }
    }

    /// Whether it has found anything out yet, be it that it failed.
    var hasReported: Bool { state.withLock { $0.hasReported } }

    var version: Int { state.withLock { $0.version } }

    package var failureCount: Int { state.withLock { $0.failureCount } }

    package var updateCount: Int { state.withLock { $0.updateCount } }

    /// Why the last lookup failed; nil if it did not.
    package var lastError: String? { state.withLock { $0.lastError } }
}

/// A discovery that asks again and again.
protocol RefreshedDiscovery: Discovery {
    var refreshInterval: Duration { get }

    /// All targets there are now.
    func refresh() async throws -> [TargetGroup]
}

extension RefreshedDiscovery {
    package func run(_ updates: DiscoveryUpdates) async {
        while !Task.isCancelled {
            do {
                updates.replace(try await refresh())
            } catch {
                if Task.isCancelled { return }
                updates.failed(error)
            }
            guard (try? await Task.sleep(for: refreshInterval)) != nil else { return }
        }
    }
}
