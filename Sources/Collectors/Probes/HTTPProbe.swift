import NIOCore
import NIOHTTP1
import Settings

/// Asks a web server and looks at the answer.
enum HTTPProbe {
    /// Follows redirects to the answer that counts, and judges it.
    static func run(_ options: HTTPProbeOptions, target: String, hostHeader: String?, _ results: inout ProbeResults) async throws {
        HTTPProbeGauges.begin(&results)
        guard var url = ProbeURL(target) else { throw ProbeFailure("\(target.debugDescription) is no URL of http or https") }
        let first = url
        let (address, seconds) = try await resolve(url, options, &results)
        results.add(HTTPProbeGauges.duration, ["resolve"], seconds)
        var request = HTTPProbeRequest(options, hostHeader: hostHeader)
        var redirectCount = 0
        var next = address
        while true {
            let exchange = HTTPExchange(
                url: url, address: next, request: try request.head(url, isFirstHost: url.authority == first.authority),
                body: try request.body(), tls: tls(options, hostHeader, url, first), byteCountMax: bodyByteCountMax(options))
            let follows = options.client.followRedirects
            results.log("Making HTTP request", ["url": "\(url.isSecure ? "https" : "http")://\(url.authority)\(url.target)", "ip": "\(next)"])
            let answer = try await timed(exchange, &results) { !(follows && isRedirect($0)) }
            guard follows, isRedirect(answer.head), let location = answer.head.headers.first(name: "Location") else {
                results.set(HTTPProbeGauges.redirects, Double(redirectCount))
                return try HTTPProbeVerdict(options: options, isSecure: url.isSecure).judge(answer, &results)
            }
            redirectCount += 1
            results.set(HTTPProbeGauges.redirects, Double(redirectCount))
            results.log("Received redirect", ["location": location])
            guard redirectCount <= HTTPProbeLimits.redirectCountMax else {
                throw ProbeFailure("more than \(HTTPProbeLimits.redirectCountMax) redirects")
            }
            guard let target = url.resolving(location) else { throw ProbeFailure("the redirect to \(location.debugDescription) leads nowhere") }
            request.redirected(by: answer.head.status.code)
            let isSameHost = target.host == url.host
            url = target
            if !isSameHost {
                let start = ContinuousClock.now
                // The series of the resolver tell of the target alone.
                var other = ProbeResults()
                next = try await ProbeResolver.resolve(url.host, options.address, &other).address
                results.add(HTTPProbeGauges.duration, ["resolve"], (ContinuousClock.now - start).seconds)
            }
        }
    }

    private static func resolve(
        _ url: ProbeURL, _ options: HTTPProbeOptions, _ results: inout ProbeResults
    ) async throws -> (ProbeAddress, Double) {
        do throws(ProbeFailure) {
            return try await ProbeResolver.resolve(url.host, options.address, &results)
        } catch {
            results.add(HTTPProbeGauges.duration, ["resolve"], results.value("probe_dns_lookup_time_seconds") ?? 0)
            throw error
        }
    }

    private static func isRedirect(_ head: HTTPResponseHead) -> Bool {
        [301, 302, 303, 307, 308].contains(head.status.code) && head.headers.contains(name: "Location")
    }

    private static func bodyByteCountMax(_ options: HTTPProbeOptions) -> Int {
        options.bodyByteCountMax > 0 ? options.bodyByteCountMax : HTTPProbeLimits.bodyByteCountMax
    }

    /// The name that the certificate must be for: configured, else that of the header `Host`, else the target's.
    private static func tls(_ options: HTTPProbeOptions, _ hostHeader: String?, _ url: ProbeURL, _ first: ProbeURL) -> TLSOptions {
        var tls = options.client.tls
        guard url.authority == first.authority else {
            // What was configured was meant for the target, not for where it redirects to.
            tls.serverName = ""
            return tls
        }
        let header = hostHeader ?? options.headers.first { $0.name.lowercased() == "host" }?.value
        if tls.serverName.isEmpty, let header { tls.serverName = ProbeTarget.hostAndPort(header)?.host ?? "" }
        return tls
    }

    /// Runs an exchange and adds the seconds of each phase that it reached.
    private static func timed(
        _ exchange: HTTPExchange, _ results: inout ProbeResults, wantsBody: @escaping @Sendable (HTTPResponseHead) -> Bool
    ) async throws -> HTTPExchange.Answer {
        var times = HTTPExchange.Times()
        var certificates: ProbeCertificates?
        defer {
            HTTPProbeGauges.record(times, &results)
            results.set(HTTPProbeGauges.ssl, certificates == nil ? 0 : 1)
            certificates?.record(into: &results)
        }
        return try await exchange.run(times: &times, certificates: &certificates, wantsBody: wantsBody)
    }
}
