import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Telemetry

/// Listens for syslog messages over TCP (perhaps TLS) or UDP. Senders get no answer: lines wait in their connection while they
/// cannot be kept.
final class SyslogSource: LogSource {
    private let settings: PromtailSyslog
    private let context: SourceContext
    private let didListen: @Sendable (Int) -> Void
    private let names = HostNames()

    var title: String { "syslog of job \(context.job)" }

    /// - Parameter didListen: told the port once it is open.
    init(_ settings: PromtailSyslog, context: SourceContext, didListen: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.settings = settings
        self.context = context
        self.didListen = didListen
    }

    /// The source of a job that has one.
    static func make(_ job: PromtailJob, _ context: SourceContext) -> [(key: String, source: any LogSource)] {
        job.syslog.map { [("syslog", SyslogSource($0, context: context))] } ?? []
    }

    func run() async throws {
        let (host, port) = try Self.address(settings.listenAddress)
        switch settings.transport {
        case .tcp: try await listen(host, port)
        case .udp: try await receive(host, port)
        }
    }

    /// `host:port`, `:port` for every address, `[::1]:port`.
    static func address(_ text: String) throws -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port) else {
            throw SourceError("the listen address '\(text)' is no HOST:PORT")
        }
        let host = text[..<colon].filter { $0 != "[" && $0 != "]" }
        return (host.isEmpty ? "0.0.0.0" : String(host), port)
    }

    // MARK: TCP

    private func listen(_ host: String, _ port: Int) async throws {
        let tls = try settings.tls.map { try Self.tlsContext($0) }
        let idle = TimeAmount.nanoseconds(Int64(clamping: settings.idleTimeout.components.seconds) * 1_000_000_000)
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    if idle > .zero {
                        try channel.pipeline.syncOperations.addHandlers(IdleStateHandler(readTimeout: idle), IdleCloser())
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        didListen(server.channel.localAddress?.port ?? port)
        context.logger.info("Listening for syslog", metadata: ["address": .string(settings.listenAddress), "transport": "tcp"])
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { await self.serve(connection) }
                }
            }
        }
    }

    private func serve(_ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        let peer = connection.channel.remoteAddress?.ipAddress ?? ""
        let name = await names.name(of: peer)
        let pump = context.pump()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pump.flushUntilCancelled() }
            var framing = SyslogFraming(byteCountMax: settings.messageByteCountMax)
            var frames: [SyslogFraming.Frame] = []
            do {
                try await connection.executeThenClose { inbound, _ in
                    for try await buffer in inbound {
                        let isUnderstood = framing.feed(buffer.readableBytesView, into: &frames)
                        await pump.push(records(frames, pump, peer, name))
                        frames = []
                        if !isUnderstood {
                            reportMalformed("no message begins with such bytes: expected < or a length", peer)
                            break
                        }
                    }
                }
            } catch {
                context.logger.debug("A syslog connection has ended", metadata: ["peer": .string(peer), "error": "\(error)"])
            }
            framing.finish(into: &frames)
            await pump.push(records(frames, pump, peer, name))
            await pump.finish()
            group.cancelAll()
        }
    }

    private static func tlsContext(_ settings: PromtailTLS) throws -> NIOSSLContext {
        func certificates(_ file: String, _ text: String) throws -> [NIOSSLCertificate] {
            file.isEmpty ? try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)) : try NIOSSLCertificate.fromPEMFile(file)
        }
        let key =
            settings.keyFile.isEmpty
            ? try NIOSSLPrivateKey(bytes: Array(settings.key.utf8), format: .pem) : try NIOSSLPrivateKey(file: settings.keyFile, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try certificates(settings.certificateFile, settings.certificate).map { .certificate($0) },
            privateKey: .privateKey(key))
        if !settings.caFile.isEmpty || !settings.ca.isEmpty {
            configuration.trustRoots = .certificates(try certificates(settings.caFile, settings.ca))
            configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }

    // MARK: UDP

    /// Datagrams that wait: so many more would be lost in the kernel's buffer anyway.
    private static let queueCountMax = 16_384

    private func receive(_ host: String, _ port: Int) async throws {
        let channel = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelOption(.socketOption(.so_rcvbuf), value: 4 << 20)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .bind(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(wrappingChannelSynchronously: channel)
                }
            }
        didListen(channel.channel.localAddress?.port ?? port)
        context.logger.info("Listening for syslog", metadata: ["address": .string(settings.listenAddress), "transport": "udp"])
        let pump = context.pump()
        let queue = Guarded<[(peer: String, bytes: [UInt8])]>([])
        let wake = WakeUp()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pump.flushUntilCancelled() }
            group.addTask {
                while !Task.isCancelled {
                    let datagrams = queue.withLock { queue in
                        defer { queue = [] }
                        return queue
                    }
                    if datagrams.isEmpty {
                        await wake.wait(atMost: .seconds(60))
                        continue
                    }
                    var records: [LogRecord] = []
                    for (peer, bytes) in datagrams {
                        let cut = bytes.count > self.settings.messageByteCountMax ? bytes.count : nil
                        let frame = SyslogFraming.Frame(
                            bytes: Array(bytes.prefix(self.settings.messageByteCountMax)), originalByteCount: cut)
                        records += self.records([frame], pump, peer, await self.names.name(of: peer))
                    }
                    await pump.push(records)
                }
            }
            try await channel.executeThenClose { inbound, _ in
                for try await envelope in inbound {
                    let isFull = queue.withLock { queue in
                        if queue.count >= Self.queueCountMax { return true }
                        queue.append((envelope.remoteAddress.ipAddress ?? "", Array(envelope.data.readableBytesView)))
                        return false
                    }
                    if isFull { self.context.metrics.dropped(1, reason: "queue_full") } else { wake.send() }
                }
            }
            group.cancelAll()
        }
    }

    // MARK: Messages

    private func records(_ frames: [SyslogFraming.Frame], _ pump: SourcePump, _ peer: String, _ name: String?) -> [LogRecord] {
        var records: [LogRecord] = []
        records.reserveCapacity(frames.count)
        for frame in frames {
            do throws(SyslogMessage.Malformed) {
                let message =
                    switch settings.format {
                    case .rfc5424: try SyslogMessage.rfc5424(frame.bytes)
                    case .rfc3164: try SyslogMessage.rfc3164(frame.bytes, now: context.time.nanoseconds)
                    }
                if let record = record(message, frame, pump, peer, name) { records.append(record) }
            } catch {
                reportMalformed(error.description, peer)
            }
        }
        return records
    }

    private func record(
        _ message: SyslogMessage, _ frame: SyslogFraming.Frame, _ pump: SourcePump, _ peer: String, _ name: String?
    ) -> LogRecord? {
        guard let text = message.message else {
            context.metrics.add("promtail_syslog_empty_messages_total")
            return nil
        }
        context.metrics.add("promtail_syslog_target_entries_total")
        var discovered: [Label] = []
        func add(_ label: String, _ value: String?) {
            if let value, !value.isEmpty { discovered.append(Label(label, value)) }
        }
        add("__syslog_connection_ip_address", peer)
        add("__syslog_connection_hostname", name)
        add("__syslog_message_severity", message.severity)
        add("__syslog_message_facility", message.facility)
        add("__syslog_message_hostname", message.hostname)
        add("__syslog_message_app_name", message.appName)
        add("__syslog_message_proc_id", message.procID)
        add("__syslog_message_msg_id", message.msgID)
        if settings.labelsStructuredData {
            for parameter in message.structuredData {
                let element = String(parameter.element.map { $0 == "@" ? "_" : $0 })
                add("__syslog_message_sd_\(element)_\(parameter.name)", parameter.value)
            }
        }
        guard let labels = context.labels(settings.labels, discovered) else { return nil }
        let time = settings.usesIncomingTimestamp ? message.timestamp : nil
        var record = LogRecord(
            labels: labels, timestamp: time ?? pump.nextTimestamp(),
            line: settings.usesWholeMessage ? String(decoding: frame.bytes, as: UTF8.self) : text)
        if let count = frame.originalByteCount {
            record.metadata = Labels(["cut_from_bytes": String(count)])
            context.metrics.add("promtail_lines_cut_total")
        }
        return record
    }

    private func reportMalformed(_ reason: String, _ peer: String) {
        context.metrics.add("promtail_syslog_target_parsing_errors_total")
        context.logger.debug("A syslog message cannot be read", metadata: ["peer": .string(peer), "error": .string(reason)])
    }
}

/// Closes a connection over which nothing has come for long.
private final class IdleCloser: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) } else { context.fireUserInboundEventTriggered(event) }
    }
}

/// Names of addresses, by reverse look-up, remembered.
private final class HostNames: Sendable {
    private let known = Mutex<[String: String?]>([:])
    private let thread = DiskThread("apus.names")
    private static let countMax = 4_096

    /// nil where it has none.
    func name(of address: String) async -> String? {
        if address.isEmpty { return nil }
        if let name = known.withLock({ $0[address] }) { return name }
        let name = await thread.run { () throws(Never) in Self.lookUp(address) }
        known.withLock { known in
            if known.count >= Self.countMax { known = [:] }
            known[address] = .some(name)
        }
        return name
    }

    private static func lookUp(_ address: String) -> String? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, nil, &hints, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(found.pointee.ai_addr, found.pointee.ai_addrlen, &name, socklen_t(name.count), nil, 0, Int32(NI_NAMEREQD)) == 0
        else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
