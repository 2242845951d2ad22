/// `${VAR}` in a `promtail.yaml` (Promtail's `-config.expand-env`, which uses drone/envsubst).
package enum PromtailEnvironment {
    /// Replaces variables in the whole text, before it is read as YAML. `$$` is a dollar sign, `\\` a backslash.
    ///
    /// Known are `${V}`, `${V:-default}`, `${V-default}`, `${V:=default}`, `${V=default}`, `${V:+other}`, `${V,,}`, `${V^^}`,
    /// `${#V}`, `${V:start:count}`, `${V#prefix}`, `${V%suffix}`, `${V/old/new}` and `${V//old/new}`, without patterns.
    package static func expand(_ text: String, _ environment: [String: String]) -> String {
        var reader = Reader(Array(text.utf8), environment)
        return String(decoding: reader.text(until: nil), as: UTF8.self)
    }

    private struct Reader {
        let bytes: [UInt8]
        let environment: [String: String]
        var index = 0
        var depth = 0

        init(_ bytes: [UInt8], _ environment: [String: String]) {
            self.bytes = bytes
            self.environment = environment
        }

        private func byte(_ offset: Int = 0) -> UInt8 { index + offset < bytes.count ? bytes[index + offset] : 0 }

        /// Text up to one of the bytes of `end` at this level, variables replaced.
        mutating func text(until end: [UInt8]?) -> [UInt8] {
            var result: [UInt8] = []
            while index < bytes.count {
                if let end, end.contains(byte()) { break }
                switch byte() {
                case UInt8(ascii: "\\") where byte(1) == UInt8(ascii: "\\"):
                    result.append(byte())
                    index += 2
                case UInt8(ascii: "$") where byte(1) == UInt8(ascii: "$"):
                    result.append(byte())
                    index += 2
                    // `$${V}` is `${V}`.
                    if byte() == UInt8(ascii: "{") {
                        result.append(byte())
                        index += 1
                    }
                case UInt8(ascii: "$") where byte(1) == UInt8(ascii: "{") && depth < 20:
                    let start = index
                    index += 2
                    depth += 1
                    let value = variable()
                    depth -= 1
                    if byte() == UInt8(ascii: "}") {
                        result += value
                        index += 1
                    } else {
                        // Not closed: it is no variable.
                        result.append(bytes[start])
                        index = start + 1
                    }
                default:
                    result.append(byte())
                    index += 1
                }
            }
            return result
        }

        private mutating func name() -> String {
            let start = index
            while Self.isWord(byte()) { index += 1 }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }

        private static func isWord(_ byte: UInt8) -> Bool {
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
        }

        private mutating func take(_ text: String) -> Bool {
            guard bytes[min(index, bytes.count)...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            return true
        }

        /// What stands between `${` and `}`.
        private mutating func variable() -> [UInt8] {
            let close = [UInt8(ascii: "}")]
            if take("#") { return Array(String(environment[name()]?.count ?? 0).utf8) }
            let found = environment[name()]
            let value = Array((found ?? "").utf8)
            if take(":-") || take(":=") {
                let other = text(until: close)
                return value.isEmpty ? other : value
            }
            if take(":+") {
                let other = text(until: close)
                return value.isEmpty ? [] : other
            }
            if take("-") || take("=") {
                let other = text(until: close)
                return found == nil ? other : value
            }
            let text = found ?? ""
            if take("^^") { return Array(text.uppercased().utf8) }
            if take("^") { return Array((text.prefix(1).uppercased() + text.dropFirst()).utf8) }
            if take(",,") { return Array(text.lowercased().utf8) }
            if take(",") { return Array((text.prefix(1).lowercased() + text.dropFirst()).utf8) }
            if take(":") {
                let parts = String(decoding: self.text(until: close), as: UTF8.self).split(separator: ":").map { Int($0) ?? 0 }
                let rest = text.dropFirst(max(0, parts.first ?? 0))
                return Array((parts.count > 1 ? rest.prefix(max(0, parts[1])) : rest).utf8)
            }
            if take("##") || take("#") {
                let prefix = String(decoding: self.text(until: close), as: UTF8.self)
                return Array((text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text).utf8)
            }
            if take("%%") || take("%") {
                let suffix = String(decoding: self.text(until: close), as: UTF8.self)
                return Array((text.hasSuffix(suffix) ? String(text.dropLast(suffix.count)) : text).utf8)
            }
            if take("/") { return replaced(text) }
            return value
        }

        private mutating func replaced(_ value: String) -> [UInt8] {
            let isEverywhere = take("/")
            let old = String(decoding: text(until: [UInt8(ascii: "/"), UInt8(ascii: "}")]), as: UTF8.self)
            let new = take("/") ? String(decoding: text(until: [UInt8(ascii: "}")]), as: UTF8.self) : ""
            guard !old.isEmpty else { return Array(value.utf8) }
            let parts = value.split(separator: old, maxSplits: isEverywhere ? .max : 1, omittingEmptySubsequences: false)
            return Array(parts.joined(separator: new).utf8)
        }
    }
}
