/// The type of a record (IANA, "Resource Record (RR) TYPEs").
package struct DNSType: Sendable, Hashable {
    package var number: UInt16

    static let a = DNSType(number: 1)
    static let ns = DNSType(number: 2)
    static let mx = DNSType(number: 15)
    static let aaaa = DNSType(number: 28)
    static let srv = DNSType(number: 33)
    static let any = DNSType(number: 255)
    static let soa = DNSType(number: 6)

    private static let names: [(name: String, number: UInt16)] = [
        ("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("MB", 7), ("MG", 8), ("MR", 9), ("NULL", 10), ("PTR", 12), ("HINFO", 13),
        ("MINFO", 14), ("MX", 15), ("TXT", 16), ("RP", 17), ("AFSDB", 18), ("SIG", 24), ("KEY", 25), ("AAAA", 28), ("LOC", 29), ("SRV", 33),
        ("NAPTR", 35), ("KX", 36), ("CERT", 37), ("DNAME", 39), ("OPT", 41), ("APL", 42), ("DS", 43), ("SSHFP", 44), ("IPSECKEY", 45),
        ("RRSIG", 46), ("NSEC", 47), ("DNSKEY", 48), ("DHCID", 49), ("NSEC3", 50), ("NSEC3PARAM", 51), ("TLSA", 52), ("SMIMEA", 53),
        ("CDS", 59), ("CDNSKEY", 60), ("OPENPGPKEY", 61), ("CSYNC", 62), ("ZONEMD", 63), ("SVCB", 64), ("HTTPS", 65), ("SPF", 99),
        ("AXFR", 252), ("ANY", 255), ("URI", 256), ("CAA", 257),
    ]

    init(number: UInt16) {
        self.number = number
    }

    init?(name: String) {
        guard let number = Self.names.first(where: { $0.name == name })?.number else { return nil }
        self.number = number
    }

    /// `A`, or `TYPE65280` (RFC 3597, 5).
    var name: String { Self.names.first { $0.number == number }?.name ?? "TYPE\(number)" }
}
