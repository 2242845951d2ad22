import Glibc

/// IP addresses in text.
enum IPAddress {
    /// The 4 or 16 bytes of an address; nil where the text is none. An IPv4 address within IPv6 counts as IPv4.
    static func bytes(_ text: String) -> [UInt8]? {
        var version4 = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &version4) == 1 { return version4 }
        var version6 = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &version6) == 1 else { return nil }
        let isMapped = version6.prefix(10).allSatisfy { $0 == 0 } && version6[10] == 0xff && version6[11] == 0xff
        return isMapped ? Array(version6.suffix(4)) : version6
    }
}
