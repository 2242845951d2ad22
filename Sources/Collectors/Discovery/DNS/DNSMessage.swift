import Glibc

/// Messages of the domain name system (RFC 1035): a question, and the answers that a client needs.
struct DNSMessage: Sendable {
    enum RecordType: UInt16, Sendable, Hashable {
        case a = 1
        case ns = 2
        case mx = 15
        case aaaa = 28
        case srv = 33

        init?(name: String) {
            switch name {
            case "A": self = .a
            case "NS": self = .ns
            case "MX": self = .mx
            case "AAAA": self = .aaaa
            case "SRV": self = .srv
            default: return nil
            }
        }
    }

    /// An answer; names end in a dot.
    enum Record: Sendable, Hashable {
        case address(String)
        case ns(String)
        case mx(String)
        case srv(target: String, port: Int)
        /// An alias, or something that was not asked for.
        case other
    }

    enum Code: Sendable, Hashable {
        case success
        case noSuchName
        case failure(UInt8)
    }

    var id: UInt16
    var code: Code
    /// The answer did not fit: it must be asked for over TCP.
    var isTruncated: Bool
    var answers: [Record]

    /// What a UDP answer may have, told to servers by EDNS (RFC 6891).
    static let byteCountMax = 4_096

    /// A question for one name.
    ///
    /// - Returns: nil where `name` is none: a label over 63 bytes, or all of it over 255.
    static func question(id: UInt16, name: String, type: RecordType, hasExtension: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        func append(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
        append(id)
        append(0x0100)  // a query; recursion is wanted
        append(1)
        append(0)
        append(0)
        append(hasExtension ? 1 : 0)
        let start = bytes.count
        for label in name.split(separator: ".") {
            let text = Array(label.utf8)
            guard text.count <= 63 else { return nil }
            bytes.append(UInt8(text.count))
            bytes += text
        }
        bytes.append(0)
        guard bytes.count - start <= 255 else { return nil }
        append(type.rawValue)
        append(1)  // IN
        if hasExtension {
            bytes.append(0)  // the root
            append(41)  // OPT
            append(UInt16(byteCountMax))
            append(0)
            append(0)
            append(0)
        }
        return bytes
    }

    /// - Throws: ``DiscoveryError`` where the message is damaged.
    init(_ bytes: [UInt8]) throws(DiscoveryError) {
        var reader = Reader(bytes: bytes)
        id = try reader.uint16()
        let flags = try reader.uint16()
        guard flags & 0x8000 != 0 else { throw DiscoveryError("DNS: not an answer") }
        isTruncated = flags & 0x0200 != 0
        code =
            switch flags & 0xf {
            case 0: .success
            case 3: .noSuchName
            default: .failure(UInt8(flags & 0xf))
            }
        let questionCount = try reader.uint16()
        let answerCount = try reader.uint16()
        _ = try reader.uint16()
        _ = try reader.uint16()
        for _ in 0..<questionCount {
            _ = try reader.name()
            try reader.skip(4)
        }
        answers = []
        for _ in 0..<answerCount {
            // What was cut off is fetched over TCP.
            if isTruncated, reader.isAtEnd { break }
            answers.append(try Self.record(&reader))
        }
    }

    private static func record(_ reader: inout Reader) throws(DiscoveryError) -> Record {
        _ = try reader.name()
        let type = RecordType(rawValue: try reader.uint16())
        try reader.skip(6)
        let byteCount = Int(try reader.uint16())
        let end = reader.offset + byteCount
        guard end <= reader.bytes.count else { throw DiscoveryError("DNS: a record is cut short at byte \(reader.offset)") }
        defer { reader.offset = end }
        switch type {
        case .a, .aaaa:
            guard byteCount == (type == .a ? 4 : 16) else { throw DiscoveryError("DNS: an address of \(byteCount) bytes") }
            return .address(text(of: Array(reader.bytes[reader.offset..<end])))
        case .ns: return .ns(try reader.name())
        case .mx:
            try reader.skip(2)
            return .mx(try reader.name())
        case .srv:
            try reader.skip(4)
            let port = Int(try reader.uint16())
            return .srv(target: try reader.name(), port: port)
        case nil: return .other
        }
    }

    private static func text(of address: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(address.count == 4 ? AF_INET : AF_INET6, address, &buffer, socklen_t(buffer.count))
        let end = buffer.firstIndex(of: 0) ?? buffer.count
        return String(decoding: buffer[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private struct Reader {
        let bytes: [UInt8]
        var offset = 0

        var isAtEnd: Bool { offset >= bytes.count }

        mutating func skip(_ count: Int) throws(DiscoveryError) {
            guard offset + count <= bytes.count else { throw DiscoveryError("DNS: the message is cut short at byte \(bytes.count)") }
            offset += count
        }

        mutating func uint16() throws(DiscoveryError) -> UInt16 {
            let start = offset
            try skip(2)
            return UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
        }

        /// A name, which may go on elsewhere in the message (RFC 1035, section 4.1.4).
        mutating func name() throws(DiscoveryError) -> String {
            var labels: [UInt8] = []
            var position = offset
            var end: Int?
            // Each jump must lead backwards, so that none is taken twice.
            var limit = offset
            while true {
                guard position < bytes.count else { throw DiscoveryError("DNS: a name is cut short at byte \(position)") }
                let length = Int(bytes[position])
                if length & 0xc0 == 0xc0 {
                    guard position + 1 < bytes.count else { throw DiscoveryError("DNS: a name is cut short at byte \(position)") }
                    let target = (length & 0x3f) << 8 | Int(bytes[position + 1])
                    guard target < limit else { throw DiscoveryError("DNS: a name at byte \(position) points forwards") }
                    if end == nil { end = position + 2 }
                    position = target
                    limit = target
                } else if length == 0 {
                    offset = end ?? position + 1
                    return labels.isEmpty ? "." : String(decoding: labels, as: UTF8.self)
                } else {
                    guard length <= 63, position + 1 + length <= bytes.count, labels.count + length < 256 else {
                        throw DiscoveryError("DNS: a name at byte \(position) is damaged")
                    }
                    labels += bytes[(position + 1)...(position + length)]
                    labels.append(UInt8(ascii: "."))
                    position += 1 + length
                }
            }
        }
    }
}
