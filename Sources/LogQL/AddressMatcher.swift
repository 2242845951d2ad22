/// `ip("…")`: an address, a range `1.2.3.4-1.2.3.9`, or a prefix `10.0.0.0/8`, of IPv4 or IPv6.
struct AddressMatcher: Sendable {
    struct Fault: Error {
        var description: String
    }

    /// An address as 16 bytes in two halves; IPv4 is mapped, so that both compare alike.
    struct Address: Comparable, Hashable {
        var high: UInt64
        var low: UInt64

        static func < (left: Address, right: Address) -> Bool {
            left.high == right.high ? left.low < right.low : left.high < right.high
        }
    }

    private let first: Address
    private let last: Address

    init(_ text: String) throws(Fault) {
        if let slash = text.firstIndex(of: "/") {
            let isIPv4 = !text[..<slash].contains(":")
            guard let address = Self.address(text[..<slash]), let bits = Int(text[text.index(after: slash)...]), bits >= 0,
                bits <= (isIPv4 ? 32 : 128)
            else { throw Fault(description: "invalid pattern") }
            let hostBits = (isIPv4 ? 32 : 128) - bits
            let lowMask = hostBits >= 64 ? UInt64.max : (1 << UInt64(hostBits)) - 1
            let highMask = hostBits <= 64 ? 0 : hostBits == 128 ? UInt64.max : (1 << UInt64(hostBits - 64)) - 1
            first = Address(high: address.high & ~highMask, low: address.low & ~lowMask)
            last = Address(high: address.high | highMask, low: address.low | lowMask)
        } else if let dash = text.firstIndex(of: "-") {
            guard let low = Self.address(text[..<dash]), let high = Self.address(text[text.index(after: dash)...]), low <= high else {
                throw Fault(description: "invalid pattern")
            }
            (first, last) = (low, high)
        } else {
            guard let address = Self.address(text[...]) else { throw Fault(description: "invalid pattern") }
            (first, last) = (address, address)
        }
    }

    /// Whether `text` is an address within.
    func matches(_ text: String) -> Bool {
        Self.address(text[...]).map { first <= $0 && $0 <= last } ?? false
    }

    /// Whether an address within stands anywhere in the line.
    func matches(line: ArraySlice<UInt8>) -> Bool {
        var index = line.startIndex
        while index < line.endIndex {
            guard Self.isAddressByte(line[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < line.endIndex, Self.isAddressByte(line[index]) { index += 1 }
            // 7 is the shortest IPv4 address, 3 (`::1`) the shortest IPv6 one worth a name; 45 the longest.
            guard (2...64).contains(index - start) else { continue }
            var candidate = String(decoding: line[start..<index], as: UTF8.self)
            if matches(candidate) { return true }
            // A port, or the full stop of a sentence, may stand behind it.
            while let lastByte = candidate.utf8.last, lastByte == UInt8(ascii: ".") || lastByte == UInt8(ascii: ":") {
                candidate.removeLast()
            }
            if matches(candidate) { return true }
            if candidate.contains("."), let colon = candidate.lastIndex(of: ":"), matches(String(candidate[..<colon])) { return true }
        }
        return false
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte) || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: ":")
    }

    private static func address(_ text: Swift.Substring) -> Address? {
        if !text.contains(":") { return ipv4(text).map { Address(high: 0, low: 0xffff_0000_0000 | UInt64($0)) } }
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text
        if rest.hasPrefix("::") {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            let part = rest[..<end]
            if part.isEmpty {
                guard gap == nil, end < rest.endIndex else { return nil }
                gap = groups.count
                rest = rest[rest.index(after: end)...]
                continue
            }
            if part.contains(".") {
                guard end == rest.endIndex, let word = ipv4(part) else { return nil }
                groups += [UInt16(truncatingIfNeeded: word >> 16), UInt16(truncatingIfNeeded: word)]
            } else {
                guard part.utf8.count <= 4, let group = UInt16(part, radix: 16) else { return nil }
                groups.append(group)
            }
            rest = end < rest.endIndex ? rest[rest.index(after: end)...] : rest[rest.endIndex...]
            if end < text.endIndex, rest.isEmpty, gap != groups.count { return nil }
        }
        guard groups.count <= 8, gap != nil || groups.count == 8 else { return nil }
        if let gap { groups.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap) }
        return Address(
            high: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }, low: groups[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func ipv4(_ text: Swift.Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var word: UInt32 = 0
        for part in parts {
            guard part.utf8.count <= 3, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let byte = UInt8(part) else { return nil }
            word = word << 8 | UInt32(byte)
        }
        return word
    }
}
