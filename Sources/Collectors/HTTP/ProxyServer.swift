import Glibc

/// A proxy by its URL.
struct ProxyServer: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case http
        case https
        case socks5
    }

    var kind: Kind
    var host: String
    var port: Int
    /// nil where it asks for none.
    var username: String?
    var password = ""

    /// nil where `text` names no proxy. Without a scheme it is `http`, as Go has it.
    init?(_ text: String) {
        guard let parts = URLParts(text.contains("://") ? text : "http://" + text) else { return nil }
        switch parts.scheme {
        case "http": (kind, port) = (.http, parts.port ?? 80)
        case "https": (kind, port) = (.https, parts.port ?? 443)
        case "socks5", "socks5h": (kind, port) = (.socks5, parts.port ?? 1080)
        default: return nil
        }
        host = parts.host
        if let credentials = parts.credentials { (username, password) = credentials }
    }

    /// The value of `Proxy-Authorization`.
    var authorization: String? {
        username.map { HTTPAuthorization.basicHeader(username: $0, password: password) }
    }

    /// The URL of its root, to which requests are sent that it passes on.
    var url: String { "\(kind == .https ? "https" : "http")://\(URLParts.bracketed(host)):\(port)" }
}

/// Which proxy a URL is reached through.
struct ProxyChoice: Sendable {
    private var plain: ProxyServer?
    private var secure: ProxyServer?
    private var exceptions: ProxyExceptions?

    /// - Parameter environment: of this process; `HTTP_PROXY` and its companions in capital or small letters.
    init(_ options: ProxyOptions, environment: [String: String]) {
        func variable(_ name: String) -> String {
            environment[name].flatMap { $0.isEmpty ? nil : $0 } ?? environment[name.lowercased()] ?? ""
        }
        if options.isFromEnvironment {
            plain = ProxyServer(variable("HTTP_PROXY"))
            secure = ProxyServer(variable("HTTPS_PROXY"))
            exceptions = ProxyExceptions(variable("NO_PROXY"))
        } else if !options.url.isEmpty {
            plain = ProxyServer(options.url)
            secure = plain
            // Without exceptions even loopback goes through the proxy (net/http, `ProxyURL`).
            exceptions = options.exceptions.isEmpty ? nil : ProxyExceptions(options.exceptions)
        }
    }

    /// nil where the URL is reached directly.
    func server(for url: URLParts) -> ProxyServer? {
        guard let server = url.isSecure ? secure : plain else { return nil }
        if let exceptions, exceptions.match(host: url.host, port: url.effectivePort) { return nil }
        return server
    }
}

/// A `no_proxy`: hosts that are reached without the proxy (golang.org/x/net/http/httpproxy, `Config.NoProxy`).
struct ProxyExceptions: Sendable, Hashable {
    private enum Rule: Hashable {
        case everything
        case network(IPNetwork, port: Int?)
        /// Names that end so; `isExact` tells whether the name itself matches as well.
        case domain(suffix: String, isExact: Bool, port: Int?)
    }

    private var rules: [Rule] = []

    init(_ text: String) {
        for item in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            var name = item.lowercased()
            if name == "*" {
                rules = [.everything]
                return
            }
            if let network = IPNetwork(name) {
                rules.append(.network(network, port: nil))
                continue
            }
            var port: Int?
            if let parts = URLParts("http://" + name), parts.port != nil {
                (name, port) = (parts.host, parts.port)
                if let network = IPNetwork(name) {
                    rules.append(.network(network, port: port))
                    continue
                }
            }
            if name.hasPrefix("*.") { name.removeFirst() }
            let isExact = !name.hasPrefix(".")
            rules.append(.domain(suffix: isExact ? "." + name : name, isExact: isExact, port: port))
        }
    }

    /// Whether a host is reached directly. The machine itself always is.
    func match(host: String, port: Int) -> Bool {
        if host == "localhost" { return true }
        let address = IPNetwork.bytes(of: host)
        if let address, IPNetwork.isLoopback(address) { return true }
        return rules.contains { rule in
            switch rule {
            case .everything: true
            case .network(let network, let only): address.map(network.contains) ?? false && (only ?? port) == port
            case .domain(let suffix, let isExact, let only):
                (("." + host) == suffix && isExact || host.hasSuffix(suffix)) && (only ?? port) == port
            }
        }
    }
}

/// An IP address, or a network of them in CIDR notation.
struct IPNetwork: Sendable, Hashable {
    private var prefix: [UInt8]
    private var bitCount: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = Self.bytes(of: String(parts[0])) else { return nil }
        prefix = bytes
        bitCount = bytes.count * 8
        if parts.count == 2 {
            guard let count = Int(parts[1]), (0...bitCount).contains(count) else { return nil }
            bitCount = count
        }
    }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == prefix.count else { return false }
        for (index, byte) in prefix.enumerated() {
            let bits = min(8, max(0, bitCount - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xff00 >> bits)
            if byte & mask != address[index] & mask { return false }
        }
        return true
    }

    static func isLoopback(_ address: [UInt8]) -> Bool {
        address.count == 4 ? address[0] == 127 : address == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// The 4 or 16 bytes of an address; nil where `text` is none.
    static func bytes(of text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &bytes) == 1 { return bytes }
        bytes = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }
}
