import Codecs
import Telemetry

/// The labels of many series as bytes one after the other: names and values with their lengths. A tenth of what label sets take.
struct SeriesArena: Sendable {
    private var bytes: [UInt8] = []

    var byteCount: Int { bytes.count }

    /// Appends labels and returns where they stand.
    mutating func append(_ labels: [Label]) -> Range<Int> {
        let start = bytes.count
        for label in labels {
            append(label.name)
            append(label.value)
        }
        return start..<bytes.count
    }

    /// Appends what stands in another arena.
    mutating func append(_ range: Range<Int>, of other: SeriesArena) -> Range<Int> {
        let start = bytes.count
        bytes += other.bytes[range]
        return start..<bytes.count
    }

    /// Forgets what stands from `offset` on.
    mutating func cut(at offset: Int) {
        bytes.removeLast(bytes.count - offset)
    }

    /// The labels that stand in `range`, in their order.
    func labels(_ range: Range<Int>) -> [Label] {
        var labels: [Label] = []
        var offset = range.lowerBound
        while offset < range.upperBound, let name = text(&offset, range.upperBound), let value = text(&offset, range.upperBound) {
            labels.append(Label(name, value))
        }
        return labels
    }

    private mutating func append(_ text: String) {
        Varint.append(UInt64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private func text(_ offset: inout Int, _ end: Int) -> String? {
        guard let count = try? Varint.read(bytes.span, at: &offset, end: end), count <= UInt64(end - offset) else { return nil }
        let range = offset..<offset + Int(count)
        offset = range.upperBound
        return bytes.span.text(range)
    }
}

extension SeriesKey {
    /// The key of labels as remote write encodes them (`prometheus.TimeSeries.labels`), so that a series is the same by whichever way it comes.
    init(_ labels: Labels, seed: Seed) {
        var writer = ProtobufWriter()
        for label in labels.pairs {
            writer.message(1) { writer in
                writer.string(1, label.name)
                writer.string(2, label.value)
            }
        }
        let bytes = writer.bytes
        self.init(0..<bytes.count, in: bytes.span, seed: seed)
    }
}
