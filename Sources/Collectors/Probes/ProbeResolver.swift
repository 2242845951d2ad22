import Glibc
import NIOPosix
import Settings
import Telemetry

/// Finds the address of a target, and tells which kind it was and how long that took.
enum ProbeResolver {
    private static let lookupTime = MetricFamily(
        "probe_dns_lookup_time_seconds", .gauge, "Returns the time taken for probe dns lookup in seconds")
    private static let kind = MetricFamily("probe_ip_protocol", .gauge, "Specifies whether probe ip protocol is IP4 or IP6")
    private static let hash = MetricFamily(
        "probe_ip_addr_hash", .gauge, "Specifies the hash of IP address. It's useful to detect if the IP address changes.")
    /// The library's resolver blocks; as many questions as this are under way at once, away from those who read files.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 8)
        pool.start()
        return pool
    }()

    /// - Returns: the address, and the seconds that finding it took.
    static func resolve(
        _ host: String, _ options: ProbeAddressOptions, _ results: inout ProbeResults
    ) async throws(ProbeFailure) -> (address: ProbeAddress, seconds: Double) {
        let start = ContinuousClock.now
        results.set(kind, 0)
        results.set(hash, 0)
        let found: Result<ProbeAddress, ProbeFailure>
        do throws(ProbeFailure) {
            found = .success(try choose(try await addresses(host), options, host))
        } catch {
            found = .failure(error)
        }
        let seconds = (ContinuousClock.now - start).seconds
        results.set(lookupTime, seconds)
        let address = try found.get()
        results.set(kind, address.isIPv6 ? 6 : 4)
        results.set(hash, address.hash)
        results.log("Resolved target address", ["target": host, "ip": "\(address)"])
        return (address, seconds)
    }

    private static func choose(
        _ addresses: [ProbeAddress], _ options: ProbeAddressOptions, _ host: String
    ) throws(ProbeFailure) -> ProbeAddress {
        if let preferred = addresses.first(where: { $0.isIPv6 == options.prefersIPv6 }) { return preferred }
        let wanted = options.prefersIPv6 ? "ip6" : "ip4"
        guard options.hasFallback, let other = addresses.first else {
            throw ProbeFailure("\(host) has no address of \(wanted), and ip_protocol_fallback is off")
        }
        return other
    }

    private static func addresses(_ host: String) async throws(ProbeFailure) -> [ProbeAddress] {
        if let literal = ProbeAddress(literal: host) { return [literal] }
        guard !host.isEmpty, !host.utf8.contains(0) else { throw ProbeFailure("the target names no host") }
        do {
            return try await threads.runIfActive { try lookUp(host).get() }
        } catch let failure as ProbeFailure {
            throw failure
        } catch {
            throw ProbeFailure("\(host) cannot be resolved: \(error)")
        }
    }

    private static func lookUp(_ host: String) -> Result<[ProbeAddress], ProbeFailure> {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failure(ProbeFailure("\(host) cannot be resolved: \(String(cString: gai_strerror(code)))")) }
        defer { freeaddrinfo(list) }
        var addresses: [ProbeAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
            if let found = ProbeAddress(bytes) { addresses.append(found) }
        }
        return .success(addresses)
    }
}
