/// A question and its answer (RFC 1035, 4).
struct DNSProbeMessage: Sendable {
    /// The names of response codes by number (IANA, "DNS RCODEs").
    static let codes = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE",
    ]

    var id: UInt16
    var code: UInt8
    /// The answer did not fit into the datagram.
    var isTruncated: Bool
    var answer: [DNSRecord] = []
    var authority: [DNSRecord] = []
    var additional: [DNSRecord] = []

    /// The bytes of a question; nil for a name that is none.
    static func query(id: UInt16, name: String, type: DNSType, recordClass: UInt16, isRecursionDesired: Bool) -> [UInt8]? {
        guard let name = DNSName.encode(name) else { return nil }
        let flags: UInt16 = isRecursionDesired ? 0x0100 : 0
        return words(id, flags, 1, 0, 0, 0) + name + words(type.number, recordClass)
    }

    private static func words(_ numbers: UInt16...) -> [UInt8] {
        numbers.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    /// - Throws: ``ProbeFailure`` where the bytes are no answer.
    init(parsing bytes: [UInt8]) throws(ProbeFailure) {
        guard bytes.count >= 12, bytes[2] & 0x80 != 0 else { throw ProbeFailure("what came back is no DNS answer (\(bytes.count) bytes)") }
        func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
        id = word(0)
        isTruncated = bytes[2] & 2 != 0
        code = bytes[3] & 15
        var offset = 12
        for _ in 0..<word(4) {
            guard DNSName.decode(bytes, at: &offset) != nil, offset + 4 <= bytes.count else {
                throw ProbeFailure("the DNS answer is cut short at byte \(offset), within its question")
            }
            offset += 4
        }
        func section(_ count: UInt16) throws(ProbeFailure) -> [DNSRecord] {
            var records: [DNSRecord] = []
            for _ in 0..<count {
                guard let record = DNSRecord(bytes, at: &offset) else {
                    throw ProbeFailure("the DNS answer is damaged or cut short at byte \(offset)")
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
