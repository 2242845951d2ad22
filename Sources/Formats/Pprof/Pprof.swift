import Codecs
package import Telemetry

/// pprof's `profile.proto` (github.com/google/pprof), plain or gzip'd, as `/debug/pprof` and profilers send it.
package enum Pprof {
    /// One sample type of a profile.
    package struct SampleType: Sendable, Hashable {
        /// `cpu`, `inuse_space`, `samples`, …
        package var type: String
        /// `nanoseconds`, `bytes`, `count`, …
        package var unit: String

        package init(type: String, unit: String) {
            self.type = type
            self.unit = unit
        }
    }

    /// A profile with all its sample types.
    package struct Decoded: Sendable {
        /// One profile a sample type, in the order of the message. Stacks without a value are left out.
        package var profiles: [(type: SampleType, profile: Profile)]
        /// What a sample stands for (`cpu`/`nanoseconds`, `space`/`bytes`); empty where the message does not say.
        package var periodType: SampleType
        package var period: Int64
        /// The sample type to show first; empty where the message does not say.
        package var defaultSampleType: String
    }

    /// What a message may hold once decompressed.
    package static let byteCountMax = 256 << 20

    /// Decodes a profile.
    ///
    /// Stacks that differ only in labels (pprof's, not Telemetry's) are added up.
    ///
    /// - Parameter defaultTimestamp: nanoseconds, for profiles without a time of their own.
    /// - Throws: ``FormatError``.
    package static func decode(
        _ bytes: Span<UInt8>, defaultTimestamp: Int64 = 0, byteCountMax: Int = Pprof.byteCountMax
    ) throws(FormatError) -> Decoded {
        do throws(DecodeError) {
            guard bytes.count >= 2, bytes[0] == 0x1f, bytes[1] == 0x8b else {
                return try PprofMessage(bytes).decoded(defaultTimestamp: defaultTimestamp)
            }
            let message: [UInt8]
            do throws(DecompressionError) {
                message = try Compression.gzip.decompress(bytes, byteCountMax: byteCountMax)
            } catch {
                throw DecodeError(offset: 0, error.description)
            }
            return try PprofMessage(message.span).decoded(defaultTimestamp: defaultTimestamp)
        } catch {
            throw FormatError("pprof", error)
        }
    }
}
