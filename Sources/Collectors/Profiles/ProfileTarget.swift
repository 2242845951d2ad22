package import Telemetry

/// A process whose profiles are pulled from Go's `net/http/pprof` endpoints.
package struct ProfileTarget: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// CPU time over ``ProfileTarget/seconds``.
        case cpu
        /// The heap: in use and allocated, space and objects.
        case heap
        case goroutine
        case mutex
        case block

        /// Below `/debug/pprof/`.
        var endpoint: String { self == .cpu ? "profile" : rawValue }

        /// What Pyroscope calls a profile of this kind.
        var profileName: String {
            switch self {
            case .cpu: "process_cpu"
            case .heap: "memory"
            case .goroutine: "goroutine"
            case .mutex: "mutex"
            case .block: "block"
            }
        }
    }

    /// The label `service_name`.
    package var service: String
    /// Where the process listens: `http://127.0.0.1:8080`, with the path of the endpoints if it is not `/debug/pprof`.
    package var url: String
    package var interval: Duration
    /// How long each CPU profile takes; shorter than the interval.
    package var seconds: Int
    package var kinds: [Kind]
    /// Labels beside `service_name` and `instance`.
    package var labels: Labels
    /// Like those of a scrape: authorization, redirects, the limit of the body.
    package var options: ScrapeOptions

    package init(
        service: String, url: String, interval: Duration = .seconds(60), seconds: Int = 10,
        kinds: [Kind] = [.cpu, .heap],
        labels: Labels = .empty, options: ScrapeOptions = ScrapeOptions()
    ) {
        self.service = service
        self.url = url
        self.interval = interval
        self.seconds = seconds
        self.kinds = kinds
        self.labels = labels
        self.options = options
    }

    func url(of kind: Kind) -> String {
        var base = url
        while base.hasSuffix("/") { base.removeLast() }
        if !base.hasSuffix("/debug/pprof") { base += "/debug/pprof" }
        return base + "/" + kind.endpoint + (kind == .cpu ? "?seconds=\(seconds)" : "")
    }

    /// Host and port of the URL.
    var instance: String {
        let rest = url.split(separator: "://", maxSplits: 1).last ?? ""
        return String(rest.prefix { $0 != "/" && $0 != "?" })
    }
}

/// A target and how the last pull of each kind went.
package struct ProfileTargetSnapshot: Sendable {
    package struct Pull: Sendable {
        package var kind: ProfileTarget.Kind
        /// Milliseconds since the Unix epoch; nil before the first.
        package var lastPull: Int64?
        /// Why it failed; empty if it did not.
        package var lastError = ""
    }

    package var target: ProfileTarget
    package var pulls: [Pull]
}
