import Codecs
import Telemetry

extension SpanBlock {
    /// Whether a row may satisfy the predicates: asked before anything of the block is decoded.
    ///
    /// - Parameter bytes: what ``encode(_:to:)`` wrote, without the timestamps before it.
    static func mayHold(_ bytes: Span<UInt8>, rowCount: Int, _ predicates: ScanPredicates) -> Bool {
        let conditions = predicates.spans
        if conditions.isNever { return false }
        if conditions.isAnyKindAndDuration { return true }
        do throws(DecodeError) {
            var offset = 0
            let (shortest, longest) = (try Varint.readSigned(bytes, at: &offset), try Varint.readSigned(bytes, at: &offset))
            let kindsAndStatuses = try Varint.read(bytes, at: &offset)
            return shortest > longest || conditions.mayHold(shortest...longest, kindsAndStatuses)
        } catch {
            // Whoever decodes it will say what is wrong.
            return true
        }
    }
}
