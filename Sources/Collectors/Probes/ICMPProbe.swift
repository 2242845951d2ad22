import Glibc
import Settings
import Synchronization
import Telemetry

/// Sends an echo request and waits for its reply (RFC 792, RFC 4443).
enum ICMPProbe {
    private static let duration = MetricFamily("probe_icmp_duration_seconds", .gauge, "Duration of icmp request by phase", ["phase"])
    private static let hopLimit = MetricFamily(
        "probe_icmp_reply_hop_limit", .gauge, "Replied packet hop limit (TTL for ipv4)")
    /// What blackbox exporter sends.
    private static let text = Array("Prometheus Blackbox Exporter".utf8)
    private static let sequence = Mutex<UInt16>(UInt16.random(in: .min ... .max))

    static func run(_ options: ICMPProbeOptions, target: String, _ results: inout ProbeResults) async throws {
        for phase in ["resolve", "setup", "rtt"] { results.set(duration, [phase], 0) }
        let (address, seconds) = try await ProbeResolver.resolve(target, options.address, &results)
        results.set(duration, ["resolve"], seconds)
        let start = ContinuousClock.now
        let (socket, isRaw) = try open(address, options)
        let identifier = UInt16.random(in: .min ... .max)
        let number = sequence.withLock { sequence in
            sequence &+= 1
            return sequence
        }
        let request = ICMPEcho(isIPv6: address.isIPv6, identifier: identifier, sequence: number, payload: payload(options))
        let sent = ContinuousClock.now
        results.set(duration, ["setup"], (sent - start).seconds)
        try socket.send(request.bytes)
        for await packet in socket.packets {
            // A raw IPv4 socket shows the packet's header, too.
            let hasHeader = isRaw && !address.isIPv6
            guard request.isAnswered(by: packet.bytes, hasHeader: hasHeader, knowsIdentifier: isRaw) else { continue }
            results.set(duration, ["rtt"], (ContinuousClock.now - sent).seconds)
            let limit = packet.hopLimit ?? (hasHeader && packet.bytes.count > 8 ? Int(packet.bytes[8]) : nil)
            if let limit { results.set(hopLimit, Double(limit)) }
            return
        }
        try Task.checkCancellation()
        throw ProbeFailure("no reply")
    }

    private static func payload(_ options: ICMPProbeOptions) -> [UInt8] {
        guard let count = options.payloadByteCount else { return text }
        return Array(text.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - text.count))
    }

    /// A socket for echoes alone, which needs no privilege where the kernel's `ping_group_range` allows it; else a raw one.
    private static func open(_ address: ProbeAddress, _ options: ICMPProbeOptions) throws(ProbeFailure) -> (DatagramSocket, isRaw: Bool) {
        let number = address.isIPv6 ? CInt(IPPROTO_ICMPV6) : CInt(IPPROTO_ICMP)
        let prepare: (CInt) -> Void = { descriptor in prepareSocket(descriptor, address, options) }
        let kinds = [(CInt(SOCK_DGRAM.rawValue), false), (CInt(SOCK_RAW.rawValue), true)]
        var last = ProbeFailure("")
        for (type, isRaw) in kinds {
            do throws(ProbeFailure) {
                let socket = try DatagramSocket.connected(
                    to: address, port: 0, type: type, protocolNumber: number, source: options.address.sourceAddress, prepare)
                return (socket, isRaw)
            } catch {
                last = error
            }
        }
        throw ProbeFailure(
            "\(last): echo requests need the capability CAP_NET_RAW, or the process's group within the sysctl net.ipv4.ping_group_range")
    }

    private static func prepareSocket(_ descriptor: CInt, _ address: ProbeAddress, _ options: ICMPProbeOptions) {
        func set(_ level: CInt, _ name: CInt, _ value: CInt) {
            var value = value
            setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
        }
        if address.isIPv6 {
            let level = CInt(IPPROTO_IPV6)
            set(level, IPV6_RECVHOPLIMIT, 1)
            set(level, IPV6_UNICAST_HOPS, CInt(options.hopLimit))
        } else {
            let level = CInt(IPPROTO_IP)
            set(level, IP_RECVTTL, 1)
            set(level, IP_TTL, CInt(options.hopLimit))
            // The kernel sets the bit where it is to find the path's largest packet.
            if options.doesNotFragment { set(level, IP_MTU_DISCOVER, IP_PMTUDISC_DO) }
        }
    }
}

/// An echo request on the wire.
struct ICMPEcho {
    private let isIPv6: Bool
    private let identifier: UInt16
    private let sequence: UInt16
    private let payload: [UInt8]
    let bytes: [UInt8]

    private static let request: UInt8 = 8
    private static let reply: UInt8 = 0
    private static let request6: UInt8 = 128
    private static let reply6: UInt8 = 129

    init(isIPv6: Bool, identifier: UInt16, sequence: UInt16, payload: [UInt8]) {
        self.isIPv6 = isIPv6
        self.identifier = identifier
        self.sequence = sequence
        self.payload = payload
        var bytes = [isIPv6 ? Self.request6 : Self.request, 0, 0, 0] + Self.word(identifier) + Self.word(sequence) + payload
        // Of IPv6 the kernel computes the checksum, which covers addresses.
        if !isIPv6 { bytes.replaceSubrange(2..<4, with: Self.word(Self.checksum(bytes))) }
        self.bytes = bytes
    }

    /// Whether a packet is the reply.
    ///
    /// - Parameters:
    ///   - hasHeader: whether an IPv4 header stands before it.
    ///   - knowsIdentifier: false where the kernel puts its own in, and sees to it that only ours comes back.
    func isAnswered(by packet: [UInt8], hasHeader: Bool, knowsIdentifier: Bool) -> Bool {
        var message = packet[...]
        if hasHeader {
            guard let first = packet.first, packet.count >= Int(first & 15) * 4 else { return false }
            message = packet.dropFirst(Int(first & 15) * 4)
        }
        let fields = Array(message.prefix(8))
        guard fields.count == 8, fields[0] == (isIPv6 ? Self.reply6 : Self.reply), fields[1] == 0 else { return false }
        guard !knowsIdentifier || Array(fields[4..<6]) == Self.word(identifier) else { return false }
        return Array(fields[6..<8]) == Self.word(sequence) && message.dropFirst(8).elementsEqual(payload)
    }

    private static func word(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }

    /// The sum of the words in one's complement (RFC 1071).
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
        }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
