/// The names in a certificate (RFC 5280, 4.1): of a library's certificate only dates and number are to be had.
struct CertificateNames {
    /// As Go writes them (RFC 2253): the most particular part first.
    var issuer = ""
    var subject = ""
    var dnsNames: [String] = []

    /// - Parameter bytes: DER. nil where they are no certificate.
    init?(_ bytes: [UInt8]) {
        var reader = DERReader(bytes[...])
        guard var certificate = reader.enter(0x30), var body = certificate.enter(0x30) else { return nil }
        if body.peek == 0xa0 { body.skip() }
        // Serial number, signature's algorithm; issuer; validity; subject; key.
        body.skip()
        body.skip()
        guard let issuer = body.enter(0x30) else { return nil }
        body.skip()
        guard let subject = body.enter(0x30) else { return nil }
        body.skip()
        self.issuer = Self.text(issuer)
        self.subject = Self.text(subject)
        while let tag = body.peek {
            if tag == 0xa3, var wrapper = body.enter(0xa3), let extensions = wrapper.enter(0x30) {
                dnsNames = Self.dnsNames(extensions)
            } else if tag != 0xa3 {
                body.skip()
            }
        }
    }

    /// 2.5.29.17, subjectAltName.
    private static let alternativeNames: [UInt8] = [0x55, 0x1d, 0x11]

    private static func dnsNames(_ list: DERReader) -> [String] {
        var list = list
        var names: [String] = []
        while var item = list.enter(0x30) {
            guard let identifier = item.enter(0x06), Array(identifier.rest) == alternativeNames else { continue }
            if item.peek == 0x01 { item.skip() }
            guard var value = item.enter(0x04), var general = value.enter(0x30) else { continue }
            while let tag = general.peek {
                guard let name = general.enter(tag) else { break }
                // dNSName is the second of the choices.
                if tag == 0x82 { names.append(String(decoding: name.rest, as: UTF8.self)) }
            }
        }
        return names
    }

    private static let attributes: [[UInt8]: String] = [
        [0x55, 4, 3]: "CN", [0x55, 4, 5]: "SERIALNUMBER", [0x55, 4, 6]: "C", [0x55, 4, 7]: "L", [0x55, 4, 8]: "ST", [0x55, 4, 9]: "STREET",
        [0x55, 4, 10]: "O", [0x55, 4, 11]: "OU", [0x55, 4, 17]: "POSTALCODE",
    ]

    private static func text(_ name: DERReader) -> String {
        var name = name
        var parts: [String] = []
        while var set = name.enter(0x31) {
            var attributes: [String] = []
            while var pair = set.enter(0x30), let type = pair.enter(0x06) {
                guard let tag = pair.peek, let value = pair.enter(tag) else { break }
                let kind = Self.attributes[Array(type.rest)] ?? identifier(type.rest)
                attributes.append(kind + "=" + escaped(String(decoding: value.rest, as: UTF8.self)))
            }
            parts.append(attributes.joined(separator: "+"))
        }
        return parts.reversed().joined(separator: ",")
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if ",+\"\\<>;".contains(character) { escaped += "\\" }
            escaped.append(character)
        }
        return escaped
    }

    /// An object identifier as numbers between dots.
    private static func identifier(_ bytes: ArraySlice<UInt8>) -> String {
        var numbers: [UInt64] = []
        var value: UInt64 = 0
        for byte in bytes {
            value = (value << 7) | UInt64(byte & 0x7f)
            guard byte & 0x80 == 0 else { continue }
            if numbers.isEmpty { numbers = [min(2, value / 40), value - min(2, value / 40) * 40] } else { numbers.append(value) }
            value = 0
        }
        return numbers.map(String.init).joined(separator: ".")
    }
}

/// Walks DER, the encoding of certificates (ITU-T X.690): tag, length, value. What is cut short ends the walk.
struct DERReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// The next tag; nil at the end.
    var peek: UInt8? { rest.first }

    /// Steps over a value.
    mutating func skip() {
        if let tag = peek, enter(tag) == nil { rest = [] }
    }

    /// The content of the next value, which is stepped over; nil, and nothing stepped over, where it has another tag or is cut short.
    mutating func enter(_ tag: UInt8) -> DERReader? {
        guard rest.first == tag else { return nil }
        var body = rest.dropFirst()
        guard let first = body.popFirst() else { return nil }
        var count = Int(first)
        if first >= 0x80 {
            let bytes = body.prefix(Int(first & 0x7f))
            // A certificate longer than 16 MiB is none.
            guard (1...3).contains(bytes.count), bytes.count == Int(first & 0x7f) else { return nil }
            body = body.dropFirst(bytes.count)
            count = bytes.reduce(0) { $0 << 8 | Int($1) }
        }
        guard body.count >= count else { return nil }
        rest = body.dropFirst(count)
        return DERReader(body.prefix(count))
    }
}
