import Dispatch
import Glibc

/// A socket for datagrams that waits without a thread and sees how many hops they took: ICMP.
final class DatagramSocket: Sendable {
    struct Packet: Sendable {
        var bytes: [UInt8]
        /// How many more hops it could have taken; nil where the kernel does not say.
        var hopLimit: Int?
    }

    /// What the kernel hands over at once; an echo is no larger.
    private static let packetByteCountMax = 65_536
    /// Room for the kernel's words on a packet.
    private static let controlByteCount = 256
    /// A host that floods the socket fills no memory.
    private static let packetCountMax = 64

    private let descriptor: CInt
    /// SAFETY: made, resumed and cancelled once each; Dispatch's sources may be used from any thread.
    private nonisolated(unsafe) let source: any DispatchSourceRead
    /// What has come since the socket was opened.
    let packets: AsyncStream<Packet>

    /// Takes over an open descriptor; it is closed with this value.
    init(descriptor: CInt) {
        self.descriptor = descriptor
        let (packets, continuation) = AsyncStream.makeStream(of: Packet.self, bufferingPolicy: .bufferingOldest(Self.packetCountMax))
        self.packets = packets
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: DispatchQueue(label: "apus.datagrams"))
        source.setEventHandler {
            while true {
                switch Self.receive(descriptor) {
                case .success(let packet): continuation.yield(packet)
                case .failure(let error):
                    // A port that is closed, a host that cannot be reached: nothing more is to be waited for.
                    if error.code != EAGAIN, error.code != EINTR { continuation.finish() }
                    return
                }
            }
        }
        source.setCancelHandler {
            close(descriptor)
            continuation.finish()
        }
        source.resume()
    }

    deinit {
        source.cancel()
    }

    /// A socket that talks to one address; a packet of anybody else is not seen.
    ///
    /// - Parameter prepare: sets options before the socket is connected.
    static func connected(
        to address: ProbeAddress, port: Int, type: CInt, protocolNumber: CInt = 0, source: String?, _ prepare: (CInt) -> Void = { _ in }
    ) throws(ProbeFailure) -> DatagramSocket {
        let descriptor = socket(
            address.isIPv6 ? AF_INET6 : AF_INET, type | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), protocolNumber)
        guard descriptor >= 0 else { throw failure("cannot open a socket") }
        prepare(descriptor)
        if let source, let local = ProbeAddress(literal: source) {
            guard local.withSocketAddress(port: 0, { bind(descriptor, $0, $1) }) == 0 else {
                defer { close(descriptor) }
                throw failure("cannot send from \(source)")
            }
        }
        guard address.withSocketAddress(port: port, { connect(descriptor, $0, $1) }) == 0 else {
            defer { close(descriptor) }
            throw failure("cannot reach \(address)")
        }
        return DatagramSocket(descriptor: descriptor)
    }

    func send(_ bytes: [UInt8]) throws(ProbeFailure) {
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        guard count == bytes.count else { throw Self.failure("cannot send") }
    }

    private static func failure(_ what: String) -> ProbeFailure { ProbeFailure("\(what): \(String(cString: strerror(errno)))") }

    private struct ReceiveError: Error {
        var code: CInt
    }

    private static func receive(_ descriptor: CInt) -> Result<Packet, ReceiveError> {
        var bytes = [UInt8](repeating: 0, count: packetByteCountMax)
        var control = [UInt8](repeating: 0, count: controlByteCount)
        var controlCount = 0
        var code: CInt = 0
        let count = bytes.withUnsafeMutableBytes { buffer in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(descriptor, &message, 0)
                    if count < 0 { code = errno }
                    controlCount = Int(message.msg_controllen)
                    return count
                }
            }
        }
        guard count >= 0 else { return .failure(ReceiveError(code: code)) }
        bytes.removeLast(bytes.count - count)
        return .success(Packet(bytes: bytes, hopLimit: hopLimit(control.prefix(controlCount))))
    }

    /// Reads `cmsghdr`s: length (a word), level, type, and the data up to the length; each begins at a whole word.
    private static func hopLimit(_ control: ArraySlice<UInt8>) -> Int? {
        let header = MemoryLayout<cmsghdr>.size
        var rest = control
        func number(_ offset: Int) -> Int {
            rest.dropFirst(offset).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        while rest.count >= header + 4 {
            let count = number(0)
            guard count >= header, count <= rest.count else { return nil }
            let (level, type) = (CInt(truncatingIfNeeded: number(8)), CInt(truncatingIfNeeded: number(12)))
            let isFour = level == CInt(IPPROTO_IP) && type == IP_TTL
            let isSix = level == CInt(IPPROTO_IPV6) && type == IPV6_HOPLIMIT
            if isFour || isSix { return number(header) }
            rest = rest.dropFirst((count + 7) / 8 * 8)
        }
        return nil
    }
}
