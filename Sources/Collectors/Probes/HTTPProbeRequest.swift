import Codecs
import NIOHTTP1
import Settings

/// What is asked: changed by redirects as browsers do.
struct HTTPProbeRequest {
    private let options: HTTPProbeOptions
    private let hostHeader: String?
    private var method: HTTPMethod
    private var hasBody: Bool

    /// - Parameter hostHeader: what the parameter `hostname` says; it wins over the module's header.
    init(_ options: HTTPProbeOptions, hostHeader: String?) {
        self.options = options
        self.hostHeader = hostHeader
        method = HTTPMethod(rawValue: options.method)
        hasBody = !options.body.isEmpty || options.bodyFile != nil
    }

    /// Go's rule (net/http, `redirectBehavior`): after 301, 302 and 303 only GET and HEAD stay what they are, and nothing is sent again.
    mutating func redirected(by status: UInt) {
        guard [301, 302, 303].contains(status) else { return }
        if method != .GET, method != .HEAD { method = .GET }
        hasBody = false
    }

    func body() throws(ProbeFailure) -> [UInt8] {
        guard hasBody else { return [] }
        guard let path = options.bodyFile else { return Array(options.body.utf8) }
        do throws(SystemFileError) {
            return try SystemFile.read(path)
        } catch {
            throw ProbeFailure("body_file: \(error)")
        }
    }

    /// - Parameter isFirstHost: whether the request goes to the target; what is meant for it is told to nobody else.
    func head(_ url: ProbeURL, isFirstHost: Bool) throws -> HTTPRequestHead {
        var headers = HTTPHeaders()
        for header in options.headers where header.name.lowercased() != "host" { headers.add(name: header.name, value: header.value) }
        for header in options.client.headers {
            for value in header.values { headers.add(name: header.name, value: try value.text) }
        }
        let configuredHost = hostHeader ?? options.headers.first { $0.name.lowercased() == "host" }?.value
        headers.replaceOrAdd(name: "Host", value: isFirstHost ? configuredHost ?? url.authority : url.authority)
        if !headers.contains(name: "User-Agent") { headers.add(name: "User-Agent", value: "Apus") }
        if isFirstHost, !headers.contains(name: "Authorization") {
            if let authorization = try options.client.authorization.header {
                headers.add(name: "Authorization", value: authorization)
            } else if let userInfo = url.userInfo {
                headers.add(name: "Authorization", value: "Basic " + Base64.encode(Array(Self.decoded(userInfo).utf8)))
            }
        }
        if !isFirstHost {
            for name in ["Authorization", "Cookie", "WWW-Authenticate"] { headers.remove(name: name) }
        }
        if !options.compression.isEmpty, !headers.contains(name: "Accept-Encoding") {
            headers.add(name: "Accept-Encoding", value: options.compression)
        }
        let count = try body().count
        if count > 0 || method == .POST || method == .PUT { headers.replaceOrAdd(name: "Content-Length", value: String(count)) }
        headers.replaceOrAdd(name: "Connection", value: "close")
        return HTTPRequestHead(version: .http1_1, method: method, uri: url.target, headers: headers)
    }

    private static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2 {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
