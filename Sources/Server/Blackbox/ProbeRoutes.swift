import Collectors
import Settings

/// Blackbox exporter's endpoint: probes a target now and answers with the series.
struct ProbeRoutes {
    /// The modules as they were last read.
    let modules: @Sendable () -> [String: ProbeModule]

    /// What a scrape's timeout is shortened by, so that the answer arrives in time (blackbox exporter's `--timeout-offset`).
    private static let timeoutMargin = 0.5

    var routes: [Route] {
        // A probe makes this server talk to whatever it is told to: that takes a token, as queries do.
        [Route.get("/probe", scope: .query, errors: .text, handler: probe)]
    }

    private func probe(_ call: Call) async throws -> Answer {
        let name = call.query.nonEmpty("module") ?? "http_2xx"
        guard let module = modules()[name] else { throw APIError(.badRequest, "Unknown module \"\(name)\"") }
        guard let target = call.query.nonEmpty("target") else { throw APIError(.badRequest, "Target parameter is missing") }
        let timeout = Prober.timeout(of: module, asked: try asked(call))
        let report = await Prober.report(module, target: target, timeout: timeout, hostName: call.query.nonEmpty("hostname"))
        if call.query["debug"] == "true" {
            let log = report.log.joined(separator: "\n")
            return .text("Logs for the probe:\n\(log)\n\nMetrics that would have been returned:\n" + String(decoding: report.text, as: UTF8.self))
        }
        return Answer(contentType: "text/plain; version=0.0.4; charset=utf-8", body: report.text)
    }

    /// How long Prometheus will wait; nil where nobody says.
    private func asked(_ call: Call) throws -> Duration? {
        guard let text = call.headers["x-prometheus-scrape-timeout-seconds"], !text.isEmpty else { return nil }
        guard let seconds = Double(text), (0...86_400).contains(seconds) else {
            throw APIError(.badRequest, "Failed to parse timeout from Prometheus header: \"\(text)\" is no number of seconds")
        }
        return seconds == 0 ? nil : .milliseconds(Int64((seconds - Self.timeoutMargin) * 1_000))
    }
}
