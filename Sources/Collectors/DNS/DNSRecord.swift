import Codecs

/// One record of an answer, as a line of a zone file: what expressions of modules are matched against.
struct DNSRecord: Sendable, Hashable {
    var name: String
    var type: DNSType
    var recordClass: UInt16
    /// Seconds.
    var timeToLive: UInt32
    /// The data in words.
    var data: String
    /// Of an SOA record.
    var serial: UInt32?
    /// The address or host that a record of type A, AAAA, NS, MX, SRV and the like names.
    var host: String?
    /// Of an SRV record.
    var port: UInt16?

    /// Reads the record at `offset`, which moves behind it; nil where it is cut short.
    init?(_ message: [UInt8], at offset: inout Int) {
        guard let name = DNSName.decode(message, at: &offset), offset + 10 <= message.count else { return nil }
        let start = offset
        func word(_ at: Int) -> UInt16 { UInt16(message[start + at]) << 8 | UInt16(message[start + at + 1]) }
        self.name = name
        type = DNSType(number: word(0))
        recordClass = word(2)
        timeToLive = UInt32(word(4)) << 16 | UInt32(word(6))
        let range = (offset + 10)..<(offset + 10 + Int(word(8)))
        guard range.upperBound <= message.count else { return nil }
        offset = range.upperBound
        var reader = DNSDataReader(message: message, offset: range.lowerBound, end: range.upperBound)
        data = reader.text(type) ?? Self.generic(message[range])
        (serial, host, port) = (reader.serial, reader.host, reader.port)
    }

    /// As miekg/dns prints it, which blackbox exporter uses: fields between tabs.
    var text: String {
        let classText = [1: "IN", 2: "CS", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"][recordClass] ?? "CLASS\(recordClass)"
        return "\(name)\t\(timeToLive)\t\(classText)\t\(type.name)\t\(data)"
    }

    /// `\# LENGTH HEX` (RFC 3597, 5).
    private static func generic(_ bytes: ArraySlice<UInt8>) -> String { "\\# \(bytes.count) \(Hex.text(bytes))" }

    /// `\DDD`.
    static func escaped(_ byte: UInt8) -> String {
        let digits = String(byte)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }
}

/// Reads the data of a record field by field.
private struct DNSDataReader {
    let message: [UInt8]
    var offset: Int
    let end: Int
    private(set) var serial: UInt32?
    private(set) var host: String?
    private(set) var port: UInt16?

    init(message: [UInt8], offset: Int, end: Int) {
        (self.message, self.offset, self.end) = (message, offset, end)
    }

    /// The data of the types that people look at; nil for others, and where the data is cut short.
    mutating func text(_ type: DNSType) -> String? {
        switch type.name {
        case "A": return address(4)
        case "AAAA": return address(16)
        case "NS", "CNAME", "PTR", "DNAME":
            host = name()
            return host
        case "MX", "KX", "AFSDB":
            guard let preference = number(2), let name = name() else { return nil }
            host = name
            return "\(preference) \(name)"
        case "TXT", "SPF": return strings()
        case "SOA": return authority()
        case "SRV":
            guard let priority = number(2), let weight = number(2), let port = number(2), let name = name() else { return nil }
            (host, self.port) = (name, UInt16(truncatingIfNeeded: port))
            return "\(priority) \(weight) \(port) \(name)"
        case "CAA":
            guard let flags = number(1), let count = number(1), let tag = bytes(Int(count)) else { return nil }
            return "\(flags) \(String(decoding: tag, as: UTF8.self)) \(Self.quoted(message[offset..<end]))"
        case "DS", "CDS":
            guard let tag = number(2), let algorithm = number(1), let digest = number(1) else { return nil }
            return "\(tag) \(algorithm) \(digest) \(Hex.text(message[offset..<end]).uppercased())"
        case "TLSA", "SMIMEA":
            guard let usage = number(1), let selector = number(1), let matching = number(1) else { return nil }
            return "\(usage) \(selector) \(matching) \(Hex.text(message[offset..<end]))"
        case "SSHFP":
            guard let algorithm = number(1), let kind = number(1) else { return nil }
            return "\(algorithm) \(kind) \(Hex.text(message[offset..<end]).uppercased())"
        case "DNSKEY", "CDNSKEY":
            guard let flags = number(2), let kind = number(1), let algorithm = number(1) else { return nil }
            return "\(flags) \(kind) \(algorithm) \(Base64.encode(Array(message[offset..<end])))"
        default: return nil
        }
    }

    private mutating func authority() -> String? {
        guard let server = name(), let mailbox = name() else { return nil }
        var numbers: [UInt32] = []
        while numbers.count < 5, let value = number(4) { numbers.append(value) }
        guard numbers.count == 5 else { return nil }
        serial = numbers[0]
        return "\(server) \(mailbox) " + numbers.map(String.init).joined(separator: " ")
    }

    private mutating func address(_ count: Int) -> String? {
        guard let bytes = bytes(count), offset == end else { return nil }
        host = "\(ProbeAddress(bytes: Array(bytes)))"
        return host
    }

    private mutating func name() -> String? {
        guard let name = DNSName.decode(message, at: &offset), offset <= end else { return nil }
        return name
    }

    private mutating func number(_ count: Int) -> UInt32? { bytes(count)?.reduce(0) { $0 << 8 | UInt32($1) } }

    private mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard offset + count <= end else { return nil }
        defer { offset += count }
        return message[offset..<(offset + count)]
    }

    private mutating func strings() -> String? {
        var strings: [String] = []
        while offset < end {
            guard let count = number(1), let bytes = bytes(Int(count)) else { return nil }
            strings.append(Self.quoted(bytes))
        }
        return strings.joined(separator: " ")
    }

    private static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
        var text = "\""
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += "\\" + String(UnicodeScalar(byte))
            case 32...126: text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += DNSRecord.escaped(byte)
            }
        }
        return text + "\""
    }
}
