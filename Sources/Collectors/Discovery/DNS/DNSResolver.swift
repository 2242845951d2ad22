import Glibc
import NIOCore
import NIOPosix
import Settings

/// `/etc/resolv.conf` (resolv.conf(5)).
struct ResolverConfiguration: Sendable, Hashable {
    struct Server: Sendable, Hashable {
        var host: String
        var port = 53
    }

    var servers: [Server] = []
    var search: [String] = []
    /// Names with fewer dots are first looked for in the search domains.
    var dotCountMin = 1
    var timeout = Duration.seconds(5)

    init(servers: [Server]) {
        self.servers = servers
    }

    init(text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" && $0 != ";" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count > 1 else { continue }
            switch words[0] {
            case "nameserver": servers.append(Server(host: words[1]))
            case "domain": search = [words[1]]
            case "search": search = Array(words[1...])
            case "options":
                for option in words[1...] {
                    if option.hasPrefix("ndots:"), let count = Int(option.dropFirst(6)) { dotCountMin = min(max(0, count), 15) }
                    if option.hasPrefix("timeout:"), let seconds = Int(option.dropFirst(8)) {
                        timeout = .seconds(min(max(1, seconds), 30))
                    }
                }
            default: break
            }
        }
        if servers.isEmpty { servers = [Server(host: "127.0.0.1")] }
    }

    static func system(path: String = "/etc/resolv.conf") throws(DiscoveryError) -> ResolverConfiguration {
        do {
            return ResolverConfiguration(text: try ConfigurationFile.text(path: path))
        } catch {
            throw DiscoveryError("could not load resolv.conf: \(error)")
        }
    }

    /// The whole names that a name may stand for, in the order in which they are tried.
    func names(for name: String) -> [String] {
        if name.hasSuffix(".") { return [name] }
        let own = name + "."
        let searched = search.map { domain in name + "." + domain + (domain.hasSuffix(".") ? "" : ".") }
        let dotCount = name.count { $0 == "." }
        return dotCount >= dotCountMin ? [own] + searched : searched + [own]
    }
}

/// Looks records up: over UDP, and over TCP where an answer does not fit.
struct DNSResolver: Sendable {
    let configuration: ResolverConfiguration

    /// The records of the first whole name that exists; none where every server says that no such name does.
    ///
    /// - Throws: ``DiscoveryError`` where it remains open whether there are any: then what was known before is to stay.
    func records(of name: String, type: DNSType) async throws(DiscoveryError) -> [DNSRecord] {
        var failure: DiscoveryError?
        for fullName in configuration.names(for: name) {
            do throws(DiscoveryError) {
                let answer = try await answer(fullName, type)
                if answer.code == 0 { return answer.answer }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw DiscoveryError("could not resolve \(name.debugDescription): \(failure)") }
        return []
    }

    /// The first answer of a server that is one: success, or that there is no such name.
    private func answer(_ name: String, _ type: DNSType) async throws(DiscoveryError) -> DNSMessage {
        var failures: [String] = []
        for server in configuration.servers {
            do throws(DiscoveryError) {
                var answer = try await ask(server, name, type, overTCP: false)
                if answer.isTruncated { answer = try await ask(server, name, type, overTCP: true) }
                // No error, or no such name.
                if answer.code == 0 || answer.code == 3 { return answer }
                throw DiscoveryError("answered with \(answer.codeName)")
            } catch {
                failures.append("\(server.host): \(error)")
            }
        }
        throw DiscoveryError("no server returned a viable answer for \(name): " + failures.joined(separator: "; "))
    }

    private func ask(
        _ server: ResolverConfiguration.Server, _ name: String, _ type: DNSType, overTCP: Bool
    ) async throws(DiscoveryError) -> DNSMessage {
        let id = UInt16.random(in: 0...UInt16.max)
        guard let question = DNSMessage.query(id: id, name: name, type: type, hasExtension: !overTCP) else {
            throw DiscoveryError("\(name.debugDescription) is no name")
        }
        let timeout = configuration.timeout
        do {
            return try await withThrowingTaskGroup(of: DNSMessage.self) { group in
                group.addTask {
                    overTCP
                        ? try await Self.askOverTCP(server, question, id: id) : try await Self.askOverUDP(server, question, id: id)
                }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw DiscoveryError("no answer within \(timeout.seconds) s")
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw DiscoveryError("no answer") }
                return answer
            }
        } catch let error as DiscoveryError {
            throw error
        } catch {
            throw DiscoveryError("\(error)")
        }
    }

    private static func askOverUDP(
        _ server: ResolverConfiguration.Server, _ question: [UInt8], id: UInt16
    ) async throws -> DNSMessage {
        let address = try SocketAddress.makeAddressResolvingHost(server.host, port: server.port)
        return try await DNSExchange.overUDP(question, id: id, to: address).message
    }

    private static func askOverTCP(
        _ server: ResolverConfiguration.Server, _ question: [UInt8], id: UInt16
    ) async throws -> DNSMessage {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: server.host, port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var message = ByteBuffer()
            message.writeInteger(UInt16(question.count))
            message.writeBytes(question)
            try await outbound.write(message)
            var received: [UInt8] = []
            for try await buffer in inbound {
                received += buffer.readableBytesView
                guard received.count >= 2 else { continue }
                let byteCount = Int(received[0]) << 8 | Int(received[1])
                guard received.count >= 2 + byteCount else { continue }
                let answer = try DNSMessage(parsing: Array(received[2..<(2 + byteCount)]))
                guard answer.id == id else { throw DiscoveryError("the answer is to another question") }
                return answer
            }
            throw DiscoveryError("the connection ended before an answer")
        }
    }
}
