import Settings

/// A configuration's text as others may see it: `<secret>` where Prometheus shows that, too.
enum SecretRedaction {
    private static let replacement = "<secret>"
    /// Keys whose values are secrets (the fields of type `Secret` in Prometheus' configuration).
    private static let secretKeys: Set<String> = [
        "password", "bearer_token", "credentials", "client_secret", "client_certificate_key", "secret_key", "secret", "token",
        "secrets", "proxy_connect_header", "application_credential_secret", "auth_token",
    ]
    /// Keys below which names are the user's own.
    private static let freeKeys: Set<String> = ["labels", "external_labels", "params", "endpoint_params", "node_meta", "values"]
    private static let urlKeys: Set<String> = ["url", "proxy_url", "api_server", "server"]

    /// A scalar to be replaced.
    private struct Place {
        var line: Int
        var column: Int
        var value: String
        /// Only the password of a URL.
        var isURL: Bool
    }

    static func redact(_ text: String, _ root: ConfigurationNode) -> String {
        var places: [Place] = []
        collect(root, key: "", isSecret: false, into: &places)
        guard !places.isEmpty else { return text }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
        // From the end: a replacement moves what stands behind it, and blocks take their lines with them.
        for place in places.sorted(by: { ($0.line, $0.column) > ($1.line, $1.column) }) { replace(place, in: &lines) }
        return lines.map { line in
            var text = String.UnicodeScalarView()
            text.append(contentsOf: line)
            return String(text)
        }.joined(separator: "\n")
    }

    private static func collect(_ node: ConfigurationNode, key: String, isSecret: Bool, into places: inout [Place]) {
        switch node.content {
        case .null: break
        case .scalar(let value):
            let isURL = !isSecret && urlKeys.contains(key) && password(in: value) != nil
            if isSecret && !value.isEmpty || isURL {
                places.append(Place(line: node.line, column: node.column, value: value, isURL: isURL))
            }
        case .list(let items):
            for item in items { collect(item, key: key, isSecret: isSecret, into: &places) }
        case .mapping(let pairs):
            for (name, value) in pairs {
                guard case .scalar(let text) = name.content, !freeKeys.contains(text) else { continue }
                let isKey = text == "key" && key == "tls_config"
                collect(value, key: text, isSecret: isSecret || secretKeys.contains(text) || isKey, into: &places)
            }
        }
    }

    private static func replace(_ place: Place, in lines: inout [[Unicode.Scalar]]) {
        let index = place.line - 1
        guard lines.indices.contains(index) else { return }
        let start = min(max(0, place.column - 1), lines[index].count)
        let rest = lines[index][start...]
        let value = Array(place.value.unicodeScalars)
        if place.isURL, let secret = password(in: place.value) {
            guard let found = range(of: Array(secret.unicodeScalars), in: rest) else { return }
            lines[index].replaceSubrange(found, with: Array("xxxxx".unicodeScalars))
            return
        }
        if rest.starts(with: value) {
            lines[index].replaceSubrange(start..<(start + value.count), with: Array(replacement.unicodeScalars))
        } else if let quote = rest.first, quote == "'" || quote == "\"", let end = closing(quote, rest) {
            lines[index].replaceSubrange(start...end, with: Array(replacement.unicodeScalars))
        } else {
            // Over several lines: they go, as far as they are indented deeper than the line that begins them.
            lines[index].replaceSubrange(start..., with: Array(replacement.unicodeScalars))
            let depth = lines[index].prefix { $0 == " " || $0 == "-" }.count
            while index + 1 < lines.count, isBlank(lines[index + 1]) || lines[index + 1].prefix(while: { $0 == " " }).count > depth {
                lines.remove(at: index + 1)
            }
        }
    }

    private static func isBlank(_ line: [Unicode.Scalar]) -> Bool { line.allSatisfy { $0 == " " || $0 == "\t" || $0 == "\r" } }

    /// Where a quoted scalar ends on its line.
    private static func closing(_ quote: Unicode.Scalar, _ text: ArraySlice<Unicode.Scalar>) -> Int? {
        var index = text.startIndex + 1
        while index < text.endIndex {
            if quote == "\"", text[index] == "\\" {
                index += 2
                continue
            }
            if text[index] == quote {
                // Two single quotes stand for one.
                guard quote == "'", index + 1 < text.endIndex, text[index + 1] == quote else { return index }
                index += 1
            }
            index += 1
        }
        return nil
    }

    private static func range(of part: [Unicode.Scalar], in text: ArraySlice<Unicode.Scalar>) -> Range<Int>? {
        guard !part.isEmpty, text.count >= part.count else { return nil }
        // The password stands behind the user's colon: the last place before the `@`.
        for start in stride(from: text.endIndex - part.count, through: text.startIndex, by: -1)
        where text[start...].starts(with: part) && start + part.count < text.endIndex && text[start + part.count] == "@" {
            return start..<(start + part.count)
        }
        return nil
    }

    /// The password of `http://user:password@host`.
    private static func password(in url: String) -> String? {
        guard let info = URLParts(url)?.userInfo, let colon = info.firstIndex(of: ":") else { return nil }
        let password = String(info[info.index(after: colon)...])
        return password.isEmpty ? nil : password
    }
}
