import Codecs
import Crypto
import NIOSSL
import Settings
import Telemetry

/// What a TLS handshake told of the other side.
struct ProbeCertificates: Sendable {
    private static let earliest = MetricFamily(
        "probe_ssl_earliest_cert_expiry", .gauge, "Returns last SSL chain expiry in unixtime")
    private static let lastChain = MetricFamily(
        "probe_ssl_last_chain_expiry_timestamp_seconds", .gauge, "Returns last SSL chain expiry in timestamp")
    private static let info = MetricFamily(
        "probe_ssl_last_chain_info", .gauge, "Contains SSL leaf certificate information",
        ["fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"])
    private static let version = MetricFamily(
        "probe_tls_version_info", .gauge, "Returns the TLS version used or NaN when unknown", ["version"])
    /// What Go's zero time is in Unix time: blackbox exporter's answer where no chain was verified.
    private static let noTime = -62_135_596_800.0

    /// From the leaf upwards.
    var presented: [NIOSSLCertificate] = []
    /// From the leaf to the root; empty where nothing was verified.
    var verified: [NIOSSLCertificate] = []
    var tlsVersion: TLSVersion?

    func record(into results: inout ProbeResults) {
        guard let leaf = presented.first else { return }
        let expiries = presented.map { Double($0.notValidAfter) }
        results.set(Self.earliest, expiries.min() ?? Self.noTime)
        results.set(Self.lastChain, verified.map { Double($0.notValidAfter) }.min() ?? Self.noTime)
        results.set(Self.version, [versionText], 1)
        guard let bytes = try? leaf.toDERBytes() else { return }
        let names = CertificateNames(bytes)
        results.set(
            Self.info,
            [
                Hex.text(SHA256.hash(data: bytes)), names?.subject ?? "", names?.issuer ?? "", names?.dnsNames.joined(separator: ",") ?? "",
                Hex.text(leaf.serialNumber.drop { $0 == 0 }),
            ], 1)
    }

    private var versionText: String {
        switch tlsVersion {
        case .tlsv1: "TLS 1.0"
        case .tlsv11: "TLS 1.1"
        case .tlsv12: "TLS 1.2"
        case .tlsv13: "TLS 1.3"
        default: "unknown"
        }
    }
}
