import Foundation
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Collectors

/// A name server on a free loopback port, over UDP and TCP.
final class NameServer: Sendable {
    let port: Int
    private let sockets: [Int32]
    /// The questions so far: `udp www.test. 1`.
    let questions = Mutex<[String]>([])

    /// - Parameter answer: code and records of a name, or nil to say nothing.
    init(_ answer: @escaping @Sendable (_ name: String, _ type: Int, _ isTCP: Bool) -> (flags: UInt16, records: [[UInt8]])?) throws {
        let udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        sockets = [udp, tcp]
        var bound = 0
        // The same port for both: another process may hold one of them.
        for _ in 0..<50 where bound == 0 {
            guard let port = Self.bind(udp, 0), Self.bind(tcp, port) == port, listen(tcp, 8) == 0 else { continue }
            bound = Int(port)
        }
        guard bound != 0 else { throw POSIXError(.EADDRINUSE) }
        port = bound
        Thread.detachNewThread { [weak self] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            var address = sockaddr_in()
            while true {
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                let count = withUnsafeMutablePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(udp, &buffer, 4096, 0, $0, &length) }
                }
                guard count > 0, let self else { return }
                guard let reply = self.reply(Array(buffer[..<count]), isTCP: false, answer) else { continue }
                _ = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(udp, reply, reply.count, 0, $0, length) }
                }
            }
        }
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(tcp, nil, nil)
                guard connection >= 0, let self else { return }
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = recv(connection, &buffer, 4096, 0)
                if count > 2, let reply = self.reply(Array(buffer[2..<count]), isTCP: true, answer) {
                    let whole = [UInt8(reply.count >> 8), UInt8(reply.count & 255)] + reply
                    // In two pieces, as networks do.
                    _ = send(connection, whole, 5, 0)
                    _ = whole[5...].withUnsafeBytes { send(connection, $0.baseAddress, $0.count, 0) }
                }
                close(connection)
            }
        }
    }

    deinit {
        for socket in sockets {
            shutdown(socket, Int32(SHUT_RDWR))
            close(socket)
        }
    }

    private static func bind(_ socket: Int32, _ port: UInt16) -> UInt16? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }

    private func reply(
        _ question: [UInt8], isTCP: Bool, _ answer: (String, Int, Bool) -> (flags: UInt16, records: [[UInt8]])?
    ) -> [UInt8]? {
        var (name, offset) = ("", 12)
        while question[offset] != 0 {
            let length = Int(question[offset])
            name += String(decoding: question[(offset + 1)...(offset + length)], as: UTF8.self) + "."
            offset += length + 1
        }
        let type = Int(question[offset + 2])
        questions.withLock { $0.append("\(isTCP ? "tcp" : "udp") \(name) \(type)") }
        guard let (flags, records) = answer(name, type, isTCP) else { return nil }
        let head = question[..<2] + [UInt8(0x80 | (flags >> 8)), UInt8(flags & 255), 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
        return Array(head) + question[12..<(offset + 5)] + records.flatMap { $0 }
    }

    /// A record whose name points at the question's.
    static func record(_ type: UInt8, _ data: [UInt8]) -> [UInt8] {
        [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
    }

    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}

@Suite("DNSDiscovery")
struct DNSDiscoveryTests {
    private static let server = "__meta_dns_srv_record_"

    private func targets(_ server: NameServer, _ yaml: String, search: [String] = []) async throws -> [Labels] {
        try await DiscoveryBench.targets("dns_sd_configs: [\(yaml)]") { context in
            var configuration = ResolverConfiguration(servers: [.init(host: "127.0.0.1", port: server.port)])
            configuration.search = search
            configuration.timeout = .seconds(5)
            let fixed = configuration
            context.resolver = { () throws(DiscoveryError) in fixed }
        }
    }

    @Test("SRV records bring host and port; an answer that does not fit comes over TCP")
    func srv() async throws {
        let server = try NameServer { _, type, isTCP in
            guard isTCP else { return (0x0200, []) }
            let records = ["a.test", "b.test"].map { NameServer.record(33, [0, 1, 0, 2, 0x1f, 0x90] + NameServer.name($0)) }
            return (type == 33 ? 0 : 3, records)
        }
        let targets = try await targets(server, "{names: [_http._tcp.test]}")
        #expect(targets == ["a", "b"].map { name in
            Labels([
                "__address__": "\(name).test:8080", "__meta_dns_name": "_http._tcp.test", Self.server + "target": "\(name).test.",
                Self.server + "port": "8080",
            ])
        })
        #expect(server.questions.withLock { $0 } == ["udp _http._tcp.test. 33", "tcp _http._tcp.test. 33"])
    }

    @Test("A, AAAA, MX and NS records get the configured port; aliases are passed over")
    func others() async throws {
        let server = try NameServer { _, type, _ in
            switch type {
            case 1: (0, [NameServer.record(5, NameServer.name("x.test")), NameServer.record(1, [192, 0, 2, 1])])
            case 28: (0, [NameServer.record(28, [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1])])
            // The name goes on where the question's does.
            case 15: (0, [NameServer.record(15, [0, 10, 4] + Array("mail".utf8) + [0xc0, 12])])
            default: (0, [NameServer.record(2, NameServer.name("ns.test"))])
            }
        }
        func one(_ type: String) async throws -> Labels? { try await targets(server, "{names: [www.test], type: \(type), port: 9}").first }
        #expect(try await one("A") == Labels(["__address__": "192.0.2.1:9", "__meta_dns_name": "www.test"]))
        #expect(try await one("AAAA")?["__address__"] == "[2001:db8::1]:9")
        #expect(
            try await one("MX")
                == Labels([
                    "__address__": "mail.www.test:9", "__meta_dns_name": "www.test", "__meta_dns_mx_record_target": "mail.www.test.",
                ]))
        #expect(try await one("ns")?["__meta_dns_ns_record_target"] == "ns.test.")
    }

    @Test("short names are looked for in the search domains; the first that exists counts")
    func search() async throws {
        let server = try NameServer { name, _, _ in name == "db.b.test." ? (0, [NameServer.record(1, [192, 0, 2, 7])]) : (3, []) }
        let targets = try await targets(server, "{names: [db], type: A, port: 1}", search: ["a.test", "b.test"])
        #expect(targets.map { $0["__address__"] } == ["192.0.2.7:1"])
        #expect(server.questions.withLock { $0 } == ["udp db.a.test. 1", "udp db.b.test. 1"])
    }

    @Test("a server that fails leaves the targets as they were; that a name does not exist takes them away")
    func failing() async throws {
        let mode = Box("good")
        let server = try NameServer { _, _, _ in
            switch mode.value {
            case "good": (0, [NameServer.record(1, [192, 0, 2, 1])])
            case "failing": (2, [])
            default: (3, [])
            }
        }
        try await DiscoveryBench.run("dns_sd_configs: [{names: [a.test], type: A, port: 1, refresh_interval: 50ms}]") { context in
            let port = server.port
            context.resolver = { () throws(DiscoveryError) in ResolverConfiguration(servers: [.init(host: "127.0.0.1", port: port)]) }
        } _: { manager in
            try await until { manager.addresses == ["192.0.2.1:1"] }
            mode.value = "failing"
            try await until { manager.statuses().first?.lastError?.contains("answered with SERVFAIL") == true }
            #expect(manager.addresses == ["192.0.2.1:1"])
            mode.value = "gone"
            try await until { manager.addresses.isEmpty }
            #expect(manager.statuses().first?.lastError == nil)
        }
    }

    @Test("resolv.conf tells servers, search domains and how many dots make a whole name")
    func resolverConfiguration() {
        let configuration = ResolverConfiguration(
            text: "# comment\nnameserver 192.0.2.1\nnameserver 2001:db8::1 ; second\nsearch a.test b.test\noptions ndots:2 timeout:3\n")
        #expect(configuration.servers.map(\.host) == ["192.0.2.1", "2001:db8::1"])
        #expect(configuration.timeout == .seconds(3))
        #expect(configuration.names(for: "x.y") == ["x.y.a.test.", "x.y.b.test.", "x.y."])
        #expect(configuration.names(for: "x.y.z") == ["x.y.z.", "x.y.z.a.test.", "x.y.z.b.test."])
        #expect(configuration.names(for: "x.") == ["x."])
    }

    @Test("a server whose port is closed is told at once from one that says nothing")
    func refused() async throws {
        let port = try NameServer { _, _, _ in nil }.port
        let resolver = DNSResolver(configuration: ResolverConfiguration(servers: [.init(host: "127.0.0.1", port: port)]))
        await #expect { try await resolver.records(of: "a.test", type: .a) } throws: { "\($0)".contains("connection refused") }
    }

    @Test("every truncation and every flipped bit of an answer is an error or an answer, never a crash")
    func damaged() throws {
        let question = try #require(DNSMessage.query(id: 7, name: "www.test.", type: .mx, hasExtension: true))
        #expect(question.count == 12 + 10 + 4 + 11)
        var answer = Array(question[..<2]) + [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + question[12..<26]
        answer += NameServer.record(15, [0, 10, 4] + Array("mail".utf8) + [0xc0, 12])
        #expect(try DNSMessage(parsing: answer).answer.map(\.host) == ["mail.www.test."])
        for count in 0..<answer.count { #expect(throws: DNSError.self) { try DNSMessage(parsing: Array(answer[..<count])) } }
        for bit in 0..<(answer.count * 8) {
            var damaged = answer
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            _ = try? DNSMessage(parsing: damaged)
        }
        // A name that points at itself.
        answer[answer.count - 1] = UInt8(answer.count - 2)
        #expect(try DNSMessage(parsing: answer).answer.map(\.host) == [nil])
        #expect(DNSMessage.query(id: 1, name: String(repeating: "a", count: 64), type: .a) == nil)
    }
}
