/// A configuration as text again, without its secrets: for people and tools that ask a server how it is set.
extension ConfigurationNode {
    /// Keys whose values are secret wherever they stand, as Prometheus has them (prometheus/common, config, `Secret`).
    private static let secretKeys: Set<String> = [
        "password", "bearer_token", "credentials", "client_secret", "client_certificate_key", "secret_key", "secret", "token", "auth_token", "api_key",
        "application_secret", "application_credential_secret", "consumer_key", "key", "session_token",
    ]

    /// The node in YAML, secrets as `<secret>`, passwords of URLs as `xxxxx`.
    package var yamlWithoutSecrets: String {
        var text = ""
        write(to: &text, indent: 0, isInList: false, isSecret: false)
        return text
    }

    private func write(to text: inout String, indent: Int, isInList: Bool, isSecret: Bool) {
        let margin = String(repeating: " ", count: indent)
        switch content {
        case .null: text += "null\n"
        case .scalar(let value): text += (isSecret && !value.isEmpty ? "<secret>" : Self.quoted(Self.withoutPassword(value))) + "\n"
        case .list(let items):
            if items.isEmpty {
                text += "[]\n"
                return
            }
            for (index, item) in items.enumerated() {
                text += (index == 0 && isInList ? "" : margin) + "- "
                item.write(to: &text, indent: indent + 2, isInList: true, isSecret: isSecret)
            }
        case .mapping(let pairs):
            if pairs.isEmpty {
                text += "{}\n"
                return
            }
            for (index, pair) in pairs.enumerated() {
                let key = (try? pair.key.string) ?? ""
                text += (index == 0 && isInList ? "" : margin) + Self.quoted(key) + ":"
                let isOwnSecret = isSecret || Self.secretKeys.contains(key)
                switch pair.value.content {
                case .list(let items) where !items.isEmpty:
                    text += "\n"
                    pair.value.write(to: &text, indent: indent, isInList: false, isSecret: isOwnSecret)
                case .mapping(let inner) where !inner.isEmpty:
                    text += "\n"
                    pair.value.write(to: &text, indent: indent + 2, isInList: false, isSecret: isOwnSecret)
                default:
                    text += " "
                    pair.value.write(to: &text, indent: 0, isInList: false, isSecret: isOwnSecret)
                }
            }
        }
    }

    /// A URL's password is no secret key's value, but a secret nevertheless.
    private static func withoutPassword(_ value: String) -> String {
        guard let scheme = value.firstRange(of: "://") else { return value }
        let rest = value[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else { return value }
        return value[...colon] + "xxxxx" + value[at...]
    }

    /// A scalar that reads back as the same text; numbers and truth values stay as they are written.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.utf8.allSatisfy { byte in byte > 0x20 && byte < 0x7f }
            && text.unicodeScalars.first.map { !"-?:,[]{}#&*!|>'\"%@`".unicodeScalars.contains($0) } == true
            && !text.contains(": ") && !text.hasSuffix(":") && !text.contains("#")
        if isPlain || text == "-1" { return text }
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), !text.isEmpty { return "'" + text.replacing("'", with: "''") + "'" }
        return text.inYAMLQuotes
    }
}

extension String {
    /// In double quotes, which YAML reads as JSON does, with escapes for what may not stand there.
    package var inYAMLQuotes: String {
        var quoted = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case "\0"..<" ", "\u{7f}":
                let hex = String(scalar.value, radix: 16)
                quoted += "\\x" + (hex.count == 1 ? "0" : "") + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
