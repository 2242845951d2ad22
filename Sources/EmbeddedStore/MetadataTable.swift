import Codecs
import Synchronization
import Telemetry

/// What is known of metric families: in memory, and in one small file that is replaced as a whole.
///
/// Between two of its writes the write-ahead log has what is new. Byte for byte: docs/format/rows.md, "Metadata file".
final class MetadataTable: Sendable {
    private let path: String
    private let folder: String
    private let fileSystem: any FileSystem
    private let reporter: StoreReporter
    private let state = Mutex(State())

    private struct State: Sendable {
        var families: [String: MetricMetadata] = [:]
        /// Whether the file lacks something.
        var isDirty = false
    }

    private static let magic: [UInt8] = Array("APUSMET".utf8) + [1]

    init(path: String, folder: String, _ fileSystem: any FileSystem, _ reporter: StoreReporter) {
        self.path = path
        self.folder = folder
        self.fileSystem = fileSystem
        self.reporter = reporter
    }

    func set(_ metadata: [MetricMetadata]) {
        if metadata.isEmpty { return }
        state.withLock { state in
            for family in metadata where state.families[family.family] != family {
                state.families[family.family] = family
                state.isDirty = true
            }
        }
    }

    /// All families by name, or the one named.
    func families(_ name: String?) -> [MetricMetadata] {
        state.withLock { state in
            if let name { return state.families[name].map { [$0] } ?? [] }
            return state.families.values.sorted { $0.family.utf8Precedes($1.family) }
        }
    }

    /// Writes the file, if it lacks something.
    func persist() throws(StoreError) {
        let families = state.withLock { state -> [MetricMetadata]? in
            if !state.isDirty { return nil }
            state.isDirty = false
            return state.families.values.sorted { $0.family.utf8Precedes($1.family) }
        }
        guard let families else { return }
        var writer = TextTableWriter()
        writer.body.append(count: families.count)
        for family in families { writer.append(family) }
        let rows = writer.bytes
        var bytes = Self.magic
        bytes.append(fixed32: CRC32C.checksum(rows.span))
        do throws(StoreError) {
            try fileSystem.replace(path, with: bytes + rows, in: folder)
        } catch {
            state.withLock { $0.isDirty = true }
            throw error
        }
    }

    /// Reads the file. Metadata is a help, not the data: what is damaged is reported and comes anew with the next scrapes.
    func load() {
        do {
            guard try fileSystem.list(folder).contains("metadata") else { return }
            let bytes = try fileSystem.contents(of: path)
            var reader = ByteReader(bytes)
            guard bytes.count >= 12, Array(bytes[try reader.take(8, "magic")]) == Self.magic else {
                throw DecodeError(offset: 0, field: "magic", "no metadata file")
            }
            let expected = try reader.fixed32("checksum")
            let found = CRC32C.checksum(bytes.span.extracting(12..<bytes.count))
            guard found == expected else {
                throw DecodeError(offset: 8, field: "checksum", "\(hex(found)), expected \(hex(expected))")
            }
            var table = try TextTableReader(reader)
            var families: [MetricMetadata] = []
            for _ in 0..<(try table.body.count("families", byteCountMin: 4)) { families.append(try table.metadata()) }
            state.withLock { state in
                for family in families { state.families[family.family] = family }
            }
        } catch {
            reporter.quarantine("the metadata of metrics in \(path) cannot be read: \(error)", .metadata, .metrics, path: path)
        }
    }
}
