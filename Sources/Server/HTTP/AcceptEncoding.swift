/// The `Accept-Encoding` field (RFC 9110, section 12.5.3).
enum AcceptEncoding {
    /// Whether the client takes gzip: named, or by `*`, and not with weight 0.
    static func allowsGzip(_ field: String?) -> Bool {
        guard let field else { return false }
        var isAnyAllowed = false
        for item in field.split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.trimmed.lowercased() }
            guard let coding = parts.first else { continue }
            let isRefused = parts.dropFirst().contains { part in
                guard part.hasPrefix("q=") else { return false }
                return Double(part.dropFirst(2)) == 0
            }
            if coding == "gzip" { return !isRefused }
            if coding == "*" { isAnyAllowed = !isRefused }
        }
        return isAnyAllowed
    }
}
