import Logging
import Telemetry

/// Rounds of what Apus measures itself, with standard settings and nothing stored: for those who want to know what they cost.
package struct BuiltInRound: Sendable {
    private let measure: @Sendable (Int64) -> BuiltInMeasurement

    /// The machine under node exporter's names.
    package static var host: BuiltInRound {
        let host = HostMetrics(configuration: HostMetricsConfiguration(), time: .system, logger: Logger(label: "round"))
        return BuiltInRound { host.measureNow(at: $0) }
    }

    /// Every control group under cAdvisor's names, without what Docker knows of them.
    package static var containers: BuiltInRound {
        let containers = ContainerMetrics(configuration: ContainerMetricsConfiguration(), time: .system, logger: Logger(label: "round"))
        return BuiltInRound { containers.measureNow(at: $0, containers: [:]) }
    }

    /// - Returns: how many samples a round comes to.
    package func run() -> Int { measure(TimeSource.system.milliseconds).sampleCount }
}
