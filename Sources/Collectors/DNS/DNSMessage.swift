/// Why a name server's answer cannot be used, in words for people.
struct DNSError: Error, Sendable, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A question to a name server and its answer (RFC 1035, 4).
struct DNSMessage: Sendable {
    /// The names of response codes by number (IANA, "DNS RCODEs").
    static let codes = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE",
    ]

    /// What a UDP answer may have where EDNS tells servers so (RFC 6891).
    static let extendedByteCountMax = 4_096

    var id: UInt16
    var code: UInt8
    /// The answer did not fit into the datagram: all of it comes over TCP.
    var isTruncated: Bool
    var answer: [DNSRecord] = []
    var authority: [DNSRecord] = []
    var additional: [DNSRecord] = []

    /// The name of ``code``.
    var codeName: String { Self.codes.indices.contains(Int(code)) ? Self.codes[Int(code)] : "RCODE\(code)" }

    /// The bytes of a question; nil for a name that is none.
    ///
    /// - Parameter hasExtension: take answers of up to ``extendedByteCountMax`` bytes.
    static func query(
        id: UInt16, name: String, type: DNSType, recordClass: UInt16 = 1, isRecursionDesired: Bool = true, hasExtension: Bool = false
    ) -> [UInt8]? {
        guard let name = DNSName.encode(name) else { return nil }
        let question = words(id, isRecursionDesired ? 0x0100 : 0, 1, 0, 0, hasExtension ? 1 : 0) + name + words(type.number, recordClass)
        guard hasExtension else { return question }
        // The root's name, OPT, the size, and no flags or data.
        return question + [0] + words(41, UInt16(extendedByteCountMax), 0, 0, 0)
    }

    private static func words(_ numbers: UInt16...) -> [UInt8] {
        numbers.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    /// - Throws: ``DNSError`` where the bytes are no answer.
    init(parsing bytes: [UInt8]) throws(DNSError) {
        guard bytes.count >= 12, bytes[2] & 0x80 != 0 else { throw DNSError("what came back is no DNS answer (\(bytes.count) bytes)") }
        func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
        id = word(0)
        let isTruncated = bytes[2] & 2 != 0
        self.isTruncated = isTruncated
        code = bytes[3] & 15
        var offset = 12
        for _ in 0..<word(4) {
            guard DNSName.decode(bytes, at: &offset) != nil, offset + 4 <= bytes.count else {
                throw DNSError("the DNS answer is cut short at byte \(offset), within its question")
            }
            offset += 4
        }
        func section(_ count: UInt16) throws(DNSError) -> [DNSRecord] {
            var records: [DNSRecord] = []
            for _ in 0..<count {
                if isTruncated, offset == bytes.count { break }
                guard let record = DNSRecord(bytes, at: &offset) else {
                    throw DNSError("the DNS answer is damaged or cut short at byte \(offset)")
                }
                records.append(record)
            }
            return records
        }
        answer = try section(word(6))
        authority = try section(word(8))
        additional = try section(word(10))
    }
}
