package import Settings
package import Telemetry

/// What is probed: `probes` and `blackbox` of `apus.yaml`.
package struct ProbeConfiguration: Sendable, Hashable {
    package static let job = "blackbox"

    /// By name: blackbox exporter's standard ones, those of `blackbox.yml`, those of `apus.yaml`; the later wins.
    package var modules = ProbeModule.standard
    /// What Apus probes by itself.
    package var checks: [ProbeCheck] = []
    /// What is known, but has no effect.
    package var warnings: [ConfigurationWarning] = []

    package init() {}
}

/// One target, probed by one module.
package struct ProbeCheck: Sendable, Hashable {
    package var module: ProbeModule
    package var target: String
    package var interval: Duration
    package var timeout: Duration
    package var labels: Labels
}
