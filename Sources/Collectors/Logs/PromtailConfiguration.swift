package import Settings
package import Telemetry

/// A `promtail.yaml`, as Promtail 3 reads it.
package struct PromtailConfiguration: Sendable {
    package var server = PromtailServer()
    /// `clients`, and the old `client`. Where there are none, `apus serve` stores the lines itself.
    package var clients: [PromtailClient] = []
    package var positions = PromtailPositions()
    package var jobs: [PromtailJob] = []
    package var limits = PromtailLimits()
    /// `target_config.sync_period`: how often files are looked for.
    package var syncPeriod: Duration = .seconds(10)
    /// `global.file_watch_config`: how often files are looked at, and how seldom while nothing changes.
    package var pollPeriodMin: Duration = .milliseconds(250)
    package var pollPeriodMax: Duration = .milliseconds(250)
    /// Options that Promtail acts on and Apus does not, each with its place.
    package var warnings: [ConfigurationWarning] = []
    /// The file it came from. Relative paths in it start at the working directory, as in Promtail.
    package var file = ""
    /// The text of the file, variables replaced.
    package var text = ""

    package init() {}
}

/// The section `server`: where the agent's own pages are.
package struct PromtailServer: Sendable, Hashable {
    package var isDisabled = false
    /// Empty: every address.
    package var host = ""
    package var port = 80
    /// What paths begin with, such as `/promtail`; empty or with a leading slash.
    package var pathPrefix = ""
    package var externalURL = ""
    package var logLevel = "info"
    package var logFormat = "logfmt"
    package var gracefulShutdownTimeout: Duration = .seconds(30)
    /// Whether `/ready` waits for targets.
    package var checksTargets = true
    /// Whether `POST /reload` is answered.
    package var isReloadEnabled = false

    package init() {}
}

/// The section `positions`. Apus keeps positions beside the data; the file is read once, to go on where Promtail stopped.
package struct PromtailPositions: Sendable, Hashable {
    package var filename = "/var/log/positions.yaml"
    package var syncPeriod: Duration = .seconds(10)
    package var ignoresInvalidYAML = false

    package init() {}
}

/// The section `limits_config`.
package struct PromtailLimits: Sendable, Hashable {
    /// Lines a second for all jobs together; nil: no limit.
    package var lineRate: Double?
    package var lineBurst = 10_000
    /// Whether lines over the rate are dropped; otherwise reading waits.
    package var dropsOverRate = true
    /// Streams at a time; 0: no limit.
    package var streamCountMax = 0
    /// Bytes of a line; 0: the source's own limit. A longer line is dropped, or cut where ``cutsLongLines`` is set.
    package var lineByteCountMax = 0
    package var cutsLongLines = false
    /// Labels that lines get behind the stages, unless they have others under those names: where Apus stores the lines itself that a
    /// client would have sent with its `external_labels`.
    package var externalLabels: Labels = .empty

    package init() {}
}

/// One entry of `scrape_configs`.
package struct PromtailJob: Sendable {
    package var name: String
    package var program = StageProgram.empty
    package var relabelRules: [RelabelRule] = []
    /// Files by `__path__` and `__path_exclude__`.
    package var staticGroups: [TargetGroup] = []
    /// What finds more targets with files.
    package var discoveries: [DiscoveryEntry] = []
    package var dockerDiscoveries: [PromtailDockerDiscovery] = []
    package var journal: PromtailJournal?
    package var syslog: PromtailSyslog?
    package var push: PromtailPush?
    package var decompression: PromtailDecompression?
    /// The IANA name of the files' encoding; nil: UTF-8.
    package var encoding: String?
    /// The entry as it was read, written in one way: two jobs with the same text are the same.
    package var text = ""
    package var line = 0

    package init(name: String) {
        self.name = name
    }
}
