import Codecs
package import Telemetry

/// Prometheus' remote write 2.0 (prometheus.io/docs/specs/prw/remote_write_spec_2_0, message `io.prometheus.write.v2.Request`).
package enum RemoteWrite2 {
    static let format = "remote write 2.0"

    /// The name of the message in media types.
    package static let messageName = "io.prometheus.write.v2.Request"

    /// A request's contents, and what of it cannot be kept.
    package struct Decoded: Sendable {
        package var batch = MetricBatch()
        /// How many samples, histograms and exemplars are left out of ``batch``.
        package var rejected = 0
        /// What is wrong with the request though the rest of it counts; empty where nothing is.
        package var complaint = ""
        /// Names the entries of ``MetricBatch/metadata``, for a ``RemoteWriteMetadataCache``.
        package var metadataKeys: [SeriesKey] = []

        package init() {}
    }

    /// Decodes an uncompressed `Request`. Series that are wrong in themselves (references to no symbol, no name, a label twice) and
    /// histograms whose parts contradict each other are left out, as the specification's "Partial write" asks.
    ///
    /// - Parameters:
    ///   - directory: finds series that the store knows; only the labels of others are decoded. nil: all are.
    ///   - metadata: the metadata that need not come again. nil: all of it comes.
    /// - Throws: ``FormatError`` for bytes that are no such message.
    package static func decode(
        _ bytes: Span<UInt8>, directory: (any SeriesDirectory)? = nil, metadata: RemoteWriteMetadataCache? = nil
    ) throws(FormatError) -> Decoded {
        var decoder = RemoteWrite2Decoder(directory: directory, metadata: metadata)
        do throws(DecodeError) {
            return try decoder.decode(bytes)
        } catch {
            throw FormatError(format, error)
        }
    }
}
