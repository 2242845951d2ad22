import Codecs
import Synchronization
import Telemetry

/// The label sets that pushes named last, by their text: clients name the same streams push after push.
enum LokiLabelCache {
    /// Beyond that many sets all are forgotten: some MiB at most.
    private static let countMax = 16_384
    /// Longer texts are parsed each time.
    private static let byteCountMax = 2_048

    private static let known = Mutex<[String: Labels]>([:])

    /// The labels that `text` stands for.
    ///
    /// - Throws: what ``LokiLabels/parse(_:offset:)`` throws.
    static func labels(_ text: String, offset: Int) throws(DecodeError) -> Labels {
        if let labels = known.withLock({ $0[text] }) { return labels }
        let labels = try LokiLabels.parse(text, offset: offset)
        guard text.utf8.count <= byteCountMax else { return labels }
        known.withLock { known in
            if known.count >= countMax { known.removeAll(keepingCapacity: true) }
            known[text] = labels
        }
        return labels
    }
}
