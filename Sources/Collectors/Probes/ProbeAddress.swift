import Glibc
import NIOCore

/// An IP address, without a port.
struct ProbeAddress: Sendable, Hashable {
    /// 4 or 16, in network order.
    let bytes: [UInt8]
    /// Of a link-local IPv6 address.
    var scope: UInt32 = 0

    var isIPv6: Bool { bytes.count == 16 }

    init(bytes: [UInt8], scope: UInt32 = 0) {
        self.bytes = bytes
        self.scope = scope
    }

    /// An address as it is written; nil for a name.
    init?(literal text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(bytes: Array(bytes.prefix(4)))
        } else {
            guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
            self.init(bytes: bytes)
        }
    }

    /// Reads a `sockaddr` of the C library, laid out as in ip(7) and ipv6(7); nil for another family.
    init?(_ address: UnsafeRawBufferPointer) {
        guard address.count >= 16 else { return nil }
        switch CInt(address.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET: self.init(bytes: Array(address[4..<8]))
        case AF_INET6 where address.count >= 28:
            self.init(bytes: Array(address[8..<24]), scope: address.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        default: return nil
        }
    }

    /// As NIO wants it.
    func socketAddress(port: Int) throws -> SocketAddress {
        if scope != 0, let scoped = withSocketAddress(port: port, { address, _ in
            address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
        }) {
            return scoped
        }
        return try SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: port)
    }

    /// Calls `body` with the address as the C library has it: family, port, and for IPv6 a flow before and a scope behind it.
    func withSocketAddress<Result>(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
        let family = sa_family_t(isIPv6 ? AF_INET6 : AF_INET)
        var layout = withUnsafeBytes(of: family) { Array($0) } + [UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port)]
        if isIPv6 { layout += [0, 0, 0, 0] }
        layout += bytes
        layout += isIPv6 ? withUnsafeBytes(of: scope) { Array($0) } : [UInt8](repeating: 0, count: 8)
        return layout.withUnsafeBytes { buffer in
            buffer.baseAddress?.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(buffer.count)) }
        }
    }

    /// FNV-1a of 32 bits over the address: what blackbox exporter tells changes by.
    var hash: Double {
        var hash: UInt32 = 0x811c_9dc5
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return Double(hash)
    }
}

extension ProbeAddress: CustomStringConvertible {
    var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let text = bytes.withUnsafeBytes { inet_ntop(isIPv6 ? AF_INET6 : AF_INET, $0.baseAddress, &buffer, socklen_t(buffer.count)) }
        return text == nil ? "an address" : String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
