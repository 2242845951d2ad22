import Settings

extension HTTPProbeOptions {
    private static let keys =
        ProbeAddressOptions.keys + [
            "valid_status_codes", "valid_http_versions", "method", "headers", "compression", "no_follow_redirects",
            "fail_if_ssl", "fail_if_not_ssl", "fail_if_body_matches_regexp", "fail_if_body_not_matches_regexp", "fail_if_header_matches",
            "fail_if_header_not_matches", "body", "body_file", "body_size_limit",
        ] + HTTPClientOptions.keys + ["enable_http3", "skip_resolve_phase_with_proxy"]
    /// Known to blackbox exporter, without effect here.
    private static let unsupportedKeys = [
        "oauth2", "proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header", "enable_http2", "enable_http3",
        "skip_resolve_phase_with_proxy",
    ]
    /// A module that relies on these would say that all is well where it is not.
    private static let refusedKeys = ["fail_if_body_json_matches_cel", "fail_if_body_json_not_matches_cel"]

    static func load(
        _ node: ConfigurationNode?, warnings: inout [ConfigurationWarning]
    ) throws(ConfigurationError) -> HTTPProbeOptions {
        var options = HTTPProbeOptions()
        guard let node else { return options }
        let mapping = try node.mapping(keys + refusedKeys)
        for key in refusedKeys {
            if let node = mapping.key(key) { throw node.error("\(key): Apus evaluates no CEL expressions; use fail_if_body_matches_regexp") }
        }
        warnings += mapping.warnings(notActedOn: unsupportedKeys)
        options.address = try ProbeAddressOptions(mapping)
        options.client = try HTTPClientOptions(mapping)
        for code in try mapping["valid_status_codes"]?.list ?? [] { options.validStatusCodes.append(try code.int) }
        options.validVersions = try mapping["valid_http_versions"]?.strings ?? []
        if let node = mapping["method"] { options.method = try method(node) }
        for (key, value) in try mapping["headers"]?.pairs ?? [] { options.headers.append(try header(key, value)) }
        options.body = try mapping["body"]?.string ?? ""
        if let node = mapping["body_file"] {
            guard options.body.isEmpty else { throw node.error("at most one of body and body_file must be configured") }
            options.bodyFile = FileGlob.resolve(try node.nonEmptyString, relativeToFile: node.file)
        }
        if let node = mapping["no_follow_redirects"] { options.client.followRedirects = !(try node.bool) }
        options.failsIfSSL = try mapping["fail_if_ssl"]?.bool ?? false
        options.failsIfNotSSL = try mapping["fail_if_not_ssl"]?.bool ?? false
        options.failIfBodyMatches = try ProbeExpression.list(mapping["fail_if_body_matches_regexp"])
        options.failIfBodyNotMatches = try ProbeExpression.list(mapping["fail_if_body_not_matches_regexp"])
        options.failIfHeaderMatches = try headerMatches(mapping["fail_if_header_matches"])
        options.failIfHeaderNotMatches = try headerMatches(mapping["fail_if_header_not_matches"])
        if let node = mapping["compression"] { options.compression = try node.choice(["gzip", "deflate", "identity", ""]) }
        options.bodyByteCountMax = try mapping["body_size_limit"]?.byteCount ?? 0
        return options
    }

    private static func method(_ node: ConfigurationNode) throws(ConfigurationError) -> String {
        let method = try node.nonEmptyString
        guard method.utf8.allSatisfy(isToken) else { throw node.unexpected("an HTTP method such as GET") }
        return method
    }

    /// Names and values go onto the wire as they are: nothing in them may end a line.
    private static func header(_ key: ConfigurationNode, _ value: ConfigurationNode) throws(ConfigurationError) -> Header {
        let header = Header(name: try key.nonEmptyString, value: try value.string)
        guard header.name.utf8.allSatisfy(isToken) else { throw key.unexpected("the name of a header") }
        guard !header.value.utf8.contains(where: { $0 < 32 && $0 != 9 }) else { throw value.unexpected("a header's value on one line") }
        return header
    }

    private static func isToken(_ byte: UInt8) -> Bool { byte > 32 && byte < 127 && !"\"(),/:;<=>?@[\\]{}".utf8.contains(byte) }

    private static func headerMatches(_ node: ConfigurationNode?) throws(ConfigurationError) -> [HeaderMatch] {
        var matches: [HeaderMatch] = []
        for item in try node?.list ?? [] {
            let mapping = try item.mapping(["header", "regexp", "allow_missing"])
            matches.append(
                HeaderMatch(
                    name: try mapping.required("header").nonEmptyString, expression: try ProbeExpression(try mapping.required("regexp")),
                    allowsMissing: try mapping["allow_missing"]?.bool ?? false))
        }
        return matches
    }
}
