import Patterns
import Synchronization
import Telemetry

/// Connects to a port and, where the module says so, has a conversation.
enum TCPProbe {
    private static let failedByRegex = MetricFamily("probe_failed_due_to_regex", .gauge, "Indicates if probe failed due to regex")
    private static let failedByBytes = MetricFamily("probe_failed_due_to_bytes", .gauge, "Indicates if probe failed due to bytes")
    /// The families of `probe_expect_info` by their labels' names: modules are few.
    private static let expectFamilies = Mutex<[[String]: MetricFamily]>([:])

    static func run(_ options: TCPProbeOptions, target: String, _ results: inout ProbeResults) async throws {
        let (host, port) = try ProbeTarget.split(target)
        let address = try await ProbeResolver.resolve(host, options.address, &results).address
        results.set(failedByRegex, 0)
        results.set(failedByBytes, 0)
        try await ProbeStream.connect(address, port: port, source: options.address.sourceAddress) { stream in
            results.log("Successfully dialed")
            if options.usesTLS { try await stream.startTLS(options.tls, host: host).record(into: &results) }
            for step in options.steps { try await take(step, options, host, &stream, &results) }
        }
    }

    private static func take(
        _ step: TCPProbeOptions.Step, _ options: TCPProbeOptions, _ host: String, _ stream: inout ProbeStream, _ results: inout ProbeResults
    ) async throws {
        var send = step.send
        if let expression = step.expect {
            let (line, groups) = try await expect(expression, &stream, &results)
            send = GroupTemplate(step.send).expand(line, groups, expression.pattern.groupNames)
            if !step.labels.isEmpty {
                let values = step.labels.map { GroupTemplate($0.value).expand(line, groups, expression.pattern.groupNames) }
                results.set(expectFamily(step.labels.map(\.name)), values, 1)
            }
        }
        if !step.expectBytes.isEmpty {
            let wanted = Array(step.expectBytes.utf8)
            let found = try await stream.read(wanted.count)
            guard found == wanted else {
                results.set(failedByBytes, 1)
                throw ProbeFailure(
                    "expected the bytes \(step.expectBytes.debugDescription), got \(String(decoding: found, as: UTF8.self).debugDescription)")
            }
        }
        if !send.isEmpty {
            results.log("Sending line", ["line": send])
            try await stream.write(Array(send.utf8) + [UInt8(ascii: "\n")])
        }
        if step.startsTLS { try await stream.startTLS(options.tls, host: host).record(into: &results) }
    }

    private static func expect(
        _ expression: ProbeExpression, _ stream: inout ProbeStream, _ results: inout ProbeResults
    ) async throws -> (String, [Range<Int>?]) {
        while let bytes = try await stream.readLine() {
            let line = String(decoding: bytes, as: UTF8.self)
            results.log("Read line", ["line": line])
            if let groups = expression.pattern.firstMatch(in: line) { return (line, groups) }
        }
        results.set(failedByRegex, 1)
        throw ProbeFailure("the connection was closed before a line matched \(expression.text.debugDescription)")
    }

    private static func expectFamily(_ names: [String]) -> MetricFamily {
        expectFamilies.withLock { families in
            if let known = families[names] { return known }
            let family = MetricFamily("probe_expect_info", .gauge, "Explicit content matched", names)
            families[names] = family
            return family
        }
    }
}
