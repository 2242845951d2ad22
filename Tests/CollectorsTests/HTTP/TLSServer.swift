import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// An authority with a server's and a client's certificate, made by `openssl`.
final class TestCertificates: Sendable {
    let folder: ScratchFolder

    var authority: String { folder.path + "/ca.pem" }
    func certificate(_ name: String) -> String { folder.path + "/\(name).pem" }
    func key(_ name: String) -> String { folder.path + "/\(name).key" }

    /// The server's certificate is for the name `shop.test` alone.
    init() throws {
        folder = try ScratchFolder()
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out",
            "ca.pem", "-days", "30", "-subj", "/CN=test authority")
        try issue("server", extensions: "subjectAltName=DNS:shop.test")
        try issue("client", extensions: "extendedKeyUsage=clientAuth")
    }

    private func issue(_ name: String, extensions: String) throws {
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "\(name).key", "-out",
            "\(name).csr", "-subj", "/CN=\(name)")
        try extensions.write(toFile: folder.path + "/\(name).ext", atomically: true, encoding: .utf8)
        try openssl(
            "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
            "-extfile", "\(name).ext", "-out", "\(name).pem")
    }

    func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = folder.url
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw POSIXError(.EIO) }
    }
}

/// An HTTP/1.1 server over TLS on a free loopback port. It answers with what it was asked: `host=… path=…`.
final class TLSServer: Sendable {
    let port: Int
    private let channel: any Channel

    /// - Parameter wantsClientCertificate: connections without one of the authority's are refused.
    init(_ certificates: TestCertificates, wantsClientCertificate: Bool = false) async throws {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.certificate("server")).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.key("server"), format: .pem)))
        if wantsClientCertificate {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(certificates.authority))
        }
        let context = try NIOSSLContext(configuration: configuration)
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(EchoHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func stop() async throws {
        try await channel.close()
    }

    private final class EchoHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let text = "host=\(head.headers.first(name: "Host") ?? "") path=\(head.uri)"
            context.write(
                wrapOutboundOut(
                    .head(HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "\(text.utf8.count)"]))),
                promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// A proxy for CONNECT: it notes the heads that it got, and opens a tunnel.
final class TunnelProxy: Sendable {
    let port: Int
    private let listener: Int32
    private let seen = Mutex<[String]>([])

    var heads: [String] { seen.withLock { $0 } }

    init() throws {
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = try Self.bind(listening)
        listener = listening
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listening, nil, nil)
                guard connection >= 0, let self else { return }
                Thread.detachNewThread { self.serve(connection) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32) {
        var head = ""
        var byte: UInt8 = 0
        while !head.hasSuffix("\r\n\r\n"), recv(connection, &byte, 1, 0) == 1 { head.append(Character(UnicodeScalar(byte))) }
        seen.withLock { $0.append(head) }
        let port = head.split(separator: " ").dropFirst().first?.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        let target = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard Self.connect(target, port: port) else {
            close(connection)
            return
        }
        let answer = "HTTP/1.1 200 OK\r\n\r\n"
        _ = send(connection, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
        Thread.detachNewThread { Self.pump(from: target, to: connection) }
        Self.pump(from: connection, to: target)
    }

    private static func pump(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0, send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(target, Int32(SHUT_RDWR))
    }

    private static func withLoopback<Result>(
        port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Result
    ) -> (Result, UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
        return (result, UInt16(bigEndian: address.sin_port))
    }

    private static func bind(_ socket: Int32) throws -> Int {
        let (isBound, port) = withLoopback(port: 0) { address, length in
            Glibc.bind(socket, address, length) == 0 && listen(socket, 16) == 0 && getsockname(socket, address, &length) == 0
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        return Int(port)
    }

    private static func connect(_ socket: Int32, port: UInt16) -> Bool {
        withLoopback(port: port) { address, length in Glibc.connect(socket, address, length) == 0 }.0
    }
}
