import Telemetry

/// `node_pressure_*`: how long tasks waited for a resource (`/proc/pressure`, PSI).
struct PressureCollector: HostCollector {
    private struct Resource: Sendable {
        var name: String
        /// Some tasks waited; nil where the kernel has no such line, or one that says nothing.
        var waiting: MetricFamily?
        /// All tasks waited.
        var stalled: MetricFamily?
    }

    private static let resources = [
        Resource(
            name: "cpu",
            waiting: MetricFamily(
                "node_pressure_cpu_waiting_seconds_total", .counter, "Total time in seconds that processes have waited for CPU time")),
        Resource(
            name: "io",
            waiting: MetricFamily(
                "node_pressure_io_waiting_seconds_total", .counter, "Total time in seconds that processes have waited due to IO congestion"),
            stalled: MetricFamily(
                "node_pressure_io_stalled_seconds_total", .counter,
                "Total time in seconds no process could make progress due to IO congestion")),
        Resource(
            name: "memory",
            waiting: MetricFamily(
                "node_pressure_memory_waiting_seconds_total", .counter, "Total time in seconds that processes have waited for memory"),
            stalled: MetricFamily(
                "node_pressure_memory_stalled_seconds_total", .counter,
                "Total time in seconds no process could make progress due to memory congestion")),
        Resource(
            name: "irq",
            stalled: MetricFamily(
                "node_pressure_irq_stalled_seconds_total", .counter,
                "Total time in seconds no process could make progress due to IRQ congestion")),
    ]

    mutating func collect(_ round: inout HostRound) throws(HostCollectorError) {
        var hasFound = false
        for resource in Self.resources {
            guard let bytes = try? SystemFile.read(round.paths.procfs + "/pressure/" + resource.name) else { continue }
            let pressure = Pressure(bytes)
            hasFound = true
            if let family = resource.waiting, let seconds = pressure.some { round.recorder.add(family, seconds) }
            if let family = resource.stalled, let seconds = pressure.full { round.recorder.add(family, seconds) }
        }
        guard hasFound else { throw .noData }
    }
}

/// A file of pressure stall information: `some avg10=… avg60=… avg300=… total=MICROSECONDS`, and the same for `full`
/// (Linux, Documentation/accounting/psi.rst).
struct Pressure {
    /// Seconds that some tasks, or all that could run, have waited.
    var some: Double?
    var full: Double?

    init(_ bytes: [UInt8]) {
        var text = TextCursor(bytes)
        while text.nextLine() {
            guard let name = text.field() else { continue }
            while let field = text.field() {
                guard text.hasPrefix(field, "total="), let total = text.number(field.lowerBound + 6..<field.upperBound) else { continue }
                if text.equals(name, "some") { some = total / 1_000_000 }
                if text.equals(name, "full") { full = total / 1_000_000 }
            }
        }
    }
}
