/// Guards against requests that another web site makes a browser send.
enum Origin {
    /// Refuses a request that may change something when a browser says that it comes from another origin. Clients that are no browser
    /// send none of these headers; a bearer token is itself proof, because no other site knows it.
    static func check(method: Method, headers: [String: String]) throws(APIError) {
        if method.isSafe || headers["authorization"] != nil { return }
        if let site = headers["sec-fetch-site"], site != "same-origin", site != "none" {
            throw APIError(.forbidden, "this request comes from another web site (Sec-Fetch-Site: \(site.prefix(32)))")
        }
        if let origin = headers["origin"] {
            let host = headers["host"] ?? ""
            guard origin == "http://\(host)" || origin == "https://\(host)" else {
                throw APIError(.forbidden, "this request comes from another web site (Origin: \(origin.prefix(128)))")
            }
        }
    }

    /// Refuses a `Host` that is neither loopback nor configured: where no token is asked for, a web site whose name is made to point
    /// at 127.0.0.1 (DNS rebinding) could read everything.
    static func checkHost(_ field: String?, allowed: [String]) throws(APIError) {
        guard let field else { return }
        let name = hostName(field)
        if isLoopback(name) || allowed.contains(where: { $0.lowercased() == name }) { return }
        throw APIError(
            .misdirected,
            "no tokens are configured, so only loopback names are answered, not \"\(name.prefix(128))\": add it to hosts in apus.yaml")
    }

    /// The name in `name:port`, lower case and without brackets.
    static func hostName(_ field: String) -> String {
        var name = field[...]
        if name.hasPrefix("["), let end = name.firstIndex(of: "]") {
            name = name[name.index(after: name.startIndex)..<end]
        } else if let colon = name.lastIndex(of: ":"), name.firstIndex(of: ":") == colon {
            name = name[..<colon]
        }
        return name.lowercased()
    }

    /// Whether a host name or address means this machine alone.
    static func isLoopback(_ name: String) -> Bool {
        if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
