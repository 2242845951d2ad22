import Codecs
import Telemetry

/// The metadata that the series of one request of remote write 2.0 carry, each family once.
struct SeriesMetadata {
    /// One `Metadata` message that says something.
    struct Reading {
        var type = UInt32(0)
        var help = UInt32(0)
        var unit = UInt32(0)

        /// nil where it says nothing.
        init?(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) {
            var reader = message
            while let field = try reader.next(in: bytes) {
                switch field.number {
                case 1: type = UInt32(clamping: try field.uint64("Metadata.type"))
                case 3: help = UInt32(clamping: try field.uint64("Metadata.help_ref"))
                case 4: unit = UInt32(clamping: try field.uint64("Metadata.unit_ref"))
                default: break
                }
            }
            if type == 0, help == 0, unit == 0 { return nil }
        }
    }

    private struct Entry: Hashable {
        var name: UInt32
        var type: UInt32
        var help: UInt32
        var unit: UInt32
    }

    private var entries: [Entry] = []
    private var seen: Set<Entry> = []

    /// Adds what stands beside a series.
    mutating func add(_ reading: Reading, _ references: ArraySlice<UInt32>, _ symbols: SymbolTable) {
        guard let nameSymbol = symbols.metricName else { return }
        var index = references.startIndex
        while index + 1 < references.endIndex {
            if references[index] == nameSymbol {
                let entry = Entry(name: references[index + 1], type: reading.type, help: reading.help, unit: reading.unit)
                // The series of a family are neighbours.
                if entries.last != entry, seen.insert(entry).inserted { entries.append(entry) }
                return
            }
            index += 2
        }
    }

    /// The families that the cache does not know, and their keys in it.
    func families(
        _ symbols: inout SymbolTable, _ cache: RemoteWriteMetadataCache?, _ bytes: Span<UInt8>
    ) -> ([MetricMetadata], [SeriesKey]) {
        if entries.isEmpty { return ([], []) }
        var keys: [SeriesKey] = []
        var areUnknown = [Bool](repeating: true, count: entries.count)
        if let cache {
            keys = entries.map { key($0, symbols, cache.seed) }
            areUnknown = cache.unknown(keys)
        }
        var families: [MetricMetadata] = []
        var newKeys: [SeriesKey] = []
        for (index, entry) in entries.enumerated() where areUnknown[index] {
            guard let name = symbols.text(entry.name, in: bytes), !name.isEmpty else { continue }
            let kind = Int(entry.type) < RemoteWrite.kinds.count ? RemoteWrite.kinds[Int(entry.type)] : .unknown
            families.append(
                MetricMetadata(
                    family: Self.family(name, kind), kind: kind, help: symbols.text(entry.help, in: bytes) ?? "",
                    unit: symbols.text(entry.unit, in: bytes) ?? ""))
            if cache != nil { newKeys.append(keys[index]) }
        }
        return (families, newKeys)
    }

    /// The family of a series: classic histograms and summaries have several names for one.
    static func family(_ name: String, _ kind: MetricMetadata.Kind) -> String {
        let suffixes: [String] =
            switch kind {
            case .histogram: ["_bucket", "_count", "_sum"]
            case .gaugeHistogram: ["_bucket", "_gcount", "_gsum", "_count", "_sum"]
            case .summary: ["_count", "_sum"]
            default: []
            }
        for suffix in suffixes where name.utf8.count > suffix.utf8.count && name.hasSuffix(suffix) {
            return String(name.dropLast(suffix.count))
        }
        return name
    }

    /// Of the texts, not of the numbers that this request has for them. The symbols were hashed with the directory's seed where there is
    /// one, so a cache goes with one directory.
    private func key(_ entry: Entry, _ symbols: SymbolTable, _ seed: SeriesKey.Seed) -> SeriesKey {
        var words: [UInt64] = [UInt64(entry.type)]
        for symbol in [entry.name, entry.help, entry.unit] {
            let key = Int(symbol) < symbols.keys.count ? symbols.keys[Int(symbol)] : SeriesKey(high: 0, low: 0)
            words.append(key.high)
            words.append(key.low)
        }
        return words.withUnsafeBytes { SeriesKey($0, seed: seed) }
    }
}
