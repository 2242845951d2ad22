package import Codecs

/// One request as a route sees it: read, authenticated, its body in memory but still as it came.
package struct Call: Sendable {
    package var method: Method
    /// The path without the query, percent-encoded as it came.
    package var path: String
    /// The values of the pattern's `{…}` in order, percent-decoded once.
    package var captures: [String] = []
    /// The parameters of the URL; ``form()`` has those of the body too.
    package var query: FormParameters
    /// Lower-case names; of a header that came twice, the first.
    package var headers: [String: String]
    package var body: [UInt8]
    /// Bytes that a body may have once decompressed.
    package var bodyByteCountMax: Int
    package var principal: Principal
    /// Tells when the client has gone.
    package var connection: ConnectionWatch.Connection

    package init(
        method: Method, path: String, query: FormParameters = FormParameters(), headers: [String: String] = [:], body: [UInt8] = [],
        bodyByteCountMax: Int = 64 << 20, principal: Principal = .open, connection: ConnectionWatch.Connection = .none
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.bodyByteCountMax = bodyByteCountMax
        self.principal = principal
        self.connection = connection
    }

    /// The media type of the body without its parameters, lower case; "" where none is given.
    package var mediaType: String {
        let field = headers["content-type"] ?? ""
        let type = field.prefix { $0 != ";" && $0 != "," }
        return type.trimmed.lowercased()
    }

    /// The body, decompressed as `Content-Encoding` says.
    ///
    /// - Parameter assumed: the compression of a body without that header.
    /// - Throws: ``APIError``: 415 for an encoding that is not known, 413 over the limit, 400 for a damaged body.
    package func decodedBody(assumed: Compression = .identity) throws(APIError) -> [UInt8] {
        var compression = assumed
        if let field = headers["content-encoding"]?.trimmed.lowercased(), !field.isEmpty {
            guard let named = Compression.named(contentEncoding: field) else {
                throw APIError(.unsupportedEncoding, "unsupported Content-Encoding \"\(field)\": send identity, gzip, deflate, zstd or snappy")
            }
            compression = named
        }
        if compression == .identity { return body }
        do {
            return try compression.decompress(body.span, byteCountMax: bodyByteCountMax)
        } catch {
            throw APIError(error)
        }
    }

    /// The parameters of the URL and, of a form sent by POST or PUT, those of the body; the body's come first, as in Go's `ParseForm`.
    package func form() throws(APIError) -> FormParameters {
        guard method == .post || method == .put, mediaType == "application/x-www-form-urlencoded" else { return query }
        guard body.count <= Limits.formByteCountMax else {
            throw APIError(.tooLarge, "the form is larger than \(Limits.formByteCountMax) bytes")
        }
        var parameters = try FormParameters(body)
        parameters.append(query)
        return parameters
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
