/// Targets as they are written: `host:port`, `[address]:port`, `host`, URLs.
enum ProbeTarget {
    /// A host and its port, which must be there.
    static func split(_ target: String) throws(ProbeFailure) -> (host: String, port: Int) {
        guard let (host, port) = hostAndPort(target), let port else {
            throw ProbeFailure("\(target.debugDescription) is no target of the form host:port")
        }
        return (host, port)
    }

    /// A host and the port, if there is one; nil where the text is neither.
    static func hostAndPort(_ target: String) -> (host: String, port: Int?)? {
        if target.hasPrefix("[") {
            guard let end = target.firstIndex(of: "]") else { return nil }
            let host = String(target[target.index(after: target.startIndex)..<end])
            let rest = target[target.index(after: end)...]
            if rest.isEmpty { return (host, nil) }
            guard rest.hasPrefix(":"), let port = number(rest.dropFirst()) else { return nil }
            return (host, port)
        }
        let parts = target.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (target, nil)
        case 2:
            guard let port = number(parts[1]) else { return nil }
            return (String(parts[0]), port)
        // An IPv6 address without brackets has no port.
        default: return ProbeAddress(literal: target) == nil ? nil : (target, nil)
        }
    }

    private static func number(_ text: Substring) -> Int? {
        guard let port = Int(text), (1...65_535).contains(port) else { return nil }
        return port
    }
}

/// The parts of a URL that a probe needs.
struct ProbeURL: Sendable, Hashable {
    var isSecure: Bool
    /// Without brackets.
    var host: String
    /// nil: the scheme's own.
    var port: Int?
    /// Path and query, as they go into the request.
    var target: String
    /// `user:password`, percent-encoded as written.
    var userInfo: String?

    var effectivePort: Int { port ?? (isSecure ? 443 : 80) }

    /// The host with its port, as the header `Host` has it.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(name):\($0)" } ?? name
    }

    /// - Parameter text: a URL; without a scheme it is HTTP's.
    init?(_ text: String) {
        var rest = Substring(text)
        isSecure = false
        let lower = text.lowercased()
        if lower.hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst("https://".count)
        } else if lower.hasPrefix("http://") {
            rest = rest.dropFirst("http://".count)
        } else if text.contains("://") {
            return nil
        }
        // Nothing in it may end a line of the request.
        guard !text.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else { return nil }
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") {
            userInfo = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        guard let parts = ProbeTarget.hostAndPort(String(authority)), !parts.host.isEmpty else { return nil }
        (host, port) = (parts.host, parts.port)
        var path = String(rest[end...].prefix { $0 != "#" })
        if !path.hasPrefix("/") { path = "/" + path }
        target = path
    }

    /// The URL that `Location` names, seen from this one (RFC 3986, 5.2).
    func resolving(_ location: String) -> ProbeURL? {
        if location.contains("://") { return ProbeURL(location) }
        if location.hasPrefix("//") { return ProbeURL((isSecure ? "https:" : "http:") + location) }
        let reference = location.prefix { $0 != "#" }
        guard !reference.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else { return nil }
        var url = self
        let path = target.prefix { $0 != "?" }
        if reference.hasPrefix("/") {
            url.target = String(reference)
        } else if reference.hasPrefix("?") {
            url.target = String(path) + reference
        } else if !reference.isEmpty {
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "/"
            url.target = Self.normalized(folder + reference)
        }
        return url
    }

    private static func normalized(_ target: String) -> String {
        let path = target.prefix { $0 != "?" }
        guard path.contains("/.") else { return target }
        var parts: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, part) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if part == ".." { parts = parts.dropLast() } else if part != "." { parts.append(part) }
            if isLast, part == ".." || part == "." { parts.append("") }
        }
        return "/" + parts.joined(separator: "/") + target.dropFirst(path.count)
    }
}
