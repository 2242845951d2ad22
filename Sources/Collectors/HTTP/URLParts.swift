/// An HTTP URL cut into what decides about its connection (RFC 3986, section 3). Nothing is decoded but the user's part.
struct URLParts: Sendable, Hashable {
    /// In lower case.
    var scheme: String
    /// `user` or `user:password`, as written; empty where there is none.
    var userInfo: String
    /// In lower case, IPv6 addresses without brackets.
    var host: String
    /// nil means the scheme's own.
    var port: Int?
    /// Path and query, at least `/`; the fragment is left out.
    var target: String

    /// nil where `text` is no absolute URL with a host.
    init?(_ text: String) {
        guard let colon = text.firstRange(of: "://"), colon.lowerBound > text.startIndex else { return nil }
        scheme = text[..<colon.lowerBound].lowercased()
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let after = rest[authority.endIndex...]
        target = after.isEmpty ? "/" : after.hasPrefix("?") ? "/" + after : String(after)

        var place = authority
        userInfo = ""
        if let at = authority.lastIndex(of: "@") {
            userInfo = String(authority[..<at])
            place = authority[authority.index(after: at)...]
        }
        let portText: Substring
        if place.hasPrefix("[") {
            guard let end = place.firstIndex(of: "]") else { return nil }
            host = place[place.index(after: place.startIndex)..<end].lowercased()
            portText = place[place.index(after: end)...]
        } else {
            let name = place.prefix { $0 != ":" }
            host = name.lowercased()
            portText = place[name.endIndex...]
        }
        guard !host.isEmpty else { return nil }
        if portText.isEmpty || portText == ":" {
            port = nil
        } else {
            guard portText.first == ":", let number = UInt16(portText.dropFirst()) else { return nil }
            port = Int(number)
        }
    }

    var isSecure: Bool { scheme == "https" }

    var effectivePort: Int { port ?? (isSecure ? 443 : 80) }

    /// Host and, where it is not the scheme's own, port: the value of the header `Host`.
    var authority: String { Self.bracketed(host) + (port.map { ":\($0)" } ?? "") }

    /// User and password, decoded; nil where there is no user.
    var credentials: (username: String, password: String)? {
        guard !userInfo.isEmpty else { return nil }
        let parts = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return (PercentEncoding.decode(parts[0]), parts.count > 1 ? PercentEncoding.decode(parts[1]) : "")
    }

    /// The URL without its user.
    var text: String { "\(scheme)://\(authority)\(target)" }

    static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    /// Where a `Location` leads from here (RFC 3986, section 5.2); nil where that is no HTTP URL.
    func resolving(_ location: String) -> URLParts? {
        if location.hasPrefix("//") { return URLParts("\(scheme):\(location)") }
        if let colon = location.firstRange(of: "://"), !location[..<colon.lowerBound].contains("/") {
            guard let parts = URLParts(location), parts.scheme == "http" || parts.scheme == "https" else { return nil }
            return parts
        }
        var result = self
        let reference = String(location.prefix { $0 != "#" })
        let path = target.prefix { $0 != "?" }
        if reference.hasPrefix("/") {
            result.target = reference
        } else if reference.hasPrefix("?") {
            result.target = path + reference
        } else if !reference.isEmpty {
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
            result.target = folder + reference
        }
        result.target = Self.withoutDots(result.target)
        return result
    }

    /// The path without `.` and `..` (RFC 3986, section 5.2.4); the query stays as it is.
    private static func withoutDots(_ target: String) -> String {
        let path = target.prefix { $0 != "?" }
        guard path.contains("/.") else { return target }
        var segments: [Substring] = []
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch segment {
            case ".": if isLast { segments.append("") }
            case "..":
                _ = segments.popLast()
                if isLast { segments.append("") }
            default: segments.append(segment)
            }
        }
        return "/" + segments.joined(separator: "/") + target[path.endIndex...]
    }
}
