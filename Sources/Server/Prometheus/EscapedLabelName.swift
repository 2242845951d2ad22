/// Label names with any UTF-8 in URL paths: `U__` and then `_HEX_` for what is no identifier, `__` for `_`
/// (prometheus/common, model, "ValueEncodingEscaping").
enum EscapedLabelName {
    /// The name behind `text`; `text` itself where it is not escaped, or not well.
    static func unescape(_ text: String) -> String {
        guard text.hasPrefix("U__") else { return text }
        var name = ""
        var rest = text.dropFirst(3)
        while let first = rest.first {
            rest = rest.dropFirst()
            guard first == "_" else {
                name.append(first)
                continue
            }
            if rest.first == "_" {
                name.append("_")
                rest = rest.dropFirst()
                continue
            }
            guard let end = rest.firstIndex(of: "_"), let value = UInt32(rest[..<end], radix: 16), let scalar = Unicode.Scalar(value) else {
                return text
            }
            name.unicodeScalars.append(scalar)
            rest = rest[rest.index(after: end)...]
        }
        return name
    }
}
