/// Media types of the files that a web app consists of.
enum MediaTypes {
    private static let types: [String: (name: String, isCompressible: Bool)] = [
        "html": ("text/html; charset=utf-8", true), "js": ("text/javascript; charset=utf-8", true),
        "mjs": ("text/javascript; charset=utf-8", true), "css": ("text/css; charset=utf-8", true), "json": ("application/json", true),
        "map": ("application/json", true), "svg": ("image/svg+xml", true), "txt": ("text/plain; charset=utf-8", true),
        "webmanifest": ("application/manifest+json", true), "png": ("image/png", false), "ico": ("image/x-icon", false),
        "webp": ("image/webp", false), "woff2": ("font/woff2", false),
    ]

    /// Whether the path ends like a file of a web app.
    static func isKnown(_ path: some StringProtocol) -> Bool {
        guard let dot = path.lastIndex(of: ".") else { return false }
        return types[path[path.index(after: dot)...].lowercased()] != nil
    }

    static func type(ofPath path: String) -> (name: String, isCompressible: Bool) {
        guard let dot = path.lastIndex(of: ".") else { return ("application/octet-stream", false) }
        return types[path[path.index(after: dot)...].lowercased()] ?? ("application/octet-stream", false)
    }
}
