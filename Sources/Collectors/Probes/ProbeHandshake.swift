import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// Begins TLS on a channel and tells when it is done and who answered.
enum ProbeHandshake {
    /// Puts TLS first in the pipeline. To be called on the channel's event loop.
    ///
    /// - Parameter host: the target's name: what the certificate must be for where the options name nothing else.
    /// - Returns: succeeds once the handshake is complete.
    static func add(
        to channel: any Channel, context: NIOSSLContext, options: TLSOptions, host: String
    ) throws -> EventLoopFuture<ProbeCertificates> {
        let record = CertificateRecord()
        let name = options.serverName.isEmpty ? host : options.serverName
        // An IP address is no name to be indicated (RFC 6066, 3).
        let indicated = ProbeAddress(literal: name) == nil && !name.isEmpty ? name : nil
        let handler: NIOSSLClientHandler
        if options.skipsVerification {
            handler = try NIOSSLClientHandler(
                context: context, serverHostname: indicated,
                customVerificationCallback: { presented, verdict in
                    record.presented(presented)
                    verdict.succeed(.certificateVerified)
                })
        } else {
            let maker: any ChainRecordingHandler.Type = ChainRecorder.self
            handler = try maker.make(context: context, serverHostname: indicated, record: record)
        }
        let promise = channel.eventLoop.makePromise(of: Void.self)
        let pipeline = channel.pipeline.syncOperations
        // Added from the back to the front: the handshake begins as soon as its handler is there.
        try pipeline.addHandler(HandshakeObserver(promise), position: .first)
        try pipeline.addHandler(handler, position: .first)
        return promise.futureResult.flatMap { channel.nioSSL_tlsVersion() }.map { record.certificates(tlsVersion: $0) }
    }
}

/// Collects certificates while they are verified.
final class CertificateRecord: Sendable {
    private let state = Mutex<(presented: [NIOSSLCertificate], verified: [NIOSSLCertificate])>(([], []))

    func presented(_ chain: [NIOSSLCertificate]) { state.withLock { $0.presented = chain } }

    /// One certificate of the chain, from the root to the leaf.
    func verified(_ certificate: NIOSSLCertificate) { state.withLock { $0.verified.insert(certificate, at: 0) } }

    func certificates(tlsVersion: TLSVersion?) -> ProbeCertificates {
        let (presented, verified) = state.withLock { $0 }
        // The root is the verifier's own: servers leave it out.
        let sent = presented.isEmpty ? (verified.count > 1 ? verified.dropLast() : verified) : presented
        return ProbeCertificates(presented: sent, verified: verified, tlsVersion: tlsVersion)
    }
}

private protocol ChainRecordingHandler {
    static func make(context: NIOSSLContext, serverHostname: String?, record: CertificateRecord) throws -> NIOSSLClientHandler
}

/// The one way to see the chain that BoringSSL verifies without verifying it oneself is NIOSSL's older callback, which is marked as
/// deprecated; newer ones see the leaf alone, or replace the verification. Reached through a protocol, it is still BoringSSL that decides.
private enum ChainRecorder: ChainRecordingHandler {
    @available(*, deprecated, message: "only to be reached through ChainRecordingHandler")
    static func make(context: NIOSSLContext, serverHostname: String?, record: CertificateRecord) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(
            context: context, serverHostname: serverHostname,
            verificationCallback: { result, certificate in
                record.verified(certificate)
                return result
            })
    }
}

/// Tells of the end of a handshake, good or bad.
private final class HandshakeObserver: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    private var promise: EventLoopPromise<Void>?

    init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { take()?.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let promise = take() {
            promise.fail(error)
            context.close(promise: nil)
        } else {
            context.fireErrorCaught(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        take()?.fail(ProbeFailure("the connection was closed during the TLS handshake"))
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        take()?.fail(ProbeFailure("the connection was closed during the TLS handshake"))
    }

    private func take() -> EventLoopPromise<Void>? {
        defer { promise = nil }
        return promise
    }
}
