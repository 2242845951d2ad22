import Web

/// The web app at `/`: its files, and its page for every path of its own.
struct WebRoutes {
    /// nil where no folder was found: then `/` says how to get one.
    let folder: WebFolder?

    var routes: [Route] {
        [.get("/{path...}", scope: nil, errors: .text) { try answer($0) }]
    }

    /// The first names of paths that are APIs: what is not found there is no page of the app.
    private static let apis: Set<String> = [
        "api", "loki", "elasticsearch", "insert", "v1", "otlp", "pyroscope", "querier.v1.QuerierService", "-", "metrics", "alertmanager",
    ]

    private func answer(_ call: Call) throws -> Answer {
        guard let folder else {
            throw APIError(.notFound, "the web app's files were not found: name their folder with --web-dir or APUS_WEB_DIR; the APIs work without")
        }
        let path = call.captures.first ?? ""
        let first = path.prefix { $0 != "/" }
        guard !Self.apis.contains(String(first)) else { throw APIError(.notFound, "there is nothing at \(call.path.prefix(256))") }
        if let file = folder.file(path), !file.isPage { return send(file, to: call, isVendor: first == "vendor") }
        // A path that ends like a file names one; any other is a place within the app, whose service names may have dots.
        let last = path.split(separator: "/").last ?? ""
        guard !MediaTypes.isKnown(last) || last.hasSuffix(".html"), !path.contains("\\"), let page = folder.page else {
            throw APIError(.notFound, "there is nothing at \(call.path.prefix(256))")
        }
        // Without its libraries the page would stay blank.
        let missing = folder.missingLibraries
        guard missing.isEmpty else {
            throw APIError(.unavailable, "the web app lacks \(missing.joined(separator: ", ")): \(WebApp.remedy)")
        }
        return send(page, to: call, isVendor: false)
    }

    private func send(_ file: WebFolder.File, to call: Call, isVendor: Bool) -> Answer {
        var headers: [(name: String, value: String)] = [
            ("ETag", file.entityTag),
            // Everything is asked for again, which costs an empty 304: an upgrade shows at once. Vendored libraries may wait a day.
            ("Cache-Control", isVendor ? "public, max-age=86400" : "no-cache"),
        ]
        if file.isPage {
            headers.append(("Content-Security-Policy", SecurityHeaders.pagePolicy(importMapHashes: file.importMapHashes)))
        }
        if let known = call.headers["if-none-match"], known.split(separator: ",").contains(where: { matches($0.trimmed, file.entityTag) }) {
            return Answer(status: 304, contentType: "", headers: headers)
        }
        var answer = Answer(contentType: file.contentType, headers: headers, body: file.bytes)
        answer.mayCompress = false
        if let gzip = file.gzip {
            answer.headers.append(("Vary", "Accept-Encoding"))
            if AcceptEncoding.allowsGzip(call.headers["accept-encoding"]) {
                answer.headers.append(("Content-Encoding", "gzip"))
                answer.body = gzip
            }
        }
        return answer
    }

    private func matches(_ candidate: String, _ tag: String) -> Bool {
        candidate == "*" || candidate == tag || candidate == "W/" + tag
    }
}
