/// Sizes as Loki and Promtail read them (dustin/go-humanize).
package enum GoByteSize {
    private static let units: [String: Double] = [
        "": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12, "p": 1e15, "pb": 1e15,
        "e": 1e18, "eb": 1e18, "ki": 1024, "kib": 1024, "mi": 1_048_576, "mib": 1_048_576, "gi": 1_073_741_824, "gib": 1_073_741_824,
        "ti": 1_099_511_627_776, "tib": 1_099_511_627_776, "pi": 1_125_899_906_842_624, "pib": 1_125_899_906_842_624,
        "ei": 1_152_921_504_606_846_976, "eib": 1_152_921_504_606_846_976,
    ]

    /// `5KiB`, `1.5 MB`, `1,000`: bytes.
    package static func parse(_ text: String) -> UInt64? {
        let all = Array(text.utf8)
        let digits = all.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
        guard let number = GoNumber.parse(String(decoding: digits.filter { $0 != UInt8(ascii: ",") }, as: UTF8.self)) else { return nil }
        let name = String(decoding: all.dropFirst(digits.count), as: UTF8.self).filter { $0 != " " }.lowercased()
        guard let factor = units[name] else { return nil }
        let value = number * factor
        guard value.isFinite, value < 1.8e19 else { return nil }
        return UInt64(value)
    }
}
