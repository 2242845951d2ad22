import Patterns
import Settings
import Telemetry

/// Asks a DNS server and looks at the records of its answer.
enum DNSProbe {
    private static let duration = MetricFamily("probe_dns_duration_seconds", .gauge, "Duration of DNS request by phase", ["phase"])
    private static let answers = MetricFamily(
        "probe_dns_answer_rrs", .gauge, "Returns number of entries in the answer resource record list")
    private static let authorities = MetricFamily(
        "probe_dns_authority_rrs", .gauge, "Returns number of entries in the authority resource record list")
    private static let additionals = MetricFamily(
        "probe_dns_additional_rrs", .gauge, "Returns number of entries in the additional resource record list")
    private static let succeeded = MetricFamily(
        "probe_dns_query_succeeded", .gauge, "Displays whether or not the query was executed successfully")
    private static let serial = MetricFamily("probe_dns_serial", .gauge, "Returns the serial number of the zone")

    static func run(_ options: DNSProbeOptions, target: String, _ results: inout ProbeResults) async throws {
        for phase in ["resolve", "connect", "request"] { results.set(duration, [phase], 0) }
        for family in [answers, authorities, additionals, succeeded] { results.set(family, 0) }
        guard let (host, named) = ProbeTarget.hostAndPort(target) else {
            throw ProbeFailure("\(target.debugDescription) is no target of the form host or host:port")
        }
        let (address, seconds) = try await ProbeResolver.resolve(host, options.address, &results)
        results.set(duration, ["resolve"], seconds)
        let id = UInt16.random(in: .min ... .max)
        guard
            let query = DNSMessage.query(
                id: id, name: options.name, type: options.type, recordClass: options.recordClass,
                isRecursionDesired: options.isRecursionDesired)
        else { throw ProbeFailure("\(options.name) is no domain name") }
        let server = Server(host: host, address: address, port: named ?? (options.usesTLS ? 853 : 53))
        results.log("Making DNS query", ["target": "\(address):\(server.port)", "query": options.name, "type": options.type.name])
        let message =
            options.usesTCP ? try await askByTCP(query, id, server, options, &results) : try await askByUDP(query, id, server, options, &results)
        results.set(answers, Double(message.answer.count))
        results.set(authorities, Double(message.authority.count))
        results.set(additionals, Double(message.additional.count))
        results.set(succeeded, 1)
        if options.type == .soa { results.set(serial, Double(message.answer.lazy.compactMap(\.serial).last ?? 0)) }
        guard options.validCodes.contains(message.code) else {
            throw ProbeFailure("the server answers \(message.codeName)")
        }
        try check(message.answer, options.answer, "answer")
        try check(message.authority, options.authority, "authority")
        try check(message.additional, options.additional, "additional")
    }

    private struct Server {
        var host: String
        var address: ProbeAddress
        var port: Int
    }

    private static func askByUDP(
        _ query: [UInt8], _ id: UInt16, _ server: Server, _ options: DNSProbeOptions, _ results: inout ProbeResults
    ) async throws -> DNSMessage {
        let start = ContinuousClock.now
        let source = try options.address.sourceAddress.flatMap { ProbeAddress(literal: $0) }?.socketAddress(port: 0)
        let exchange = try await DNSExchange.overUDP(query, id: id, to: server.address.socketAddress(port: server.port), from: source)
        results.set(duration, ["connect"], (exchange.connectedAt - start).seconds)
        results.set(duration, ["request"], (ContinuousClock.now - exchange.connectedAt).seconds)
        return exchange.message
    }

    private static func askByTCP(
        _ query: [UInt8], _ id: UInt16, _ server: Server, _ options: DNSProbeOptions, _ results: inout ProbeResults
    ) async throws -> DNSMessage {
        let start = ContinuousClock.now
        return try await ProbeStream.connect(server.address, port: server.port, source: options.address.sourceAddress) { stream in
            if options.usesTLS { _ = try await stream.startTLS(options.tls, host: server.host) }
            let connected = ContinuousClock.now
            results.set(duration, ["connect"], (connected - start).seconds)
            // Over a stream a message has its length before it (RFC 1035, 4.2.2).
            try await stream.write([UInt8(truncatingIfNeeded: query.count >> 8), UInt8(truncatingIfNeeded: query.count)] + query)
            let length = try await stream.read(2)
            guard length.count == 2 else { throw ProbeFailure("the server closed the connection without an answer") }
            let count = Int(length[0]) << 8 | Int(length[1])
            let bytes = try await stream.read(count)
            guard bytes.count == count else { throw ProbeFailure("the server closed the connection within its answer") }
            let message = try DNSMessage(parsing: bytes)
            guard message.id == id else { throw ProbeFailure("the server answered another question") }
            results.set(duration, ["request"], (ContinuousClock.now - connected).seconds)
            return message
        }
    }

    /// Without records only ``DNSProbeOptions/Validator/failIfNoneMatches`` can fail, as in blackbox exporter.
    private static func check(
        _ records: [DNSRecord], _ validator: DNSProbeOptions.Validator, _ section: String
    ) throws(ProbeFailure) {
        let texts = records.map(\.text)
        for expression in validator.failIfMatches {
            if let text = texts.first(where: { expression.pattern.matchesPart($0) }) {
                throw ProbeFailure("a record of the \(section) section matches \(expression.text.debugDescription): \(text)")
            }
        }
        for expression in validator.failIfNotMatches {
            if let text = texts.first(where: { !expression.pattern.matchesPart($0) }) {
                throw ProbeFailure("a record of the \(section) section does not match \(expression.text.debugDescription): \(text)")
            }
        }
        if !validator.failIfAllMatch.isEmpty, !texts.isEmpty,
            texts.allSatisfy({ text in validator.failIfAllMatch.allSatisfy { $0.pattern.matchesPart(text) } })
        {
            throw ProbeFailure("all records of the \(section) section match fail_if_all_match_regexp")
        }
        if !validator.failIfNoneMatches.isEmpty,
            !texts.contains(where: { text in validator.failIfNoneMatches.contains { $0.pattern.matchesPart(text) } })
        {
            throw ProbeFailure("no record of the \(section) section matches fail_if_none_matches_regexp")
        }
    }
}
