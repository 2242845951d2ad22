/// The headers that every answer carries for browsers' sake.
enum SecurityHeaders {
    /// For everything that is no page: nothing may be run, loaded or framed.
    static let strictPolicy = "default-src 'none'; frame-ancestors 'none'"

    static let common: [(name: String, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]

    /// The policy of the web app's page: scripts from this server and the inline import maps with these hashes, nothing inline or
    /// evaluated beside. Styles may be inline, because CodeMirror and GridStack make theirs at run time.
    static func pagePolicy(importMapHashes: [String]) -> String {
        let hashes = importMapHashes.map { " 'sha256-\($0)'" }.joined()
        return "default-src 'none'; script-src 'self'\(hashes); style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            + "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    }
}
